"""What a sub-command is, and the options that several of them share."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifemask.nodes import Knob, Node

Result = Mapping[str, Any]
"""What a command made: by word, a path, a list of paths, or a value that JSON can hold."""


@dataclass(frozen=True)
class Command:
    """One sub-command: ``name`` may be two words; ``example`` ends its help.

    ``needs`` are the commands that come first on a shot. A ``query`` only reads, and at once.
    """

    name: str
    help: str
    example: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], Result]
    needs: tuple[str, ...] = ()
    query: bool = False


def add_shot(parser: ArgumentParser) -> None:
    """Add the shot's folder."""
    parser.add_argument("shot", type=Path, metavar="SHOT", help="The shot's folder.")


def add_frames(parser: ArgumentParser, more: str = "") -> None:
    """Add the choice of frames, with ``more`` to its help."""
    words = f"Such as 1001-1040 or 1001-1096x2; else all. {more}".rstrip()
    parser.add_argument("--frames", default="", metavar="RANGE", help=words)


def add_version(parser: ArgumentParser) -> None:
    """Add the choice of the version that is written."""
    parser.add_argument(
        "--version", type=int, metavar="N", help="Number of the version; the next one by default."
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="Replace the version when it is there already."
    )


def add_knobs(parser: ArgumentParser, node: type[Node]) -> None:
    """Add the knobs of ``node``; one that is not given keeps the shot's, or the declared, value."""
    group = parser.add_argument_group(f"knobs of {node.__name__}")
    for knob in node.knobs():
        group.add_argument(_flag(knob), dest=f"knob_{knob.name}", help=_help(knob), **_form(knob))


def given_knobs(args: Namespace) -> dict[str, Any]:
    """Return the knobs that were given on the command line."""
    given = {name: value for name, value in vars(args).items() if name.startswith("knob_")}
    return {name[5:]: value for name, value in given.items() if value is not None}


def _flag(knob: Knob) -> str:
    return "--" + knob.name.replace("_", "-")


def _form(knob: Knob) -> dict[str, Any]:
    if knob.kind is bool:
        return {"action": BooleanOptionalAction}
    if knob.choices:
        return {"choices": knob.choices}
    return {"type": knob.kind, "metavar": knob.unit.upper().replace("%", "PERCENT") or "VALUE"}


def _help(knob: Knob) -> str:
    bounded = knob.kind in (int, float) and knob.max < float("inf")
    span = f", {knob.min:g}..{knob.max:g}" if bounded else ""
    return f"{knob.doc} (default {knob.default}{span})".replace("%", "%%")
