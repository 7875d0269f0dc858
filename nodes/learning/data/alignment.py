"""Truth, moved onto the geometry of a render.

A render's features lie a pixel or two from where they should be. Who learns from the difference
learns to blur; who learns from the truth carried onto the render learns light and mending.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_FLAT = 1 / 16  # of the side: what is smoother is light, and no guide
_STIFF = 1 / 32  # of the side: how smooth the move is
_FARTHEST = 1 / 25  # of the side
_CONTRAST = 900  # log to the flow's 8-bit pictures, which nothing but the flow sees


def move(render: Floats, truth: Floats, weight: Floats) -> Floats:
    """Where in ``truth`` (3, S, S) lies what ``render`` (3, S, S) shows: (S, S, 2) pixels.

    Both are log; ``weight`` (S, S) is where they show the same. Dense inverse search (Kroeger
    et al. 2016), smoothed.
    """
    import cv2

    size = len(weight)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    begin = np.zeros((size, size, 2), np.float32)
    flow = search.calc(_guide(render, weight), _guide(truth, weight), begin)
    blurred = cv2.GaussianBlur(flow * weight[..., None], (0, 0), size * _STIFF)
    share = cv2.GaussianBlur(weight, (0, 0), size * _STIFF)
    flow = blurred / (share[..., None] + 0.05)
    length = np.linalg.norm(flow, axis=-1, keepdims=True)
    flow *= np.minimum(1, size * _FARTHEST / (length + 1e-6))
    grid = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), -1)
    return np.asarray(grid + flow, np.float32)


def moved(planes: Floats, position: Floats) -> Floats:
    """``planes`` (C, S, S) as they are at ``position`` (S, S, 2)."""
    import cv2

    x, y = np.ascontiguousarray(position[..., 0]), np.ascontiguousarray(position[..., 1])
    flags, border = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    rows = [cv2.remap(np.ascontiguousarray(p), x, y, flags, borderMode=border) for p in planes]
    return np.asarray(np.stack(rows), np.float32)


def _guide(picture: Floats, weight: Floats) -> NDArray[np.uint8]:
    """What there is to follow: features without their light."""
    import cv2

    grey, sigma = picture.mean(0), len(weight) * _FLAT
    light = cv2.GaussianBlur(grey * weight, (0, 0), sigma)
    light = light / (cv2.GaussianBlur(weight, (0, 0), sigma) + 0.02)
    guide = np.clip((grey - light) * weight * _CONTRAST + 128, 0, 255).astype(np.uint8)
    return np.asarray(guide, np.uint8)
