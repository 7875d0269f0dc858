"""Swap: the likeness's face on the double, composited into the plate."""

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from os.path import abspath, realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.errors import (
    BrokenFileError,
    FaceError,
    MissingFramesError,
    ReleaseError,
    Remedy,
    ShotError,
    SizeError,
    WriteError,
)
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.shot.release import Release
from lifemask.nodes.types import FaceTrack, Model, Plate
from lifemask.ocio.media.frame_ranges import named_range
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.atomic import sweep

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Role:
    """Who goes on whom: the ``likeness`` on the person of ``track``.

    ``double`` has that person's own faces, ``release`` is the likeness's consent, and ``project``
    the one that the shot belongs to.
    """

    track: FaceTrack
    likeness: FaceSet
    double: FaceSet
    release: Release
    project: str

    def check(self, today: date) -> None:
        """Raise ReleaseError unless the likeness's consent holds here and today."""
        if self.release.performer != self.likeness.performer:
            raise ReleaseError(
                f"the release is {self.release.performer}'s, the faces {self.likeness.performer}'s"
            )
        self.release.check(self.project, today)


@dataclass(frozen=True)
class SwapFrame:
    """One frame of the result: ``channels`` (H, W) by name, as they are stored, and the header."""

    number: int
    channels: "dict[str, NDArray[np.floating[Any]]]"
    header: dict[str, Any]


class Swap(Node):
    """Put a likeness's face on the double, in the plate's light, behind what is in front of it.

    Gives the composite, the generated pixels alone, the uncomposited picture, face matte,
    occluders, confidence and ST map. Outside of the matte the plate is returned bit for bit; a
    frame without a face is the plate.
    """

    scale: Annotated[float, Knob("Size of the face about its middle.", 0.5, 2)] = 1.0
    turn: Annotated[float, Knob("Turn of the face, clockwise.", -45, 45, "deg")] = 0.0
    move_x: Annotated[float, Knob("Move of the face to the right.", -50, 50, "% of it")] = 0.0
    move_y: Annotated[float, Knob("Move of the face down.", -50, 50, "% of it")] = 0.0
    exposure: Annotated[float, Knob("Grade of the face.", -10, 10, "stops")] = 0.0
    edge: Annotated[
        float, Knob("Width in which light is blended at the matte's edge.", 0, 50, "% of it")
    ] = 6.0
    erode: Annotated[
        float, Knob("Move the matte's edge inward; below 0 out.", -20, 20, "% of it")
    ] = 0.0
    mouth: Annotated[
        float, Knob("How far the double's mouth stays where no take has one like it.", 0, 1)
    ] = 1.0
    occluders: Annotated[
        float, Knob("How readily something counts as in front; 0 is never.", 0, 4)
    ] = 1.0
    shutter: Annotated[
        float,
        Knob(
            "How long the shutter of plate and takes is open; 0 adds no motion blur.", 0, 360, "deg"
        ),
    ] = 180.0
    refine: Annotated[
        float,
        Knob("Share of the model's changes: more for the plate's light, less for the takes.", 0, 1),
    ] = 0.75

    def __call__(
        self, plate: Plate, cast: list[Role], model: Model | None = None
    ) -> Iterator[SwapFrame]:
        """Yield the frames of the swap, finished by ``model``; without one the bare render.

        Memory does not depend on how many there are.

        Raises ReleaseError without a valid release for every likeness of the ``cast``,
        MissingFramesError when frames were not tracked, FaceError when the double's faces are not
        those of the track, SizeError when frames differ in size, or from the ones that were
        tracked.
        """
        for role in cast:
            role.check(date.today())
            check_tracked(plate, role.track)
            check_double(plate, role)
        check_size(plate, cast)
        from lifemask.nodes.swap.frames import Swapping

        return Swapping(self, plate, cast, model).frames()


def check_tracked(plate: Plate, track: FaceTrack) -> None:
    """Raise MissingFramesError unless somebody looked for the face in all frames."""
    frames = set(plate.sequence.frames)
    missing, there = sorted(frames - set(track.frames.tolist())), track.frames.tolist()
    if missing:
        raise MissingFramesError(
            f"{plate.sequence.path}: {track.person} was not tracked in frames "
            f"{named_range(missing)}, only in {named_range(there)}",
            Remedy("track_or_swap_fewer"),
        )


