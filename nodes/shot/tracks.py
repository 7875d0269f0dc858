"""The people of a shot's plate: their last tracks, and the names of their facesets."""

from lifemask.nodes.errors import FaceError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.types import FaceTrack


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
