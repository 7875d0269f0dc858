"""`lifemask train`: tune the refiner to a shot."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from lifemask.nodes import archive
from lifemask.nodes.shot import Shot
from lifemask.nodes.train import BASE, MODEL, Train
from lifemask.nodes.types import Model
from lifemask.plugin.cast import add_cast, cast_of
from lifemask.plugin.command import (
    Command,
    Result,
    add_knobs,
    add_shot,
    add_version,
    given_knobs,
)

NAME = "refiner"
"""Of a shot's models: one serves everybody in it."""


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    add_cast(parser)
    add_version(parser)
    add_knobs(parser, Train)


def _run(args: Namespace) -> Result:
    shot = Shot.load(args.shot)
    cast = cast_of(shot, args.likeness)
    folder = _folder(shot, args)
    start = newest(shot, before=folder) or BASE
    model = shot.node(Train, **given_knobs(args))(cast, start, folder)
    return {"model": model.path, "preview": folder / "preview.png"}


def _folder(shot: Shot, args: Namespace) -> Path:
    """Return the folder of the training that goes on, or of a new one."""
    numbers = shot.versions("models", NAME)
    number = args.version or (numbers[-1] if numbers else 1)
    folder = shot.version("models", NAME, number)
    if not _finished(folder):
        return folder
    return shot.target("models", NAME, args.version, args.overwrite)


def _finished(folder: Path) -> bool:
    """Whether the training in ``folder`` had its time; one that never began has not."""
    if not (folder / MODEL).exists():
        return False
    _, about = archive.load(folder / MODEL, "model")
    return bool(about["trained"][-1]["finished"])


def newest(shot: Shot, before: Path | None = None) -> Model | None:
    """Return the model of the last training that came to one; None when there is none."""
    folders = [shot.version("models", NAME, number) for number in shot.versions("models", NAME)]
    paths = [folder / MODEL for folder in folders if before is None or folder < before]
    there = [Model(path) for path in paths if path.exists()]
    return there[-1] if there else None


COMMAND = Command(
    "train",
    "Tune the refiner to a shot; goes on where it was stopped.",
    "lifemask train sh010 --likeness ada --preset draft\n"
    "  lifemask train sh010 --likeness ada=p1 --likeness ben=p2 --preset standard --minutes 40",
    _arguments,
    _run,
    needs=("track", "faceset", "release add"),
)
