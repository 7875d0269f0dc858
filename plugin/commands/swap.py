"""`lifemask swap`: put the likeness's face on the double."""

from argparse import ArgumentParser, Namespace

from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap import Swap, write_swap
from lifemask.nodes.train import BASE
from lifemask.plugin.commands.command import (
    Command,
    Result,
    add_frames,
    add_knobs,
    add_shot,
    add_version,
    given_knobs,
)
from lifemask.plugin.commands.roles import add_cast, cast_of
from lifemask.plugin.commands.train import newest


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    add_cast(parser)
    parser.add_argument(
        "--no-model",
        action="store_true",
        help="The bare render, no network.",
    )
    add_frames(parser, "With --version N --overwrite the other frames stay.")
    add_version(parser)
    add_knobs(parser, Swap)


def _run(args: Namespace) -> Result:
    shot = Shot.load(args.shot)
    cast = cast_of(shot, args.likeness)
    model = None if args.no_model else newest(shot) or BASE
    name = "_".join(dict.fromkeys(role.likeness.performer for role in cast))
    node, plate = shot.node(Swap, **given_knobs(args)), shot.plate_of(args.frames)
    folder = shot.claimed("swaps", name, args.version, args.overwrite)
    name = f"{shot.name}_{folder.name}"
    written = write_swap(node, plate, cast, folder, name, not args.frames, model)
    return {"swap": folder, "frames": len(written), "model": model.path if model else "none"}


COMMAND = Command(
    "swap",
    "Put the likeness's face on the double.",
    "lifemask swap sh010 --likeness ada --frames 1001-1040\n"
    "  lifemask swap sh010 --likeness ada=p1 --likeness ben=p2",
    _arguments,
    _run,
    needs=("release add", "track", "faceset"),
)
