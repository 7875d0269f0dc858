"""The page of knobs: `python -m lifemask.plugin.packaging.knob_table` writes it from the nodes."""

from pathlib import Path

from lifemask.nodes import Knob, Node
from lifemask.plugin.commands.catalog import nodes

PAGE = Path("docs/knobs.md")
_HEAD = """\
# Knobs

Every knob is an option of its node's command: `lifemask track sh010 --samples 16`. Where a node
has a button in Nuke and Blender, its knobs are there too. `shot.toml` keeps a value for
[the whole shot](commands.md#keep-a-setting-for-the-whole-shot).

"Was" gives a knob's earlier name: flags, `shot.toml`, requests, Python, Nuke scripts and Blender
files that have it are read for one release, and a note gives the new name.
"""


def page() -> str:
    """Return the knobs of every node as Markdown, a table for each."""
    tables = [table(node) for node in nodes() if node.knobs()]
    return "\n".join([_HEAD, *tables])


def table(node: type[Node]) -> str:
    """Return the knobs of a node as Markdown, a row for each."""
    rows = [f"| `{k.name}` | {_allowed(k)} | {_default(k)} | {_about(k)} |\n" for k in node.knobs()]
    head = f"## {node.__name__}\n{node.summary()}\n\n| knob | values | default | |\n"
    return "".join([head, "|---|---|---|---|\n", *rows])


def _allowed(knob: Knob) -> str:
    if knob.choices or knob.kind not in (int, float):
        return ", ".join(knob.choices) or {bool: "on, off", str: "text"}.get(knob.kind, "a path")
    return f"{knob.min:g} to {knob.max:g} {knob.unit}".strip()


def _about(knob: Knob) -> str:
    return f"{knob.doc} Was `{knob.was}`." if knob.was else knob.doc


def _default(knob: Knob) -> str:
    return {True: "on", False: "off"}[knob.default] if knob.kind is bool else f"{knob.default}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
