"""The knobs of one Lifemask node: read as a controller wants them, and set to what there is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import nuke

from ..common.declared import Setting, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..common.results import Pattern

EVERYBODY = "everybody"
"""What the pulldown of the plate's people says when nobody is chosen."""

INPUTS = {"plate": 0, "add": 1, "remove": 2, "paint": 3}

_SPACES = {"linear": "Linear Rec.709 (sRGB)", "scene-linear Rec.709-sRGB": "Linear Rec.709 (sRGB)"}
"""Spaces that Nuke's own configurations name in another way than OpenColorIO's."""

_FORMER_LINES = {"status": "told"}
"""Names of lines on nodes in scripts of an older Lifemask."""


def is_ours(node: nuke.Node) -> bool:
    """Whether a node is one of Lifemask's, whatever it was renamed to."""
    return node.knob("lifemask_tab") is not None


def values(node: nuke.Node) -> dict[str, Any]:
    """Return what the node is set to, by the names of `settings`."""
    return {setting.name: _value(node, setting) for setting in settings()}


def _value(node: nuke.Node, setting: Setting) -> Any:  # noqa: ANN401
    knob = node.knob(setting.name)
    if knob is None and setting.was:
        knob = node.knob(setting.was)
    if knob is None:
        return setting.default  # a script keeps the node with the knobs that it was saved with
    if setting.kind == "path":
        return knob.getEvaluatedValue() or ""  # type: ignore[attr-defined]
    value = knob.value()
    if setting.many:
        return [line.strip() for line in value.splitlines() if line.strip()]
    if setting.name == "person" and value == EVERYBODY:
        return ""
    if setting.default is None and not value:
        return None
    return int(value) if setting.kind == "int" else value


def begin(node: nuke.Node) -> None:
    """Fill in what the script knows: its rate and its working space."""
    root = nuke.root()
    if not node["fps"].value():
        node["fps"].setValue(float(root.fps()))
    space = root.knob("workingSpaceLUT")
    if space and not node["colorspace"].value():
        node["colorspace"].setValue(working_space(str(space.value())))


def working_space(name: str) -> str:
    """Return Nuke's name of its working space as OpenColorIO's studio config has it.

    >>> working_space("ACES - ACEScg"), working_space("scene_linear (ACES - ACEScg)")
    ('ACEScg', 'ACEScg')
    """
    inside = name.partition("(")[2].rstrip(")") if name.startswith("scene_linear") else name
    return _SPACES.get(inside, inside.rpartition(" - ")[2])


@contextmanager
def unnoticed() -> Iterator[None]:
    """Leave what is set meanwhile out of the artist's Undo."""
    nuke.Undo.disable()
    try:
        yield
    finally:
        nuke.Undo.enable()


def set_lines(node: nuke.Node, texts: dict[str, str]) -> None:
    """Set the lines under the buttons to plain text: Nuke would read a < as the start of a tag."""
    for name, text in texts.items():
        knob = node.knob(name) or node[_FORMER_LINES[name]]
        plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
        if knob.value() != plain:
            with unnoticed():
                knob.setValue(plain)


def offer_people(node: nuke.Node, people: Iterable[str]) -> None:
    """Let the artist choose among the people of the plate; who is chosen stays."""
    knob = node["person"]
    chosen = knob.value()
    names = [EVERYBODY, *people]
    if knob.values() != names:  # type: ignore[attr-defined]
        with unnoticed():
            knob.setValues(names)  # type: ignore[attr-defined]
            knob.setValue(chosen if chosen in names else EVERYBODY)


def show(node: nuke.Node, result: Pattern, frames: list[int]) -> None:
    """Let the node read the ``frames`` of the result that are there; the rest is the plate."""
    read = inside(node, "result")
    values = {
        "file": result.hashes,
        **dict.fromkeys(("first", "origfirst"), min(frames, default=1)),
        **dict.fromkeys(("last", "origlast"), max(frames, default=1)),
        "origset": True,
    }
    with unnoticed():
        node["made"].setValue(int(bool(frames)))
        for name, value in values.items():
            read[name].setValue(value)
        read["reload"].execute()  # type: ignore[attr-defined]


def inside(node: nuke.Node, name: str) -> nuke.Node:
    """Return a node of the gizmo's own; raises RuntimeError when somebody has removed it."""
    found = node.node(name) if isinstance(node, nuke.Group) else None
    if found is None:
        raise RuntimeError(f"{node.fullName()}: the node {name} inside is gone; make the node anew")
    return found
