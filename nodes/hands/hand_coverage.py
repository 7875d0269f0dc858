"""How much of each pixel a hand covers: tapered capsules around its bones, and the palm."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from lifemask.nodes.hands.skeleton import BONES, INDEX, LITTLE, MIDDLE, RING, WRIST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_OUTLINE = (WRIST, 1, 2, INDEX, MIDDLE, RING, LITTLE)
_KNUCKLES = ((2, INDEX), (INDEX, MIDDLE), (MIDDLE, RING), (RING, LITTLE))
_RADII = np.array(
    [
        0.42,  # wrist, from the heel of the hand to the other side
        *(0.21, 0.16, 0.14, 0.11),  # thumb, from its root
        *(0.19, 0.145, 0.13, 0.1),
        *(0.19, 0.145, 0.13, 0.1),
        *(0.18, 0.135, 0.12, 0.095),
        *(0.17, 0.12, 0.11, 0.085),
    ],
    np.float32,
)
"""By landmark, in widths of the palm: between the knuckles of index and little finger."""


def hand_coverage(landmarks: "Floats", shape: tuple[int, int]) -> "Floats":
    """Return how much of each pixel a hand covers (H, W), 0..1, anti-aliased.

    ``landmarks`` (21, 3) are in pixels of a picture of ``shape``, as in a HandTrack; nothing is
    covered where they are NaN. The forearm is not part of it.
    """
    if not np.isfinite(landmarks).all():
        return np.zeros(shape, np.float32)
    radii = _RADII * palm_width(landmarks)
    outside = np.full(shape, 1e6, np.float32)
    for start, end in (*BONES, *_KNUCKLES):
        _capsule(outside, landmarks[[start, end], :2], radii[[start, end]])
    covered = (0.5 - outside).clip(0, 1)
    palm = np.rint((landmarks[_OUTLINE, :2] - 0.5) * 16).astype(np.int32)
    # Its edge lies inside the capsules, which are anti-aliased.
    cv2.fillPoly(covered, [palm], 1.0, shift=4)
    return covered


def palm_width(landmarks: "Floats") -> float:
    """Return the distance between the outer knuckles in pixels, were the palm seen flat."""
    across = np.linalg.norm(landmarks[INDEX] - landmarks[LITTLE])
    along = np.linalg.norm(landmarks[MIDDLE] - landmarks[WRIST])
    return float(across + _SLENDER * along) / 2


_SLENDER = 0.68  # the width of a palm in its lengths


def _capsule(outside: "Floats", ends: "Floats", radii: "Floats") -> None:
    """Lower the distances ``outside`` (H, W) to those from a tapered capsule.

    ``ends`` (2, 2) are its ends, ``radii`` (2,) theirs, all in pixels.
    """
    height, width = outside.shape
    reach = radii.max() + 1
    left, top = np.floor((ends.min(0) - reach).clip(0, (width, height))).astype(int)
    right, bottom = np.ceil((ends.max(0) + reach).clip(0, (width, height))).astype(int)
    x = np.arange(left, right, dtype=np.float32) + np.float32(0.5)
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    (dx, dy), (x0, y0) = ends[1] - ends[0], ends[0]
    square = max(dx * dx + dy * dy, np.float32(1e-6))
    along = (((x - x0) * dx + (y - y0) * dy) / square).clip(0, 1)
    across, down = x - x0 - along * dx, y - y0 - along * dy
    apart = np.sqrt(across * across + down * down) - (radii[0] + along * (radii[1] - radii[0]))
    part = outside[top:bottom, left:right]
    np.minimum(part, apart, out=part)
