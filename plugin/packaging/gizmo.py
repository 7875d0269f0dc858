"""The Nuke gizmo: `python -m lifemask.plugin.packaging.gizmo` writes it."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from lifemask.plugin.hosts.common.declared import Button, Declaration, Setting, sections
from lifemask.plugin.packaging.declarations import declaration
from lifemask.plugin.packaging.gizmo_graph import GRAPH, quoted, written

FILE = Path(__file__).parents[2] / "gizmos" / "LifemaskSwap.gizmo"

STRING, PATH, INT, ENUM, BOOL, DOUBLE, TAB, BUTTON, TEXT, LINK, LINES = (
    *(1, 2, 3, 4, 6, 7, 20, 22, 26, 41, 43),
)
"""Nuke's numbers for the kinds of knobs, in scripts."""

KINDS = {"str": STRING, "path": PATH, "int": INT, "bool": BOOL, "float": DOUBLE}

OWN: tuple[Setting | Button, ...] = (
    Setting(
        name="fix_frames",
        label="Frames",
        kind="str",
        doc="1003, or 1001-1010; empty is the current one.",
        default="",
        section="Fixes",
    ),
    Button(
        name="copy_fixes",
        label="Copy fixes to shot",
        doc="Write the inputs add, remove and paint at these frames to the shot's fixes.",
        command="",
        section="Fixes",
    ),
)
"""What Nuke has and the declaration does not."""

TEXTS = {
    "status": "Now",
    "next_step": "Next",
    "result_state": "Result",
    "seen": "People",
    "consent": "Consent",
    "footage": "Footage",
}
"""Lines that the plug-in writes, with their labels."""

GRADE = {
    "black": "lift",
    "white": "gain",
    "multiply": "multiply",
    "add": "offset",
    "gamma": "gamma",
}
"""Knobs of the Grade on the face that are on the outside, too: live, without a new swap."""


def gizmo(declared: Declaration) -> str:
    """Return the text of the Swap gizmo with the settings and buttons that are declared."""
    about = quoted(declared.nodes[declared.goal]["help"])
    head = ["Group {", " name LifemaskSwap1", f" help {about}", " tile_color 0x7a4f9aff"]
    tabs = [*_first_tab(declared), *_node_tabs(declared), *_grade_tab()]
    return "\n".join([*head, *tabs, "}", written(GRAPH), "end_group", ""])


def _first_tab(declared: Declaration) -> Iterator[str]:
    """What the worker is asked, what is set for it, and what it answers."""
    yield _added(TAB, "lifemask_tab", "Lifemask")
    yield _added(INT, "made", "made", more="+INVISIBLE")
    offered: list[Setting | Button] = [
        *(setting for setting in declared.settings if not setting.node),
        *declared.buttons,
        *OWN,
    ]
    for section, items in sections(offered).items():
        yield from _section(section, items)
    yield _added(TEXT, "status_line", "")
    for name, label in TEXTS.items():
        yield _added(TEXT, name, label, more='T " "')


def _section(title: str, items: list[Setting | Button]) -> Iterator[str]:
    yield _added(TEXT, f"{title.lower()}_line", title)
    first = True
    for item in items:
        if isinstance(item, Setting):
            yield from _setting(item)
        else:
            yield _button(item, first)
            first = False


def _node_tabs(declared: Declaration) -> Iterator[str]:
    """The knobs of the nodes, a tab for each node; the goal first: its knobs are used most."""
    knobs = [setting for setting in declared.settings if setting.node]
    knobs.sort(key=lambda setting: setting.node != declared.goal)
    for node, those in groupby(knobs, lambda setting: setting.node):
        yield _added(TAB, f"{node.lower()}_tab", node)
        for setting in those:
            yield from _setting(setting)


def _grade_tab() -> Iterator[str]:
    yield _added(TAB, "grade_tab", "Grade")
    for knob, label in GRADE.items():
        yield _added(LINK, f"face_{knob}", label, more=f"T face_grade.{knob}")


def _setting(setting: Setting) -> Iterator[str]:
    doc = " ".join(filter(None, (setting.doc, _allowed(setting))))
    kind = _kind(setting)
    yield _added(kind, setting.name, setting.label, doc, _more(setting, kind))
    if setting.default is not None and setting.name != "person" and kind != LINES:
        yield f" {setting.name} {_value(setting.default)}"


def _kind(setting: Setting) -> int:
    if setting.many:
        return LINES
    return ENUM if setting.choices or setting.name == "person" else KINDS[setting.kind]


def _allowed(setting: Setting) -> str:
    """The range in words: a slider does not keep anybody from typing another number."""
    if setting.many:
        return "One a line."
    if setting.min is None or setting.max is None:
        return ""
    return f"{setting.min:.9g} to {setting.max:.9g} {setting.unit}".rstrip() + "."


def _more(setting: Setting, kind: int) -> str:
    if kind == ENUM:
        return f"M {{{' '.join(setting.choices or ('everybody',))}}}"
    if kind == DOUBLE and setting.min is not None and setting.max is not None:
        return f"R {setting.min:g} {setting.max:g}"
    return "+STARTLINE" if kind == BOOL else ""


def _button(button: Button, first: bool) -> str:
    line = f"import lifemask_nuke.hosts.nuke.session as lifemask; lifemask.press('{button.name}')"
    place = "+STARTLINE" if first else "-STARTLINE"
    return _added(BUTTON, button.name, button.label, button.doc, f"T {quoted(line)} {place}")


def _added(kind: int, name: str, label: str, doc: str = "", more: str = "") -> str:
    """Return the line that adds a knob."""
    tip = f" t {quoted(doc)}" if doc else ""
    return f" addUserKnob {{{kind} {name} l {quoted(label)}{tip}{more and ' ' + more}}}"


def _value(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return quoted(default) if isinstance(default, str) else f"{default:.9g}"


if __name__ == "__main__":
    FILE.write_text(gizmo(declaration()), encoding="utf-8")
