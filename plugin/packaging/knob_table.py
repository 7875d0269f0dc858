"""The knobs in README.md: `python -m lifemask.plugin.packaging.knob_table` writes them."""

from pathlib import Path

from lifemask.nodes import Knob, Node

BEGIN, END = "<!-- knobs -->", "<!-- /knobs -->"


def updated(readme: str) -> str:
    """Return ``readme`` with the table of knobs as the nodes declare them."""
    head, rest = readme.split(BEGIN)
    _, tail = rest.split(END)
    tables = "\n\n".join(table(node) for node in Node.registry.values() if node.knobs())
    return f"{head}{BEGIN}\n{tables}\n{END}{tail}"


def table(node: type[Node]) -> str:
    """Return the knobs of a node as Markdown, a row for each."""
    rows = [f"| `{k.name}` | {_allowed(k)} | {k.default} | {k.doc} |" for k in node.knobs()]
    head = [f"### {node.__name__}", node.summary(), "", "| knob | values | default | |"]
    return "\n".join([*head, "|---|---|---|---|", *rows])


def _allowed(knob: Knob) -> str:
    if knob.choices or knob.kind not in (int, float):
        return ", ".join(knob.choices) or {bool: "on, off", str: "text"}.get(knob.kind, "a path")
    return f"{knob.min:g}..{knob.max:g} {knob.unit}".strip()


if __name__ == "__main__":
    path = Path("README.md")
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
