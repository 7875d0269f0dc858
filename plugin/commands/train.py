"""`lifemask train`: tune the refiner to a shot."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError, Remedy
from lifemask.nodes.learning import MODEL
from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.train import BASE, Train
from lifemask.nodes.types import Model
from lifemask.plugin.commands.command import (
    Command,
    Result,
    add_knobs,
    add_shot,
    add_version,
    given_knobs,
)
from lifemask.plugin.commands.roles import add_cast, cast_of

NAME = "refiner"
"""Of a shot's models: one serves everybody in it."""


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    add_cast(parser)
    parser.add_argument(
        "--pairs",
        type=Path,
        action="append",
        metavar="PAIRS",
        help="Renders whose perfect swap is known, to be learned along: SHOT/B and SHOT/A_on_B.",
    )
    parser.add_argument(
        "--facesets", type=Path, metavar="FOLDER", help="Keeps the facesets of the pairs."
    )
    add_version(parser)
    add_knobs(parser, Train)


def _run(args: Namespace) -> Result:
    shot = Shot.load(args.shot)
    cast = cast_of(shot, args.likeness)
    number, anew = _version(shot, args)
    folder = shot.version("models", NAME, number)
    start = newest(shot, before=number) or BASE
    node = shot.node(Train, **given_knobs(args))
    model = node(cast, start, folder, anew, args.pairs, args.facesets)
    return {"model": model.path, "preview": folder / "preview.png"}


def _version(shot: Shot, args: Namespace) -> tuple[int, bool]:
    """Return the version of the training that goes on, or of a new one; whether it begins anew.

    One that was stopped goes on by the command that began it, be that with ``--overwrite``.
    """
    numbers = shot.versions("models", NAME)
    number: int = (numbers[-1] if numbers else 1) if args.version is None else args.version
    replaced = args.overwrite and args.version is not None
    try:
        if not over(shot.version("models", NAME, number), replaced):
            return number, False
    except BrokenFileError as error:
        raise BrokenFileError(str(error), Remedy("train_anew", {"version": str(number)})) from error
    shot.target("models", NAME, args.version, args.overwrite)
    return args.version or number + 1, replaced


def over(folder: Path, replaced: bool = False) -> bool:
    """Whether the training in ``folder`` had its time; one that never began has not.

    Raises BrokenFileError when its model cannot be read, unless that is to be ``replaced``.
    """
    path = folder / MODEL
    if not path.exists():
        return False
    try:
        _, about = archive.load(path, "model")
        return bool(about["trained"][-1]["finished"])
    except (BrokenFileError, KeyError, IndexError, TypeError) as error:
        if replaced:
            return True
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"{path}: does not tell of its training ({error!r})") from error


def newest(shot: Shot, before: int | None = None) -> Model | None:
    """Return the model of the last version, ``before`` one if told; None when there is none."""
    numbers = shot.versions("models", NAME)
    earlier = [number for number in numbers if before is None or number < before]
    for number in reversed(earlier):
        path = shot.version("models", NAME, number) / MODEL
        if path.exists():
            return Model(path)
        note("train", f"{path.parent.name} has no model yet: an earlier one serves")
    return None


COMMAND = Command(
    "train",
    "Tune the refiner to a shot; goes on where it was stopped.",
    "lifemask train sh010 --likeness ada --preset draft\n"
    "  lifemask train sh010 --likeness ada=p1 --likeness ben=p2 --preset standard --minutes 40\n"
    "  lifemask train sh010 --likeness ada --pairs twins/corpus --facesets twins/facesets",
    _arguments,
    _run,
    needs=("track", "faceset", "release add"),
)
