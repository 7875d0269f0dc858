"""`lifemask swap`: put the likeness's face on the double."""

from argparse import ArgumentParser, Namespace

from lifemask.nodes.errors import KnobError
from lifemask.nodes.face_set import FaceSet
from lifemask.nodes.release import Release
from lifemask.nodes.shot import Shot, check_name
from lifemask.nodes.swap import Role, Swap, write_swap
from lifemask.nodes.types import FaceTrack
from lifemask.plugin.command import (
    Command,
    Result,
    add_frames,
    add_knobs,
    add_shot,
    add_version,
    given_knobs,
)
from lifemask.plugin.faceset import chosen, double_name, plate_tracks
from lifemask.plugin.release import consent


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    parser.add_argument(
        "--likeness",
        action="append",
        required=True,
        metavar="NAME[=PERSON]",
        help="Whose face goes in, and on whom; once for each person of the plate.",
    )
    add_frames(parser, "With --overwrite the other frames stay.")
    add_version(parser)
    add_knobs(parser, Swap)


def _run(args: Namespace) -> Result:
    shot = Shot.load(args.shot)
    names = _cast(args.likeness)
    releases = {likeness: consent(shot, likeness) for likeness, _ in names}
    tracks = plate_tracks(shot)
    cast = [_role(shot, tracks, releases[likeness], person) for likeness, person in names]
    folder = shot.target("swaps", "_".join(releases), args.version, args.overwrite)
    node = shot.node(Swap, **given_knobs(args))
    name = f"{shot.name}_{folder.name}"
    written = write_swap(node, shot.plate_of(args.frames), cast, folder, name, not args.frames)
    return {"swap": folder, "frames": len(written)}


def _cast(words: list[str]) -> list[tuple[str, str]]:
    """Return likeness and person of each NAME or NAME=PERSON."""
    pairs = [
        (check_name(name, "--likeness"), who) for name, _, who in (w.partition("=") for w in words)
    ]
    people = [person for _, person in pairs]
    if len(set(people)) < len(people):
        raise KnobError("likeness: two faces for one person; name each person, as in ada=p1")
    return pairs


def _role(shot: Shot, tracks: dict[str, FaceTrack], release: Release, person: str) -> Role:
    track = chosen(tracks, person, f"--likeness {release.performer}")
    return Role(
        track=track,
        likeness=FaceSet.load(shot.latest("facesets", release.performer)),
        double=FaceSet.load(shot.latest("facesets", double_name(shot, track.person))),
        release=release,
        project=shot.project,
    )


COMMAND = Command(
    "swap",
    "Put the likeness's face on the double.",
    "lifemask swap sh010 --likeness ada --frames 1001-1040\n"
    "  lifemask swap sh010 --likeness ada=p1 --likeness ben=p2",
    _arguments,
    _run,
    needs=("release add", "track", "faceset"),
)
