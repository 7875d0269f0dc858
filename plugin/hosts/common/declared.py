"""What Nuke and Blender offer on a Lifemask node: its settings and buttons, from nodes.json.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One value that a host's node offers: a knob of a node, or what a command has to know.

    ``kind`` is bool, int, float, str or path; ``many`` is a list of them; ``node`` is empty unless
    it is a knob. ``min`` and ``max`` are None without a limit.
    """

    name: str
    label: str
    kind: str
    doc: str
    default: Any
    node: str = ""
    many: bool = False
    min: float | None = None
    max: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()


_ELSEWHERE = (
    *("overwrite", "double", "plate", "performer", "swap_version"),
    "layer",  # hosts render the plate, which has one
    *("pairs", "facesets"),  # renders to train with are for who types commands
)


@dataclass(frozen=True)
class Button:
    """One button: ``name`` for code, ``label`` for the artist, and the command behind it."""

    name: str
    label: str
    doc: str
    command: str


@lru_cache(maxsize=1)
def declaration() -> dict[str, Any]:
    """Return what nodes.json says."""
    text = Path(__file__).with_name("nodes.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def commands() -> dict[str, Any]:
    """Return the commands that work on a shot, in the order in which a shot uses them."""
    return {
        name: command
        for name, command in declaration()["commands"].items()
        if not command["query"]
        and any(p["name"] == "shot" and p["positional"] for p in command["params"])
    }


def buttons() -> list[Button]:
    """Return the buttons of a node: one for each command, two for Swap, and Stop."""
    found = []
    for name, command in commands().items():
        label = command["node"] or " ".join(reversed(name.split())).capitalize()
        for what in ("frame", "range") if name == "swap" else ("",):
            words = " ".join(filter(None, (label, what)))
            code = "_".join(filter(None, (name.replace(" ", "_"), what)))
            found.append(Button(code, words, command["help"], name))
    return [*found, Button("stop", "Stop", "Stop what this node has asked for.", "")]


def settings() -> list[Setting]:
    """Return what a host's node offers: the shot's settings, then each node's knobs.

    A name that several commands have is there once, as the first of them declares it.
    """
    found: dict[str, Setting] = {}
    for command, about in commands().items():
        for param in about["params"]:
            name = setting_name(command, param["name"])
            if name not in _ELSEWHERE:
                found.setdefault(name, _setting({**param, "id": name, "label": label(name)}))
    found["likeness"] = Setting("likeness", "Likeness", "str", "Whose face goes in.", "")
    found["version"] = Setting("version", "Version", "int", "Of the swap.", 1, min=1, max=999)
    for name, node in declaration()["nodes"].items():
        if node["command"] in commands():
            found.update({knob["id"]: _setting(knob, name) for knob in node["knobs"]})
    return list(found.values())


def setting_name(command: str, param: str) -> str:
    """Return the setting that a command's parameter is taken from."""
    of_takes = command == "faceset" and param in ("colorspace", "layer")
    return f"takes_{param}" if of_takes else param


def label(name: str) -> str:
    """Return a name as people read it.

    >>> label("least_sharpness")
    'Least sharpness'
    """
    return name.replace("_", " ").capitalize()


def _setting(declared: dict[str, Any], node: str = "") -> Setting:
    plain = {name: declared[name] for name in ("label", "kind", "doc", "default")}
    return Setting(
        name=declared.get("id", declared["name"]),
        node=node,
        many=declared.get("many", False),
        min=declared.get("min"),
        max=declared.get("max"),
        unit=declared.get("unit", ""),
        choices=tuple(declared["choices"]),
        **plain,
    )
