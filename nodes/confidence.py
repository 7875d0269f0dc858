"""What the confidence of a pixel says of how far off it may be."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    F32 = NDArray[np.float32]

_UNSURE = 0.1  # log: of what may be off by this, confidence is 1/e
_LEAST = 1e-6


def from_doubt(doubt: "Tensor") -> "Tensor":
    """Confidence, 0..1, in pixels of which a mean absolute error of ``doubt`` is expected, log."""
    return (-((doubt / _UNSURE) ** 2)).exp()


def to_doubt(confidence: "F32") -> "F32":
    """The mean absolute error, log, that pixels of a ``confidence``, 0..1, expect."""
    return np.asarray(_UNSURE * np.sqrt(-np.log(confidence.clip(_LEAST, 1))), np.float32)
