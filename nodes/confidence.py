"""Confidence of a pixel, as a function of its expected error."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    F32 = NDArray[np.float32]

_UNSURE = 0.1  # log: the expected error at which confidence is 1/e
_LEAST = 1e-6


def from_doubt(doubt: "Tensor") -> "Tensor":
    """Confidence, 0..1, in pixels with an expected mean absolute error of ``doubt``, log."""
    return (-((doubt / _UNSURE) ** 2)).exp()


def to_doubt(confidence: "F32") -> "F32":
    """The expected mean absolute error, log, of pixels with this ``confidence``, 0..1."""
    return np.asarray(_UNSURE * np.sqrt(-np.log(confidence.clip(_LEAST, 1))), np.float32)
