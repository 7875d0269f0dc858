"""What flows into a node: whether it has changed, found without a render."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import nuke

if TYPE_CHECKING:
    from collections.abc import Iterator

_LAYOUT = (
    *("name", "label", "xpos", "ypos", "selected", "hide_input", "dope_sheet", "bookmark"),
    *("tile_color", "gl_color", "note_font", "note_font_size", "note_font_color", "cached"),
    *("postage_stamp", "postage_stamp_frame", "indicators", "icon", "reload"),
)
"""Knobs that no pixel depends on."""


def digest(source: nuke.Node, frame: int, graph: str = "") -> str:
    """What a picture is made from at a frame: another text when a knob or a file has changed.

    ``graph`` is what `graph_digest` gives, for those who ask for many frames.
    """
    found: list[tuple[nuke.Node, list[str]]] = source.fileDependencies(frame, frame)  # type: ignore[assignment]
    files = sorted({name for _, names in found for name in names})
    read = "\n".join(f"{name} {_stamp(name)}" for name in files)
    return _short(f"{graph or graph_digest(source)}\n{read}")


def graph_digest(source: nuke.Node) -> str:
    """What the nodes up to and including ``source`` are set to, all frames of it."""
    return _short("\n".join(_text(node) for node in _nodes(source)))


def _nodes(source: nuke.Node) -> Iterator[nuke.Node]:
    """Yield a node, what it depends on and what is inside of groups, each once."""
    wires = nuke.INPUTS | nuke.HIDDEN_INPUTS | nuke.EXPRESSIONS | nuke.LINKINPUTS
    waiting, seen = [source], set()
    while waiting:
        node = waiting.pop()
        if node.fullName() in seen:
            continue
        seen.add(node.fullName())
        yield node
        waiting += node.dependencies(wires)
        waiting += node.nodes() if isinstance(node, nuke.Group) else []


def _text(node: nuke.Node) -> str:
    knobs = sorted(node.knobs().items())
    values = (f"{name} {knob.toScript()}" for name, knob in knobs if name not in _LAYOUT)
    wires = (node.input(index) for index in range(node.inputs()))
    names = (wire.fullName() if wire else "" for wire in wires)
    return "\n".join([node.Class(), *values, *names])


def _stamp(file: str) -> str:
    """When a file was written and how long it is; nothing when it is not there."""
    try:
        found = Path(file).stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
