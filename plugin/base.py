"""`lifemask base`, or `lifemask train --base`: what made the weights that ship with Lifemask."""

import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lifemask.nodes.errors import KnobError
from lifemask.nodes.train import Train
from lifemask.plugin.command import Command, Result, add_knobs, given_knobs


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
    from lifemask.nodes.refiner.finisher import Finisher
    from lifemask.nodes.refiner.pairs import learn

    if not args.pairs and len(args.start) < 2:
        raise KnobError("pairs: name folders of renders, or several models to put together")
    start = Finisher.together([*map(Finisher.load, args.start)]) if args.start else None
    if start and not args.pairs:
        start.save(args.out)
        return {"model": args.out}
    folder = args.out.with_suffix("")
    model = learn(Train(**given_knobs(args)), args.pairs, args.facesets, start, folder)
    shutil.copyfile(model.path, args.out)
    return {"model": args.out, "preview": folder / "preview.png"}


COMMAND = Command(
    "base",
    "Train the base model from pairs whose perfect swap is known; `train --base` is the same.",
    "lifemask base twins/corpus --facesets twins/facesets --out base.safetensors "
    "--minutes 120 --rate 1\n"
    "  lifemask base --start one.safetensors --start other.safetensors --out base.safetensors",
    _arguments,
    _run,
)
