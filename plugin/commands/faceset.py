"""`lifemask faceset`: collect one performer's faces, from takes or from the plate itself."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from lifemask.nodes.errors import FaceError, KnobError, Remedy
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import check_performer
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.frame_ranges import named_range
from lifemask.ocio.media.source import FrameSource
from lifemask.plugin.commands.command import (
    Command,
    Result,
    add_knobs,
    add_shot,
    add_version,
    given_knobs,
)
from lifemask.plugin.commands.shot_new import add_layer, space_of, tell_layer
from lifemask.plugin.commands.takes import find_takes
from lifemask.plugin.reports.coverage_report import report


def double_name(shot: Shot, person: str) -> str:
    """Return the name of the double's own faceset, with ``person`` when the plate has several."""
    return "double" if len(shot.newest("track")) == 1 else f"double_{person}"


def plate_tracks(shot: Shot) -> dict[str, FaceTrack]:
    """Return the people of the plate's last track; raises ShotError when there is none."""
    paths = shot.newest("track")
    if not paths:
        shot.latest("track", "plate")
    return {person: FaceTrack.load(path) for person, path in paths.items()}


def chosen(tracks: dict[str, FaceTrack], person: str, where: str) -> FaceTrack:
    """Return the track of ``person``, or the only one; raises FaceError when nobody is meant."""
    there = ", ".join(tracks)
    if person and person not in tracks:
        raise FaceError(f"{where}: {person} is not in the track; there: {there}")
    if not person and len(tracks) != 1:
        raise FaceError(f"{where}: several people ({there}); name one of them")
    return tracks[person or next(iter(tracks))]


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    parser.add_argument(
        "takes",
        nargs="*",
        metavar="TAKE",
        help="ada.####.exr, a movie, a folder, a pattern, a photo.",
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--performer", metavar="NAME", help="Whose faces these are: the likeness.")
    whose.add_argument("--double", action="store_true", help="The double's, from plate and track.")
    parser.add_argument(
        "--double-is",
        default="",
        metavar="NAME",
        help="Who the double is, when there is a faceset of them in other lights, too.",
    )
    parser.add_argument(
        "--person", default="", metavar="NAME", help="Whom the track means, of several."
    )
    parser.add_argument(
        "--colorspace",
        default="",
        metavar="NAME",
        help="What the takes hold; else their header's word.",
    )
    add_layer(parser)
    add_version(parser)
    add_knobs(parser, Faceset)


def _run(args: Namespace) -> Result:
    if bool(args.takes) is args.double:
        raise KnobError(
            "takes: a performer needs takes, the double has none", Remedy("whose_takes")
        )
    if args.double_is and not args.double:
        raise KnobError("double_is: is for the double's own faceset", Remedy("whose_double"))
    if args.layer and args.double:
        raise KnobError("layer: is for takes; that of the plate is plate.layer in shot.toml")
    shot = Shot.load(args.shot)
    name = _double(shot, args) if args.double else check_performer(args.performer, "performer")
    folder = shot.target("facesets", name, args.version, args.overwrite)
    knobs = {"every_frame": True, **given_knobs(args)} if args.double else given_knobs(args)
    node = shot.node(Faceset, **knobs)
    takes, tracks = _from_plate(shot, args) if args.double else _from_takes(shot, args, node.single)
    faceset = node(takes, tracks, name, folder, _other(shot, args.double_is))
    if not args.double:
        shot.with_performer(name)
    doubles = [double_name(shot, person) for person in shot.newest("track")]
    likenesses = [one for one in shot.performers if one != args.double_is]
    advice = report(shot, likenesses if args.double else [name], doubles)
    result = {"faceset": folder, "faces": len(faceset), "left out": _left_out(faceset)}
    return {**result, "advice": advice} if advice else result


def _other(shot: Shot, name: str) -> FaceSet | None:
    """Return the faceset of ``name``, of whom the plate has more; None of nobody."""
    if not name:
        return None
    return FaceSet.load(shot.latest("facesets", check_performer(name, "double-is")))


def _left_out(faceset: FaceSet) -> str:
    reasons = [f"{count} {reason}" for reason, count in faceset.dropped.items() if count]
    return ", ".join(reasons) or "none"


def _double(shot: Shot, args: Namespace) -> str:
    return double_name(shot, chosen(plate_tracks(shot), args.person, "--person").person)


def _from_plate(shot: Shot, args: Namespace) -> tuple[list[FrameSource], list[FaceTrack]]:
    track = chosen(plate_tracks(shot), args.person, "--person")
    return [shot.plate_of(named_range(track.frames.tolist()))], [track]


def _from_takes(
    shot: Shot, args: Namespace, single: bool
) -> tuple[list[FrameSource], list[FaceTrack]]:
    found = [replace(take, layer=args.layer) for take in find_takes(args.takes, single)]
    for take in found:
        if take.doubt:
            note("faceset", f"{take.path}: {take.doubt}")
        tell_layer("faceset", take)
    takes: list[FrameSource] = [Footage(take, space_of(take, args.colorspace)) for take in found]
    track = shot.node(Track)
    return takes, [_likeness(take, track(take), args.person) for take in takes]


def _likeness(take: FrameSource, tracks: list[FaceTrack], person: str) -> FaceTrack:
    """Return whom the take is about: ``person``, or whose face is the largest."""
    if person:
        return chosen({track.person: track for track in tracks}, person, take.name)
    if len(tracks) > 1:
        name = Path(take.name).name
        note("faceset", f"{name}: {len(tracks)} people; taking the largest", Remedy("name_person"))
    return tracks[0]


COMMAND = Command(
    "faceset",
    "Collect one performer's faces, from takes or from the plate itself.",
    "lifemask faceset sh010 --performer ada takes/ada_*/*.####.exr\n"
    "  lifemask faceset sh010 --performer ada ada.jpg --single\n"
    "  lifemask faceset sh010 --performer ada renders/ada.####.exr --layer beauty\n"
    "  lifemask faceset sh010 --double\n"
    "  lifemask faceset sh010 --double --double-is ben    # of whom there is a faceset, too",
    _arguments,
    _run,
    needs=("track",),
)
