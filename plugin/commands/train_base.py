"""`lifemask base`, or `lifemask train --base`: what made the weights that ship with Lifemask."""

import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError, KnobError, VersionExistsError
from lifemask.nodes.learning import MODEL
from lifemask.nodes.train import Train
from lifemask.ocio.system.atomic import replacing
from lifemask.plugin.commands.command import Command, Result, add_knobs, given_knobs
from lifemask.plugin.commands.train import over

_PROGRESS = ("steps", "minutes", "finished")
"""What changes in a model's own account of its training while that goes on."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "pairs",
        type=Path,
        nargs="*",
        metavar="PAIRS",
        help="Folders of SHOT/PERSON: plates B with their perfect swaps A_on_B, and takes. "
        "Without any, nothing is learned, and several models are put together.",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="The model that is written."
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="Replace the model when it is there already, and train it anew when it had its time; "
        "a training that was stopped, or gets more time, goes on.",
    )
    parser.add_argument(
        "--facesets",
        type=Path,
        metavar="FOLDER",
        help="Keeps tracks and facesets of the pairs, which are made once.",
    )
    parser.add_argument(
        "--start",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="A model to go on from; several answer together from then on. Else from nothing.",
    )
    add_knobs(parser, Train)


def _run(args: Namespace) -> Result:
    from lifemask.nodes.refiner.model import RefinerModel
    from lifemask.nodes.train.base import train_base

    if not args.pairs and len(args.start) < 2:
        raise KnobError("pairs: name folders of renders, or several models to put together")
    folder = _folder(args)
    start = RefinerModel.together([*map(RefinerModel.load, args.start)]) if args.start else None
    if start and not args.pairs:
        start.save(args.out)
        return {"model": args.out}
    node = Train(**given_knobs(args))
    restart = args.overwrite and over(folder, replaced=True)
    model = train_base(node, args.pairs, args.facesets, start, folder, restart)
    with replacing(args.out) as temporary:
        shutil.copyfile(model.path, temporary)
    return {"model": args.out, "preview": folder / "preview.png"}


def _folder(args: Namespace) -> Path:
    """Return the folder that keeps the training of the model ``--out``.

    Raises KnobError when there can be no such file or folder, VersionExistsError when the file is
    there, is not from the training that goes on, and nobody said to overwrite it.
    """
    out: Path = args.out
    if out.is_dir() or not out.suffix:
        raise KnobError(f"out: {out} is no file's name; name the model, as in base.safetensors")
    folder = out.with_suffix("")
    for place in [*out.parents, *([folder] if args.pairs else [])]:
        if place.exists() and not place.is_dir():
            raise KnobError(f"out: {place} is a file, and has to be a folder for {out}")
    goes_on = args.pairs and _of_one_training(out, folder / MODEL)
    if out.exists() and not args.overwrite and not goes_on:
        raise VersionExistsError(f"{out}: is there already; --overwrite replaces it")
    return folder


def _of_one_training(*models: Path) -> bool:
    """Whether all are models that one training came to, some earlier than others."""
    try:
        runs = [archive.load(path, "model")[1]["trained"][-1] for path in models]
        told = [{key: run[key] for key in run if key not in _PROGRESS} for run in runs]
    except (BrokenFileError, LookupError, TypeError):
        return False
    return all(one == told[0] for one in told)


COMMAND = Command(
    "base",
    "Train the base model from pairs whose perfect swap is known; `train --base` is the same.",
    "lifemask base twins/corpus --facesets twins/facesets --out base.safetensors "
    "--minutes 120 --rate 1\n"
    "  lifemask base --start one.safetensors --start other.safetensors --out base.safetensors",
    _arguments,
    _run,
)
