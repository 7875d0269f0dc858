"""How somebody plays, whoever it is and wherever it was captured."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.nodes import archive
from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import BrokenFileError, Remedy
from lifemask.nodes.head.fit_version import FIT_VERSION

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_KIND = "performance"
_ARRAYS = ("frame", "coefficients", "residual", "gaze", "rotation", "translation", "confidence")


@dataclass(frozen=True, eq=False)
class Performance:
    """The expression, gaze and head pose of somebody in N frames.

    ``frame`` (N,) ascends. ``coefficients`` (N, 52), 0 and above, are of `head.arkit.NAMES`;
    ``residual`` (N, 478, 3) is what landmarks move beside them, in centimetres of the mean head: 0
    where it was not tracked. ``gaze`` (N, 2, 2) has yaw and pitch of the right and the left eye
    in degrees, + to picture right and + down, relative to the head. ``rotation`` (N, 3, 3) takes
    head axes (x right, y down, z away) to the ``camera``'s, in which the head is at ``translation``
    (N, 3), in centimetres. ``confidence`` (N,) is 0..1. ``source`` names where it is from.
    """

    source: str
    camera: Camera
    frame: "NDArray[np.int64]"
    coefficients: "Floats"
    residual: "Floats"
    gaze: "Floats"
    rotation: "Floats"
    translation: "Floats"
    confidence: "Floats"

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frame)

    def at(self, frames: "NDArray[np.int64]") -> "Performance":
        """Return it at the ``frames`` (M,), interpolated; before and after it, its ends hold."""
        import numpy as np

        if np.array_equal(frames, self.frame):
            return self
        place = np.interp(frames, self.frame, np.arange(len(self)))
        before = np.floor(place).astype(int)
        after = np.minimum(before + 1, len(self) - 1)
        share = (place - before).astype(np.float32)

        def between(values: "Floats") -> "Floats":
            weight = share.reshape(-1, *[1] * (values.ndim - 1))
            return np.asarray((1 - weight) * values[before] + weight * values[after], np.float32)

        arrays = {name: between(getattr(self, name)) for name in _ARRAYS[1:]}
        arrays["rotation"] = _orthogonal(arrays["rotation"])
        return Performance(self.source, self.camera, np.asarray(frames, np.int64), **arrays)

    def save(self, path: Path) -> None:
        """Write it to ``path``, whole or not at all."""
        about = {"source": self.source, "fit": FIT_VERSION, "camera": asdict(self.camera)}
        archive.save(path, _KIND, {name: getattr(self, name) for name in _ARRAYS}, about)

    @classmethod
    def load(cls, path: Path) -> "Performance":
        """Read one; raises BrokenFileError when it is incomplete, altered, or of another fit."""
        arrays, about = archive.load(path, _KIND)
        if about.get("fit") != FIT_VERSION:
            raise BrokenFileError(f"{path}: was fitted by another version", Remedy("track_again"))
        try:
            camera = Camera(**about["camera"])
            return cls(about["source"], camera, **arrays)  # type: ignore[arg-type]
        except (KeyError, TypeError) as error:
            raise BrokenFileError(f"{path}: not a whole performance ({error})") from error


def _orthogonal(matrices: "Floats") -> "Floats":
    """The rotations (N, 3, 3) nearest to ``matrices`` (Procrustes)."""
    import numpy as np

    left, _, right = np.linalg.svd(matrices)
    return np.asarray(left @ right, np.float32)
