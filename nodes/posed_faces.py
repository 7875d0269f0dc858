"""Faces in pictures, with their shape apart from their pose."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lifemask.nodes.types import LEAST_CONFIDENCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PosedFaces:
    """One performer's face in N pictures: landmarks, shape and pose.

    ``frame`` (N,) numbers the pictures of each ``take`` (N,), a piece of continuous footage.
    ``landmarks`` (N, 478, 3) are in a picture's pixels, ``velocity`` (N, 478, 2) in pixels a frame.
    ``shape`` (N, 478, 3) is the same without the pose, in centimetres; its irises give the gaze.
    The pose is ``scale`` (N,) in pixels a centimetre, ``rotation`` (N, 3, 3) and ``centre`` (N, 3)
    in pixels: ``landmarks = scale * shape @ rotation.T + centre``. ``focal`` (N,) is that of the
    lens in pixels, 0 where it is unknown. ``expression`` (N, 52) holds
    the coefficients of a network, see `faces.blendshapes`, ``coefficients`` (N, 52) those of the
    fit, by `head.arkit.NAMES`, and ``confidence`` (N,) is 0..1. ``neutral`` (478, 3) is the
    performer's shape without expression.
    """

    frame: "NDArray[np.int64]"
    take: "NDArray[np.int64]"
    landmarks: "Floats"
    velocity: "Floats"
    shape: "Floats"
    scale: "Floats"
    rotation: "Floats"
    centre: "Floats"
    focal: "Floats"
    expression: "Floats"
    coefficients: "Floats"
    confidence: "Floats"
    neutral: "Floats"

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.frame)

    @property
    def hidden(self) -> "NDArray[np.bool_]":
        """In which pictures (N,) the face is mostly hidden, and placed by what is seen of it."""
        return self.confidence < LEAST_CONFIDENCE

    @cached_property
    def detail(self) -> float:
        """How many pixels are across a centimetre of most of the faces."""
        import numpy as np

        return float(np.percentile(self.scale, 90))

    @cached_property
    def speed(self) -> "Floats":
        """How fast the face (N,) moves, in centimetres a frame: the mean of the landmarks."""
        import numpy as np

        pixels = np.linalg.norm(self.velocity, axis=-1).mean(1)
        return np.asarray(pixels / self.scale, np.float32)
