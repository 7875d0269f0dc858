"""Face space: the square, upright, steady view of one face."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SIDE = 24.0
"""Side in centimetres of the mean head: from the forehead to below the chin, with room."""

FACE_WIDTH = 14.0
"""Centimetres across the mean face."""

OVERSAMPLING = 1.5
"""Pixels of face space for each of the take, so that resampling costs no detail."""

CLOSE = 12.5
"""Pixels of the plate across a centimetre of the face, from which on it is a close-up."""

_STEP, _LEAST, _MOST = 16, 64, 4096


@dataclass(frozen=True)
class Placed:
    """Shapes (N, 478, 3) of one performer, and their poses in the picture."""

    shape: "Floats"
    scale: "Floats"  # (N,) pixels a centimetre
    rotation: "Floats"  # (N, 3, 3) head to picture
    centre: "Floats"  # (N, 3) pixels


def native_size(placed: Placed) -> int:
    """Return the side in pixels that keeps all detail of the takes."""
    side = float(np.percentile(placed.scale, 90)) * SIDE * OVERSAMPLING
    return int(np.clip(np.ceil(side / _STEP) * _STEP, _LEAST, _MOST))


def matrices(placed: Placed, runs: list[slice], size: int, smooth: float) -> "Floats":
    """Return what takes each picture to face space of ``size`` pixels: (N, 2, 3).

    Within each of the ``runs``, which come one after the other, place, size and tilt are steadied
    by a Gaussian of ``smooth`` frames.
    """
    roll = np.arctan2(placed.rotation[:, 1, 0], placed.rotation[:, 0, 0])
    values = np.stack(
        [placed.centre[:, 0], placed.centre[:, 1], np.log(placed.scale), np.unwrap(roll)], 1
    )
    x, y, log_scale, roll = _steadied(values, runs, smooth).T
    factor = size / (SIDE * np.exp(log_scale))
    cos, sin = factor * np.cos(roll), factor * np.sin(roll)
    first = np.stack([cos, sin, size / 2 - cos * x - sin * y], 1)
    second = np.stack([-sin, cos, size / 2 + sin * x - cos * y], 1)
    return np.stack([first, second], 1).astype(np.float32)


def _steadied(values: "Floats", runs: list[slice], sigma: float) -> "Floats":
    import torch

    from lifemask.nodes.faces.temporal_filter import smoothed

    table = torch.from_numpy(values)
    parts = [smoothed(table[run], sigma, trend=True, dtype=torch.float64) for run in runs]
    return np.asarray(torch.cat(parts).numpy(), values.dtype)


def moved(points: "Floats", matrix: "Floats") -> "Floats":
    """Return points (N, K, 3) transformed by ``matrix`` (N, 2, 3); depth is scaled."""
    flat = np.einsum("nij,nkj->nki", matrix[..., :2], points[..., :2]) + matrix[:, None, :, 2]
    scale = np.linalg.norm(matrix[:, 0, :2], axis=1)[:, None, None]
    return np.concatenate([flat, points[..., 2:] * scale], -1).astype(np.float32)


def crop(picture: "Floats", matrix: "Floats", size: int, sharp: bool = True) -> "Floats":
    """Return ``picture`` (H, W, C) in face space, area-filtered where it is reduced.

    A ``sharp`` one overshoots at edges.
    """
    import cv2

    scale = float(np.linalg.norm(matrix[0, :2]))
    if scale < 1:
        # Averaging first keeps a 4K close-up from aliasing in a small face space.
        height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
        reduced = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        fit = np.array([picture.shape[1] / width, picture.shape[0] / height], np.float32)
        matrix = np.concatenate([matrix[:, :2] * fit, matrix[:, 2:]], 1)
        picture = np.asarray(reduced, np.float32)
    # OpenCV counts from pixel centres at 0.
    shift = matrix.astype(np.float64).copy()
    shift[:, 2] += shift[:, :2] @ np.array([0.5, 0.5]) - 0.5
    flags = cv2.INTER_LANCZOS4 if sharp else cv2.INTER_LINEAR
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(picture, shift, (size, size), flags=flags, borderMode=border))
