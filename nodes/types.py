"""The data that nodes exchange."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lifemask.nodes.camera import Camera

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LEAST_CONFIDENCE", "FaceTrack", "HandTrack", "Model"]

T = TypeVar("T")

LEAST_CONFIDENCE = 0.4
"""Below it a face counts as lost in a track, and as mostly hidden in a faceset."""


@dataclass(frozen=True)
class Model:
    """A trained refiner: the file of its weights."""

    path: Path


@dataclass(frozen=True)
class FaceTrack:
    """One person's face through a plate that the ``camera`` took.

    ``frames`` (N,) are consecutive; where the face is lost, ``confidence`` (N,) is 0 and the rest
    is NaN. ``landmarks`` (N, 478, 3) are in plate pixels, pixel centres at .5, x right, y down, z
    away from the camera, same scale, its zero at the head's middle. ``rotation`` (N, 3, 3) takes
    head axes (x to picture right when facing the camera, y down, z away from the camera) to the
    picture's. ``expression`` (N, 52) are blendshape coefficients, 0..1.
    """

    person: str
    camera: Camera
    frames: "NDArray[np.int64]"
    landmarks: "NDArray[np.float32]"
    confidence: "NDArray[np.float32]"
    rotation: "NDArray[np.float32]"
    expression: "NDArray[np.float32]"

    def save(self, path: Path) -> None:
        """Write the track to ``path``, whole or not at all."""
        _save(self, path, "track")

    @classmethod
    def load(cls, path: Path) -> "FaceTrack":
        """Read a track; raises BrokenFileError when it is incomplete or altered."""
        return _load(cls, path, "track")


@dataclass(frozen=True)
class HandTrack:
    """One hand through a plate that the ``camera`` took.

    ``frames`` (N,) are consecutive; where the hand is lost, ``presence`` (N,) is 0 and the rest is
    NaN. ``landmarks`` (N, 21, 3) are in plate pixels, pixel centres at .5, x right, y down, z away
    from the camera, same scale, its zero at the wrist; `nodes.hands.skeleton` says which joint each
    is. ``world`` (N, 21, 3) is the hand in metres about its own middle, on the same axes.
    ``handedness`` (N,) is how likely it is a right hand, 0..1.
    """

    hand: str
    camera: Camera
    frames: "NDArray[np.int64]"
    landmarks: "NDArray[np.float32]"
    world: "NDArray[np.float32]"
    presence: "NDArray[np.float32]"
    handedness: "NDArray[np.float32]"

    def at(self, frame: int) -> "NDArray[np.float32] | None":
        """Return its landmarks (21, 3) in a frame; None where it is lost."""
        index = frame - int(self.frames[0])
        there = 0 <= index < len(self.frames) and self.presence[index] > 0
        return self.landmarks[index] if there else None

    def save(self, path: Path) -> None:
        """Write the hand to ``path``, whole or not at all."""
        _save(self, path, "hand")

    @classmethod
    def load(cls, path: Path) -> "HandTrack":
        """Read a hand; raises BrokenFileError when it is incomplete or altered."""
        return _load(cls, path, "hand")


def _save(value: "FaceTrack | HandTrack", path: Path, kind: str) -> None:
    """Write the arrays of a track, and beside them its name and the camera."""
    from lifemask.nodes import archive

    values = vars(value)
    about = {name: one for name, one in values.items() if isinstance(one, str)}
    arrays = {name: one for name, one in values.items() if name not in (*about, "camera")}
    archive.save(path, kind, arrays, {**about, "camera": asdict(value.camera)})


def _load(cls: type[T], path: Path, kind: str) -> T:
    from lifemask.nodes import archive
    from lifemask.nodes.errors import BrokenFileError

    arrays, about = archive.load(path, kind)
    try:
        return cls(**{**about, "camera": Camera(**about["camera"]), **arrays})
    except (KeyError, TypeError) as error:
        raise BrokenFileError(f"{path}: not a {kind} of this version ({error})") from error
