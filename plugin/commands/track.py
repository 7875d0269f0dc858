"""`lifemask track`: follow each face through the plate."""

from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from lifemask.nodes.errors import Remedy, VersionExistsError, WriteError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import check_version
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.system.atomic import one_at_a_time
from lifemask.plugin.commands.command import (
    Command,
    Result,
    add_frames,
    add_knobs,
    add_shot,
    add_version,
    given_knobs,
)


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    add_frames(parser)
    add_version(parser)
    add_knobs(parser, Track)


def _run(args: Namespace) -> Result:
    shot = Shot.load(args.shot)
    _version(shot, args.version, args.overwrite)  # refused before the work
    tracks = shot.node(Track, **given_knobs(args))(shot.plate_of(args.frames))
    paths = _save(shot, tracks, args)
    return {"track": paths, "text": [_summary(track) for track in tracks]}


def _save(shot: Shot, tracks: list[FaceTrack], args: Namespace) -> list[Path]:
    """Write the ``tracks`` under one number that no other run takes meanwhile; return the files."""
    with one_at_a_time(shot.folder / "track"):
        number = _version(shot, args.version, args.overwrite)
        paths = {track.person: shot.version("track", track.person, number) for track in tracks}
        try:
            for track in tracks:
                track.save(paths[track.person])
        except WriteError:
            # People of one run belong together: some of them would count as all.
            for path in () if args.overwrite else paths.values():
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        for name in set(shot.names("track")) - set(paths):
            shot.version("track", name, number).unlink(missing_ok=True)
    return list(paths.values())


def _version(shot: Shot, number: int | None, overwrite: bool) -> int:
    """Return the number that all people of this run share."""
    known = {n for name in shot.names("track") for n in shot.versions("track", name)}
    if number in known and not overwrite:
        raise VersionExistsError(
            f"{shot.folder}/track: v{number:03d} is there already", Remedy("replace_version")
        )
    return max(known, default=0) + 1 if number is None else check_version(number)


def _summary(track: FaceTrack) -> str:
    seen = int((track.confidence > 0).sum())
    return f"{track.person} is seen in {seen} of {len(track.frames)} frames"


COMMAND = Command(
    "track",
    "Follow each face through the plate.",
    "lifemask track sh010",
    _arguments,
    _run,
    needs=("shot new",),
)
