"""What Nuke and Blender offer on a Lifemask node: its settings and buttons, from nodes.json.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Setting:
    """One value that a host's node offers: a knob of a node, or what a command has to know.

    ``kind`` is bool, int, float, str or path; ``many`` is a list of them; ``node`` is empty unless
    it is a knob. ``min`` and ``max`` are None without a limit. ``command`` is the first one that
    reads it, ``section`` the heading of that. An ``at_hand`` knob is shown beside the buttons.
    ``was`` is its name in scenes and scripts that were saved with the last release.
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
    command: str = ""
    section: str = ""
    at_hand: bool = False
    was: str = ""


@dataclass(frozen=True)
class Button:
    """One button: ``name`` for code, ``label`` for the artist, and the command behind it.

    ``makes`` is the folder of the shot that its results go to; empty when it makes none. With
    ``plate``, the plate on disk has to be what the graph gives now. ``frames`` is "frame" for a
    button of the current frame, "range" for one of a range, else empty.
    """

    name: str
    label: str
    doc: str
    command: str
    section: str = ""
    makes: str = ""
    plate: bool = False
    frames: str = ""


Item = TypeVar("Item", Setting, Button, Union[Setting, Button])

_SHARED: dict[str, dict[str, Any]] = {
    "likeness": {"kind": "str", "many": False, "doc": "Whose face goes in.", "default": ""},
    "version": {"doc": "Of the swap.", "default": 1, "min": 1, "max": 999},
}
"""What several commands read, each in its own way: how a host says it."""


@dataclass(frozen=True)
class Declaration:
    """The nodes by name, and the commands by name, as nodes.json has them."""

    nodes: Mapping[str, Any]
    every_command: Mapping[str, Any]

    @property
    def commands(self) -> dict[str, Any]:
        """The commands that have a button, in the order in which a shot uses them."""
        return {name: about for name, about in self.every_command.items() if about["button"]}

    @property
    def goal(self) -> str:
        """The node that a shot is set up for."""
        return str(next(about["node"] for about in self.commands.values() if about["goal"]))

    @property
    def buttons(self) -> list[Button]:
        """The buttons of a node: one for each command, two where frames are made, and Stop."""
        found = [button for name in self.commands for button in self._buttons(name)]
        section = next((button.section for button in found if button.frames), "")
        return [*found, Button("stop", "Stop", "Stop what this node has asked for.", "", section)]

    def _buttons(self, name: str) -> list[Button]:
        about = self.commands[name]
        offered = about["button"]
        return [
            Button(
                name="_".join(filter(None, (name.replace(" ", "_"), frames))),
                label=" ".join(filter(None, (about["label"], frames))),
                doc=about["help"],
                command=name,
                section=offered["section"],
                makes=about["makes"],
                plate=offered["plate"],
                frames=frames,
            )
            for frames in (("frame", "range") if offered["by_frame"] else ("",))
        ]

    @property
    def settings(self) -> list[Setting]:
        """What a host's node offers: the settings of commands, then the knobs of their nodes.

        A setting that several commands read is there once, as the first of them declares it.
        """
        found: dict[str, Setting] = {}
        for command, about in self.commands.items():
            place = {"command": command, "section": about["button"]["section"]}
            for param in about["params"]:
                for name in param["settings"]:
                    said = {**param, "label": label(name), **_SHARED.get(name, {}), "name": name}
                    found.setdefault(name, _setting({**said, **place}))
        for name, node in self.nodes.items():
            for knob in node["knobs"] if node["command"] in self.commands else ():
                said = {**knob, "name": knob["id"], "node": name, "command": node["command"]}
                found[knob["id"]] = _setting(said)
        return list(found.values())


@lru_cache(maxsize=1)
def declaration() -> Declaration:
    """Return what nodes.json says."""
    text = Path(__file__).with_name("nodes.json").read_text(encoding="utf-8")
    plain = json.loads(text)
    return Declaration(plain["nodes"], plain["commands"])


def commands() -> dict[str, Any]:
    """Return the commands that have a button, in the order in which a shot uses them."""
    return declaration().commands


@lru_cache(maxsize=1)
def buttons() -> list[Button]:
    """Return the buttons of a node, Stop last."""
    return declaration().buttons


def pressed(name: str) -> Button:
    """Return the button of this name; raises RuntimeError when there is none."""
    known = {button.name: button for button in buttons()}
    if name not in known:
        raise RuntimeError(f"button: {name!r} is none (there: {', '.join(known)})")
    return known[name]


def button_label(command: str) -> str:
    """Return what the artist presses to run a command."""
    return next((button.label for button in buttons() if button.command == command), command)


def work_buttons() -> list[Button]:
    """Return the buttons that make something of a shot that is set up, and Stop."""
    return [button for button in buttons() if button.makes or not button.command]


def sections(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Return settings or buttons by their sections, both in the order in which they are met."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.section, []).append(item)
    return found


@lru_cache(maxsize=1)
def settings() -> list[Setting]:
    """Return what a host's node offers: the settings of commands, then the knobs of their nodes."""
    return declaration().settings


def label(name: str) -> str:
    """Return a name as people read it.

    >>> label("min_sharpness")
    'Min sharpness'
    """
    return name.replace("_", " ").capitalize()


def _setting(said: Mapping[str, Any]) -> Setting:
    known = Setting.__dataclass_fields__
    values = {name: value for name, value in said.items() if name in known}
    return Setting(**{**values, "choices": tuple(said["choices"])})
