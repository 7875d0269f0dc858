"""What hosts know of Lifemask: `python -m lifemask.plugin.packaging.declarations` writes it.

Hosts read that file, because their own Python may not import the nodes.
"""

import json
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from lifemask.nodes import Knob, Node
from lifemask.plugin.commands.cli import COMMANDS
from lifemask.plugin.commands.command import Command
from lifemask.plugin.commands.parameters import Param, node_of, params
from lifemask.plugin.hosts.common.declared import label

FILE = Path(__file__).parents[1] / "hosts/common/nodes.json"


def declared() -> str:
    """Return the file's text: the nodes in the order of a shot, and the commands."""
    ordered = [node for node in map(node_of, COMMANDS) if node]
    others = [node for node in Node.registry.values() if node not in ordered]
    commands = {command.name: _command(command) for command in COMMANDS}
    nodes = {node.__name__: _node(node) for node in [*ordered, *others]}
    return json.dumps({"nodes": nodes, "commands": commands}, indent=1) + "\n"


def _node(node: type[Node]) -> dict[str, Any]:
    plugs, output = node.plugs()
    command = next((command.name for command in COMMANDS if node_of(command) is node), None)
    return {
        "command": command,
        "summary": node.summary(),
        "help": " ".join((node.__doc__ or "").split()),
        "knobs": [_knob(command or node.__name__, knob) for knob in node.knobs()],
        "plugs": {name: _type(kind) for name, kind in plugs.items()},
        "output": _type(output),
    }


def _knob(command: str, knob: Knob) -> dict[str, Any]:
    return {
        "id": f"{command}_{knob.name}",
        "name": knob.name,
        "label": label(knob.name),
        "kind": kind(knob.kind),
        "min": knob.min if isfinite(knob.min) else None,
        "max": knob.max if isfinite(knob.max) else None,
        "unit": knob.unit,
        "choices": knob.choices,
        "default": knob.default,
        "doc": knob.doc,
    }


def _command(command: Command) -> dict[str, Any]:
    options = [param for param in params(command).values() if not param.knob]
    node = node_of(command)
    return {
        "node": node.__name__ if node else None,
        "help": command.help,
        "query": command.query,
        "needs": command.needs,
        "params": [_param(param) for param in options],
    }


def _param(param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "label": label(param.name),
        "kind": kind(param.kind),
        "many": param.many is not None,
        "required": param.required,
        "positional": param.positional,
        "choices": param.choices,
        "default": param.default,
        "doc": param.doc,
    }


def kind(of: type) -> str:
    """Return the word for a kind of value: bool, int, float, str or path."""
    return of.__name__.lower()


def _type(of: Any) -> str:  # noqa: ANN401
    return getattr(of, "__name__", str(of)) if not getattr(of, "__args__", ()) else _generic(of)


def _generic(of: Any) -> str:  # noqa: ANN401
    if isinstance(of, UnionType):
        return " or ".join("none" if part is NoneType else _type(part) for part in of.__args__)
    return f"{of.__origin__.__name__.lower()} of {', '.join(map(_type, of.__args__))}"


if __name__ == "__main__":
    FILE.write_text(declared(), encoding="utf-8")
