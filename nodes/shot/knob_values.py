"""The knobs in ``shot.toml``: a table for each node, under current or earlier names."""

import re
from pathlib import Path
from typing import Any

from lifemask.nodes.declaration import Node
from lifemask.nodes.errors import KnobError, ShotError
from lifemask.nodes.progress import note
from lifemask.nodes.shot.keys import near


def snake(name: str) -> str:
    """Return a node's name in files and commands.

    >>> snake("MatteEdge")
    'matte_edge'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def check_knobs(file: Path, node: str, values: object) -> None:
    """Raise ShotError or KnobError unless ``values`` are those of knobs of a ``node``."""
    nodes = _nodes()
    if node not in nodes or not isinstance(values, dict):
        raise ShotError(f"{file}: [knobs.{node}] is not the table of a node{near(node, nodes)}")
    knobs = {knob.name: knob for knob in nodes[node].knobs()}
    for name, value in values.items():
        if name not in knobs:
            raise ShotError(f"{file}: knobs.{node}.{name} is no knob{near(name, knobs)}")
        try:
            knobs[name].check(value)
        except KnobError as error:
            raise KnobError(f"{file}: knobs.{node}.{error}") from error


def renamed(file: Path, node: str, values: Any) -> Any:  # noqa: ANN401
    """Return a node's table under current names; a note names each old one in the file.

    What is no table of a node comes back as it is: `check_knobs` refuses it.
    """
    if node not in _nodes() or not isinstance(values, dict):
        return values
    place = f"{file}: knobs.{node}."
    try:
        return _nodes()[node].renamed(values, lambda text: note("shot", f"{place}{text}"))
    except KnobError as error:
        raise KnobError(f"{place}{error}") from error


def old_keys() -> dict[tuple[str, ...], str]:
    """Return the current name of each key that has changed, by its place in the file."""
    knobs = [(node, knob) for node, kind in _nodes().items() for knob in kind.knobs() if knob.was]
    return {("knobs", node, knob.was): knob.name for node, knob in knobs}


def _nodes() -> dict[str, type[Node]]:
    return {snake(name): node for name, node in Node.registry.items()}
