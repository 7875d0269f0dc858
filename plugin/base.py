"""`lifemask base`, or `lifemask train --base`: what made the weights that ship with Lifemask."""

import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lifemask.nodes.train import Train
from lifemask.nodes.types import Model
from lifemask.plugin.command import Command, Result, add_knobs, given_knobs


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "pairs",
        type=Path,
        nargs="+",
        metavar="PAIRS",
        help="Folders of SHOT/PERSON: plates B with their perfect swaps A_on_B, and takes.",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="The model that is written."
    )
    parser.add_argument(
        "--facesets",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="Keeps tracks and facesets of the pairs, which are made once.",
    )
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="A model to go on from; else from nothing."
    )
    parser.add_argument(
        "--teachers",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="Models; what they answer on the whole is learned, and not the pairs' own truth.",
    )
    add_knobs(parser, Train)


def _run(args: Namespace) -> Result:
    from lifemask.nodes.refiner.pairs import learn

    folder = args.out.with_suffix("")
    start = Model(args.start) if args.start else None
    node = Train(**given_knobs(args))
    model = learn(node, args.pairs, args.facesets, start, folder, args.teachers)
    shutil.copyfile(model.path, args.out)
    return {"model": args.out, "preview": folder / "preview.png"}


COMMAND = Command(
    "base",
    "Train the base model from pairs whose perfect swap is known; `train --base` is the same.",
    "lifemask base twins/corpus --facesets twins/facesets --out base.safetensors "
    "--minutes 120 --rate 1",
    _arguments,
    _run,
)
