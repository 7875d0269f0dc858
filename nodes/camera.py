"""The camera that a plate was shot with, as far as a head's place needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

SENSOR = 36.0
"""Millimetres across the full-frame sensor to which focal lengths are converted."""

USUAL = 50.0
"""Millimetres on such a sensor: the lens that is assumed where nothing is known."""

_LENSES = ("pinholeFocalLength", "effectiveFocalLength", "nominalFocalLength")
"""OpenEXR's standard attributes, in millimetres, the most exact first."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion, whose axis meets the middle of the picture.

    ``width``, ``height`` and ``focal`` are in pixels. The focal length comes from a ``source``:
    the file's metadata, a knob, or a default.
    """

    width: int
    height: int
    focal: float
    source: str

    @classmethod
    def of(
        cls,
        width: int,
        height: int,
        header: Mapping[str, Any] | None = None,
        millimetres: float = 0.0,
    ) -> "Camera":
        """The camera of a plate: ``millimetres`` on `SENSOR`, else the header's, else `USUAL`."""
        known = _from_header(header or {})
        source = "knob" if millimetres else "metadata" if known else "default"
        return cls(width, height, width * (millimetres or known or USUAL) / SENSOR, source)

    @property
    def millimetres(self) -> float:
        """The focal length on `SENSOR`."""
        return self.focal * SENSOR / self.width

    @property
    def known_focal(self) -> float:
        """The focal length in pixels, 0 where it is only assumed."""
        return 0.0 if self.source == "default" else self.focal

    def scaled(self, factor: float) -> "Camera":
        """The camera of the plate that is resized by a ``factor``."""
        width, height = (round(side * factor) for side in (self.width, self.height))
        return replace(self, width=width, height=height, focal=self.focal * factor)

    def translation(self, scale: "Floats", centre: "Floats") -> "NDArray[np.float32]":
        """Return where heads are, (N, 3), in centimetres from the camera: right, down, away.

        ``scale`` (N,) is in pixels a centimetre, ``centre`` (N, >=2) in pixels.
        """
        import numpy as np

        middle = np.array([self.width, self.height]) / 2
        away = self.focal / scale
        across = (centre[:, :2] - middle) / scale[:, None]
        return np.concatenate([across, away[:, None]], 1).astype(np.float32)

    def seen_from_axis(self, rotation: "Floats", translation: "Floats") -> "NDArray[np.float32]":
        """Return rotations (N, 3, 3) about the camera's axes of ones about the lines of sight."""
        import numpy as np

        sight = translation / np.linalg.norm(translation, axis=-1, keepdims=True)
        x, y, z = sight.T
        zero, one = np.zeros_like(x), np.ones_like(x)
        # The shortest turn from the axis (0, 0, 1) to each line of sight (Rodrigues).
        turn = np.stack([zero, zero, x, zero, zero, y, -x, -y, zero], -1).reshape(-1, 3, 3)
        axis = turn + np.eye(3) + turn @ turn / (one + z)[:, None, None]
        return np.asarray(axis @ rotation, np.float32)


def _from_header(header: Mapping[str, Any]) -> float:
    """The focal length in a header, in millimetres on `SENSOR`; 0 when there is none."""
    if header.get("FocalLengthIn35mmFilm"):
        return float(header["FocalLengthIn35mmFilm"])
    lens = next((float(header[name]) for name in _LENSES if header.get(name)), 0.0)
    size = header.get("sensorOverallDimensions")
    return lens * SENSOR / float(size[0]) if lens and size else 0.0
