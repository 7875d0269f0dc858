"""`lifemask shot new`: make the folder of a shot from its plate."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lifemask.nodes.errors import ColorError, KnobError, Remedy
from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.ocio.media.frame_ranges import named_range
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.commands.command import Command, Result, add_shot


def add_layer(parser: ArgumentParser) -> None:
    """Add the choice of the layer that is the picture."""
    parser.add_argument(
        "--layer",
        default="",
        metavar="NAME",
        help="The layer or part of an EXR that is the picture, where its name does not tell.",
    )


def tell_layer(task: str, sequence: Sequence) -> None:
    """Say which layer is read where a file has more than a plain picture; errors as in `read`."""
    from lifemask.ocio.media.reader import layer_read

    said, remedy = layer_read(sequence)
    if said:
        note(task, said, remedy)


def space_of(sequence: Sequence, named: str) -> str:
    """Return the colour space that is ``named``, else what the file's header names.

    Raises ColorError when it is unknown, cannot be converted, or when nobody names one.
    """
    from lifemask.ocio.colour.tags import tagged_space
    from lifemask.ocio.colour.transform import check_space, is_identified

    space = named or tagged_space(sequence)
    if not space:
        raise ColorError(
            f"{sequence.path}: no colour space in the header", Remedy("name_colorspace")
        )
    if not is_identified(space):
        note(
            "colour",
            f"OCIO: {os.environ['OCIO']} says of its linear space neither by a role nor by a name "
            "what it is; taken for Rec.709. Name it with the role aces_interchange",
        )
    return check_space(space)


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    parser.add_argument(
        "--plate", required=True, metavar="FILES", help="plate.####.exr, or a movie."
    )
    parser.add_argument(
        "--colorspace",
        default="",
        metavar="NAME",
        help="What the file holds; else its header's word.",
    )
    add_layer(parser)
    parser.add_argument(
        "--fps", type=float, metavar="RATE", help="Frames a second; else the header's."
    )
    parser.add_argument(
        "--frames", default="", metavar="RANGE", help="1001-1096, or 1001-1096x2; all by default."
    )
    parser.add_argument(
        "--project", default="", help="The production; else that of the first release."
    )


def _run(args: Namespace) -> Result:
    from lifemask.ocio.media.reader import check_readable

    sequence = Sequence.find(args.plate, args.frames, args.layer)
    check_readable(sequence)
    space = space_of(sequence, args.colorspace)
    rate = args.fps
    if rate is None:
        rate = float(sequence.fps or _header_rate(sequence))
    for doubt in filter(None, (sequence.doubt, _unsteady(sequence, rate))):
        note("shot new", f"{sequence.path}: {doubt}")
    frames = named_range(sequence.frames)
    shot = Shot.new(Path(args.shot), args.plate, space, rate, frames, args.project, args.layer)
    tell_layer("shot new", sequence)
    return {"shot": shot.file, "frames": shot.frames, "colorspace": space, "fps": rate}


def _unsteady(sequence: Sequence, fps: float) -> str:
    if not (sequence.rate and sequence.rate.varies):
        return ""
    mean = float(sequence.rate.fps)
    return f"its frame rate varies, {mean:.4g} a second in the mean; {fps:.4g} is written down"


def _header_rate(sequence: Sequence) -> float:
    from lifemask.ocio.media.reader import read

    rate = read(sequence, sequence.frames[0]).header.get("framesPerSecond")
    if rate is None:
        raise KnobError("fps: the plate's header names no frame rate", Remedy("name_fps"))
    numerator, denominator = getattr(rate, "n", rate), getattr(rate, "d", 1)
    return float(numerator) / float(denominator)


NEW = Command(
    "shot new",
    "Make the folder of a shot from its plate.",
    "lifemask shot new sh010 --plate plates/sh010.####.exr --colorspace ACEScg --fps 24\n"
    "  lifemask shot new sh010 --plate renders/sh010.####.exr --layer beauty --fps 24",
    _arguments,
    _run,
)
