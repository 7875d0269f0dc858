"""The speed of a face in a picture, and the motion blur that follows from it."""

import math
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.faces.topology import MESH_COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_CUT = 0.5  # of the face's width in a frame: a cut, or photographs that are numbered in a row


def followed(landmarks: "Floats", frames: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Whether each face but the first (N - 1,) follows from the one before by motion.

    False after a cut, and where either is lost (NaN). ``landmarks`` (N, K, 3) are in the
    ``frames`` (N,).
    """
    places = landmarks[..., :2]
    width = np.ptp(places[:, :MESH_COUNT, 0], axis=1)
    far = np.linalg.norm(_steps(places, frames), axis=-1).mean(1)
    # A comparison with NaN is false.
    return np.asarray(far < _CUT * np.fmax(width[1:], width[:-1]), bool)


def _steps(places: "Floats", frames: "NDArray[np.int64]") -> "NDArray[np.float64]":
    """The motion (N - 1, K, 2) from each face to the next one, pixels a frame."""
    apart = np.maximum(np.abs(np.diff(frames)), 1)  # takes may begin with the same number
    return np.asarray(np.diff(places, axis=0) / apart[:, None, None], np.float64)


def velocities(landmarks: "Floats", frames: "NDArray[np.int64]") -> "Floats":
    """Return (N, K, 2), pixels a frame, of ``landmarks`` (N, K, 3) in the ``frames`` (N,).

    The mean of the motion from the previous face and to the next one, or the one of these that is
    known. Where both are lost (NaN), or show the face elsewhere, it is 0.
    """
    places = landmarks[..., :2]
    steps, known = _steps(places, frames), followed(landmarks, frames)
    steps, counted = np.where(known[:, None, None], steps, 0), known.astype(np.float32)
    none = np.zeros_like(places[:1])
    total = np.concatenate([none, steps]) + np.concatenate([steps, none])
    count = np.concatenate([[0], counted]) + np.concatenate([counted, [0]])
    return np.asarray(total / np.maximum(count, 1)[:, None, None], np.float32)


def unshown(speed: float, shown: float) -> float:
    """Return the share of the blur at a ``speed`` that a picture lacks, ``shown`` at another speed.

    Two blurs in turn are as wide as the root of the sum of their squares.
    """
    return math.sqrt(1 - (shown / speed) ** 2) if shown < speed else 0.0
