"""What hosts know of Lifemask, as JSON: hosts read it, because their own Python has no nodes.

`python -m lifemask.plugin.packaging.declarations` writes nodes.json; what is packed for a host gets
what is found then.
"""

import json
from dataclasses import asdict
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from lifemask.nodes.command import Button, Command, OnShot, Option
from lifemask.nodes.declaration import Knob, Node
from lifemask.plugin.commands.catalog import commands, nodes
from lifemask.plugin.hosts.common.declared import Declaration, label

FILE = Path(__file__).parents[1] / "hosts/common/nodes.json"


def declaration() -> Declaration:
    """Return the nodes in the order of a shot, and the commands, as hosts read them."""
    plain = json.loads(declared())
    return Declaration(plain["nodes"], plain["commands"])


def declared() -> str:
    """Return the text of the file."""
    plain = {
        "nodes": {node.__name__: _node(node, command) for node, command in nodes().items()},
        "commands": {command.name: _command(command) for command in commands()},
    }
    return json.dumps(plain, indent=1) + "\n"


def _node(node: type[Node], command: type[Command]) -> dict[str, Any]:
    return {
        "command": command.name,
        "summary": node.summary(),
        "help": " ".join((node.__doc__ or "").split()),
        "knobs": [_knob(command, knob) for knob in node.knobs()],
    }


def _knob(command: type[Command], knob: Knob) -> dict[str, Any]:
    return {
        "id": f"{command.name.replace(' ', '_')}_{knob.name}",
        "name": knob.name,
        "was": f"{command.name.replace(' ', '_')}_{knob.was}" if knob.was else "",
        "label": label(knob.name),
        "kind": kind(knob.kind),
        "min": knob.min if isfinite(knob.min) else None,
        "max": knob.max if isfinite(knob.max) else None,
        "unit": knob.unit,
        "choices": knob.choices,
        "default": knob.default,
        "doc": knob.doc,
        "at_hand": knob.at_hand,
    }


def _command(command: type[Command]) -> dict[str, Any]:
    words = " ".join(reversed(command.name.split())).capitalize()
    return {
        "node": command.node.__name__ if command.node else None,
        "label": command.node.__name__ if command.node else words,
        "help": command.help(),
        "query": command.query,
        "needs": command.needs,
        "goal": command.goal,
        "makes": command.makes if issubclass(command, OnShot) else "",
        "button": asdict(command.button) if command.button else None,
        "params": [_param(option, command.button) for option in command.options()],
    }


def _param(option: Option, button: Button | None) -> dict[str, Any]:
    settings = (option.name,) if option.settings is None else option.settings
    if option.name == "version" and not (button and button.by_frame):
        settings = ()  # the next one: only frames of one version are made anew
    return {
        "name": option.name,
        "kind": kind(option.kind),
        "many": option.count is not None,
        "required": option.required,
        "choices": option.choices,
        "default": option.default,
        "doc": option.doc,
        "settings": settings,
    }


def kind(of: type) -> str:
    """Return the word for a kind of value: bool, int, float, str or path."""
    return "str" if of is date else of.__name__.lower()


if __name__ == "__main__":
    FILE.write_text(declared(), encoding="utf-8")
