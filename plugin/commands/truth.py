"""`lifemask truth`: score a swap against the exact render of the perfect swap."""

from argparse import ArgumentParser, Namespace
from dataclasses import Field, asdict, fields
from pathlib import Path
from typing import Any

from lifemask.nodes.swap import frames_of
from lifemask.nodes.truth import Figures, GroundTruth, Truth
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.commands.command import Command, Result, add_frames, add_knobs, given_knobs
from lifemask.plugin.commands.shot_new import space_of


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("swap", metavar="SWAP", help="The result: its folder, or name.####.exr.")
    parser.add_argument(
        "--shot", type=Path, required=True, metavar="FOLDER", help="The folder of the renders."
    )
    parser.add_argument(
        "--plate", default="performer_b", metavar="NAME", help="The plate's render (performer_b)."
    )
    parser.add_argument(
        "--truth",
        default="performer_a_on_b",
        metavar="NAME",
        help="The perfect swap's render (performer_a_on_b).",
    )
    add_frames(parser)
    parser.add_argument(
        "--colorspace",
        default="",
        metavar="NAME",
        help="What the swap holds; else its header's word.",
    )
    add_knobs(parser, Truth)


def _run(args: Namespace) -> Result:
    ground = GroundTruth(args.shot / args.plate, args.shot / args.truth)
    sequence = _frames(args.swap, args.frames)
    swap = Footage(sequence, space_of(sequence, args.colorspace))
    truth = Truth(**given_knobs(args))
    figures = truth(swap, ground)
    if args.json:
        return {"figures": asdict(figures)}
    return {"text": table(figures, truth(untouched(ground, swap.frames), ground))}


def _frames(swap: str, frames: str) -> Sequence:
    made = frames_of(Path(swap)) if Path(swap).is_dir() else None
    return made if made and not frames else Sequence.find(made.path if made else swap, frames)


def untouched(ground: GroundTruth, frames: tuple[int, ...]) -> Footage:
    """Return the plate's render as if it were the swap: what the figures are with nothing done."""
    renders = Sequence(str(ground.plate / "beauty/beauty.####.exr"), frames)
    return Footage(renders, ground.colorspace)


def table(swap: Figures, plate: Figures) -> list[str]:
    """Return the figures of a swap beside those of the untouched plate and the perfect swap."""
    rows = [("", "plate", "swap", "perfect", "")]
    rows += [_row(f, plate, swap) for f in fields(Figures) if getattr(swap, f.name) is not None]
    return [f"{a:26}{b:>21}{c:>21}{d:>9}  {e}".rstrip() for a, b, c, d, e in rows]


def _row(field: Field[Any], plate: Figures, swap: Figures) -> tuple[str, str, str, str, str]:
    perfect = field.metadata["perfect"]
    numbers = [_number(getattr(figures, field.name)) for figures in (plate, swap)]
    goal = "" if perfect is None else f"{perfect:g}"
    return field.name, numbers[0], numbers[1], goal, field.metadata["doc"]


def _number(value: float | tuple[float, ...] | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return " ".join(f"{part:.3f}" for part in value)
    return str(value) if isinstance(value, int) else f"{value:.4f}"


COMMAND = Command(
    "truth",
    "Score a swap against the exact render of the perfect swap.",
    "lifemask truth sh010/swaps/ada_v001 --shot footage/a1_dialogue "
    "--plate performer_b --truth performer_a_on_b",
    _arguments,
    _run,
)
