"""The people and hands of a shot's plate: their last tracks, and the names of facesets."""

from pathlib import Path

from lifemask.nodes.errors import FaceError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import is_hand
from lifemask.nodes.types import FaceTrack, HandTrack


def people_of(shot: Shot) -> dict[str, Path]:
    """Return the tracks of the people of the plate's last track, by name; empty without one."""
    return {name: path for name, path in shot.newest("track").items() if not is_hand(name)}


def hands_of(shot: Shot) -> dict[str, HandTrack]:
    """Return the hands of the plate's last track, by name; empty where there are none."""
    paths = shot.newest("track").items()
    return {name: HandTrack.load(path) for name, path in paths if is_hand(name)}


def double_name(shot: Shot, person: str) -> str:
    """Return the name of the double's own faceset, with ``person`` when the plate has several."""
    return "double" if len(people_of(shot)) == 1 else f"double_{person}"


def plate_tracks(shot: Shot) -> dict[str, FaceTrack]:
    """Return the people of the plate's last track; raises ShotError when there is none."""
    paths = people_of(shot)
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
