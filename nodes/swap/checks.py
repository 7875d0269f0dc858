"""Checks of what a swap is made from, before the long work."""

from datetime import date
from typing import TYPE_CHECKING

from lifemask.nodes.errors import FaceError, MissingFramesError, Remedy, SizeError
from lifemask.nodes.types import FaceTrack, Model
from lifemask.ocio.media.frame_ranges import named_range
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from lifemask.nodes.swap import Role


def check_inputs(plate: FrameSource, cast: "list[Role]", model: Model | None = None) -> None:
    """Raise what `Swap` raises when the ``plate`` cannot be swapped with the ``cast``.

    Raises BrokenFileError when the ``model`` cannot be read: planning takes longer than reading it.
    """
    for role in cast:
        role.check(date.today())
        check_tracked(plate, role.track)
        check_subject(plate, role)
    check_size(plate, cast)
    if model:
        from lifemask.nodes.refiner.model import loaded

        loaded(model.path)


def check_tracked(plate: FrameSource, track: FaceTrack) -> None:
    """Raise MissingFramesError unless somebody looked for the face in all frames."""
    frames = set(plate.frames)
    tracked = track.frames.tolist()
    missing = sorted(frames - set(tracked))
    if missing:
        raise MissingFramesError(
            f"{plate.name}: {track.person} was not tracked in frames "
            f"{named_range(missing)}, only in {named_range(tracked)}",
            Remedy("track_or_swap_fewer"),
        )


def check_subject(plate: FrameSource, role: "Role") -> None:
    """Raise FaceError unless the subject's faces are those of the track: it may be a newer one."""
    import numpy as np

    track, faces = role.track, role.subject.posed
    seen = np.isin(track.frames, plate.frames) & (track.confidence > 0)
    lacking = seen & ~np.isin(track.frames, faces.frame)
    newer, again = "the track is newer", Remedy("double_again")
    if lacking.any():
        frames = named_range(track.frames[lacking].tolist())
        raise FaceError(f"{role.subject.source}: has no faces of frames {frames}: {newer}", again)
    _, ours, theirs = np.intersect1d(track.frames[seen], faces.frame, return_indices=True)
    tracked, known = track.landmarks[seen][ours, :, :2], faces.landmarks[theirs, :, :2]
    apart = np.linalg.norm(tracked.mean(1) - known.mean(1), axis=-1)
    if (apart > np.ptp(tracked[..., 0], axis=1) / 2).any():
        other = f"{role.subject.source}: is of somebody else than {track.person}: {newer}"
        raise FaceError(other, again)


def check_consent(cast: "list[Role]") -> None:
    """Raise ReleaseError unless the consent of every likeness holds here and today."""
    for role in cast:
        role.check(date.today())


def check_size(plate: FrameSource, cast: "list[Role]") -> None:
    """Raise SizeError unless all frames have the size at which everybody was tracked."""
    width, height = plate.size()
    for track in (role.track for role in cast):
        if (width, height) != (track.camera.width, track.camera.height):
            raise SizeError(
                f"{plate.name}: is {width}x{height}, {track.person} was tracked at "
                f"{track.camera.width}x{track.camera.height}",
                Remedy("track_again"),
            )
