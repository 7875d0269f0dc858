"""Optical flow between two pictures, and pictures carried along it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Stiffness:
    """How smooth and how long a local move may be."""

    sigma: float
    """Of the Gaussian that smooths it, as a share of the picture's side."""

    longest: float
    """Share of the picture's side."""

    floor: float
    """Weight against which a place counts: where there is much less, nothing moves."""


def dense_flow(first: Bytes, second: Bytes, fast: bool = False, at_rest: bool = True) -> Floats:
    """Return where each pixel of ``first`` (H, W) goes in ``second``: (H, W, 2), pixels.

    Dense inverse search (Kroeger et al. 2016), which tries no move first if ``at_rest``.
    """
    fine, rough = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, cv2.DISOPTICAL_FLOW_PRESET_FAST
    search = cv2.DISOpticalFlow.create(rough if fast else fine)
    start = np.zeros((*first.shape, 2) if at_rest else 0, np.float32)
    return np.asarray(search.calc(first, second, start), np.float32)


def stiffened(flow: Floats, weight: Floats, stiffness: Stiffness) -> Floats:
    """Return ``flow`` (S, S, 2) smoothed over where ``weight`` (S, S) counts, and kept short."""
    side = len(weight)
    sigma = side * stiffness.sigma
    blurred = cv2.GaussianBlur(flow * weight[..., None], (0, 0), sigma)
    share = cv2.GaussianBlur(weight, (0, 0), sigma)
    smooth = blurred / (share[..., None] + stiffness.floor)
    length = np.linalg.norm(smooth, axis=-1, keepdims=True)
    short = np.minimum(1, side * stiffness.longest / (length + 1e-6))
    return np.asarray(smooth * short, np.float32)


def carried(planes: Floats, flow: Floats) -> Floats:
    """Return ``planes`` (C, H, W) as they are where ``flow`` (H, W, 2) points to; bicubic."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = x + flow[..., 0], y + flow[..., 1]
    cubic, edge = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    rows = [cv2.remap(np.ascontiguousarray(p), x, y, cubic, borderMode=edge) for p in planes]
    return np.asarray(np.stack(rows), np.float32)
