"""The data that nodes exchange."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LEAST_CONFIDENCE", "FaceTrack", "Model"]

LEAST_CONFIDENCE = 0.4
"""Below it a face counts as lost in a track, and as mostly hidden in a faceset."""


@dataclass(frozen=True)
class Model:
    """A trained refiner: the file of its weights."""

    path: Path


@dataclass(frozen=True)
class FaceTrack:
    """One person's face through a plate.

    ``frames`` (N,) are consecutive; where the face is lost, ``confidence`` (N,) is 0 and the rest
    is NaN. ``landmarks`` (N, 478, 3) are in plate pixels, pixel centres at .5, x right, y down, z
    away from the camera, same scale, its zero at the head's middle. ``rotation`` (N, 3, 3) takes
    head axes (x to picture right when facing the camera, y down, z away from the camera) to the
    picture's. ``expression`` (N, 52) are blendshape coefficients, 0..1.
    """

    person: str
    width: int
    height: int
    frames: "NDArray[np.int64]"
    landmarks: "NDArray[np.float32]"
    confidence: "NDArray[np.float32]"
    rotation: "NDArray[np.float32]"
    expression: "NDArray[np.float32]"

    def save(self, path: Path) -> None:
        """Write the track to ``path``, whole or not at all."""
        from lifemask.nodes import archive

        names = ("frames", "landmarks", "confidence", "rotation", "expression")
        about = {"person": self.person, "width": self.width, "height": self.height}
        archive.save(path, "track", {name: getattr(self, name) for name in names}, about)

    @classmethod
    def load(cls, path: Path) -> "FaceTrack":
        """Read a track; raises BrokenFileError when it is incomplete or altered."""
        from lifemask.nodes import archive
        from lifemask.nodes.errors import BrokenFileError

        arrays, about = archive.load(path, "track")
        try:
            return cls(**about, **arrays)  # type: ignore[arg-type]
        except TypeError as error:
            raise BrokenFileError(f"{path}: not a track of this version ({error})") from error
