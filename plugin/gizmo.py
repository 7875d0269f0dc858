"""The Nuke gizmos: `python -m lifemask.plugin.gizmo` writes them from the nodes' declaration."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lifemask.plugin.declaration import declared
from lifemask.plugin.gizmo_graph import GRAPH, written

FILE = Path(__file__).parents[1] / "gizmos" / "LifemaskSwap.gizmo"
PACKAGE = "lifemask_nuke"
"""What the buttons import: the name under which the plug-in's folder loads its package."""

CHAIN = ("Swap", "Track", "Faceset", "Train")
"""The nodes whose knobs the gizmo has, a tab for each."""

STRING, PATH, INT, ENUM, BOOL, DOUBLE, TAB, BUTTON, TEXT, LINK = 1, 2, 3, 4, 6, 7, 20, 22, 26, 41
KINDS = {"str": STRING, "path": PATH, "int": INT, "bool": BOOL, "float": DOUBLE}
"""Nuke's numbers for the kinds of knobs, in scripts."""

GRADE = ("black", "white", "multiply", "add", "gamma")
"""Knobs of the Grade on the face that are on the outside, too: with Nuke's names for them."""


def gizmo() -> str:
    """Return the text of the Swap gizmo."""
    nodes = json.loads(declared())["nodes"]
    head = ["Group {", f" help {quoted(nodes['Swap']['help'])}", " tile_color 0x7a4f9aff"]
    tabs = (line for name in CHAIN if name in nodes for line in _tab(name, nodes[name]["knobs"]))
    knobs = [*_desk(), *tabs, *_grade()]
    return "\n".join([*head, " name LifemaskSwap1", *knobs, "}", written(GRAPH), "end_group", ""])


def added(kind: int, name: str, label: str, doc: str = "", more: str = "") -> str:
    """Return the line that adds a knob."""
    tip = f" t {quoted(doc)}" if doc else ""
    return f" addUserKnob {{{kind} {name} l {quoted(label)}{tip}{more and ' ' + more}}}"


def _desk() -> Iterator[str]:
    """What the worker is asked, and what it tells."""
    yield added(TAB, "lifemask_tab", "Lifemask")
    yield added(INT, "made", "made", more="+INVISIBLE")


def _tab(node: str, knobs: list[Mapping[str, Any]]) -> Iterator[str]:
    if knobs:
        yield added(TAB, f"{node.lower()}_tab", node)
    for knob in knobs:
        kind = ENUM if knob["choices"] else KINDS[knob["kind"]]
        doc = " ".join([knob["doc"], _allowed(knob)]).rstrip()
        yield added(kind, knob["id"], knob["label"], doc, _more(knob, kind))
        yield f" {knob['id']} {_value(knob['default'])}"


def _allowed(knob: Mapping[str, Any]) -> str:
    """The range in words: the slider of a number does not keep anybody from typing another."""
    if knob["min"] is None or knob["max"] is None:
        return ""
    return f"{knob['min']:g} to {knob['max']:g} {knob['unit']}".rstrip() + "."


def _more(knob: Mapping[str, Any], kind: int) -> str:
    if kind == ENUM:
        return f"M {{{' '.join(knob['choices'])}}}"
    if kind == DOUBLE and knob["min"] is not None and knob["max"] is not None:
        return f"R {knob['min']:g} {knob['max']:g}"
    return "+STARTLINE" if kind == BOOL else ""


def _value(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return quoted(default) if isinstance(default, str) else f"{default:g}"


def _grade() -> Iterator[str]:
    """The Grade on the face, live: only these knobs change the picture without a new swap."""
    yield added(TAB, "grade_tab", "Grade")
    for knob, label in zip(GRADE, ("lift", "gain", "multiply", "offset", "gamma"), strict=True):
        yield added(LINK, f"face_{knob}", label, more=f"T face_grade.{knob}")


def quoted(text: str) -> str:
    """Return a text as a word of Nuke's scripts."""
    for char in '\\"[$':
        text = text.replace(char, "\\" + char)
    return '"' + text.replace("\n", "\\n") + '"'


if __name__ == "__main__":
    FILE.write_text(gizmo(), encoding="utf-8")