def check_double(plate: Plate, role: Role) -> None:
    """Raise FaceError unless the double's faces are those of the track: it may be a newer one."""
    import numpy as np

    track, faces = role.track, role.double.faces
    seen = np.isin(track.frames, plate.sequence.frames) & (track.confidence > 0)
    lacking = seen & ~np.isin(track.frames, faces.frame)
    newer, again = "the track is newer", Remedy("double_again")
    if lacking.any():
        frames = named_range(track.frames[lacking].tolist())
        raise FaceError(f"{role.double.folder}: has no faces of frames {frames}: {newer}", again)
    _, ours, theirs = np.intersect1d(track.frames[seen], faces.frame, return_indices=True)
    there, then = track.landmarks[seen][ours, :, :2], faces.landmarks[theirs, :, :2]
    apart = np.linalg.norm(there.mean(1) - then.mean(1), axis=-1)
    if (apart > np.ptp(there[..., 0], axis=1) / 2).any():
        other = f"{role.double.folder}: is of somebody else than {track.person}: {newer}"
        raise FaceError(other, again)


def check_consent(cast: list[Role]) -> None:
    """Raise ReleaseError unless the consent of every likeness holds here and today."""
    for role in cast:
        role.check(date.today())


def check_size(plate: Plate, cast: list[Role]) -> None:
    """Raise SizeError unless all frames have the size at which everybody was tracked."""
    from lifemask.ocio.media.reader import same_size

    width, height = same_size(plate.sequence)
    for track in (role.track for role in cast):
        if (width, height) != (track.width, track.height):
            raise SizeError(
                f"{plate.sequence.path}: is {width}x{height}, {track.person} was tracked at "
                f"{track.width}x{track.height}",
                Remedy("track_again"),
            )


def write_swap(
    swap: Swap,
    plate: Plate,
    cast: list[Role],
    folder: Path,
    name: str,
    whole: bool = True,
    model: Model | None = None,
) -> list[Path]:
    """Write the swap as ``folder/name.####.exr``, one whole file after the other; return them.

    A ``whole`` swap takes the place of an older one in the folder: that is removed when the first
    new frame is made. Otherwise its other frames stay, as a range that is rendered anew needs.
    """
    from lifemask.nodes import progress
    from lifemask.ocio.media import exr
    from lifemask.ocio.system.parallel import parallel_map

    def write(frame: SwapFrame) -> Path:
        digits = 4 + (frame.number < 0)  # a minus sign takes no digit's place
        path = folder / f"{name}.{frame.number:0{digits}d}.exr"
        exr.write(path, frame.channels, frame.header)
        return path

    try:
        frames = swap(plate, cast, model)
        made = _replacing_older(frames, folder, name) if whole else frames
        with closing(parallel_map(write, made)) as written:
            told = progress.frames(written, "swap")
            return list(progress.each(told, "swap", len(plate.sequence.frames)))
    finally:
        # An empty folder would count as a version.
        with suppress(OSError):
            folder.rmdir()


def frames_of(folder: Path, shot: str = "") -> Sequence:
    """Return the frames of the swap in ``folder``, a version of it, which is of the ``shot``.

    They need not be all of the plate's, and other files do no harm. Raises ShotError when there are
    none, or when it cannot be told which they are.
    """
    # The folder may be a link to another disk, or one that is called latest.
    versions = [Path(way(folder)).name for way in (abspath, realpath)]
    patterns = [f"{name}_{version}.####.exr" for name in (shot, "*") for version in versions]
    # Last what was given other names: by hand, or with another name of the shot.
    for pattern in (*patterns, "*.exr"):
        with suppress(BrokenFileError):
            found = Sequence.find_made(folder / pattern)
            break
    else:
        raise ShotError(f"{folder}: there are no frames of a swap in it")
    if len(found) > 1:
        names = ", ".join(Path(one.path).name for one in found)
        name = f"SHOT_{versions[0]}.####.exr"
        raise ShotError(f"{folder}: which is the swap of {names}? Name it {name}")
    return found[0]


def _replacing_older(frames: Iterator[SwapFrame], folder: Path, name: str) -> Iterator[SwapFrame]:
    """Yield ``frames``; with the first one the swap in ``folder`` goes, and what a kill left."""
    ours = re.compile(rf"{re.escape(name)}\.-?\d+\.exr")
    for index, frame in enumerate(frames):
        if not index:
            sweep(folder)
            for old in [file for file in folder.glob("*.exr") if ours.fullmatch(file.name)]:
                _remove(old)
        yield frame


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{file}: cannot be replaced ({error.strerror})") from error
