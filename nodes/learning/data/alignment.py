"""Truth, moved onto the geometry of a render.

A render's features lie a pixel or two from where they should be. Who learns from the difference
learns to blur; who learns from the truth carried onto the render learns light and mending.
"""

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.render.flow import Stiffness, dense_flow, stiffened

Floats = NDArray[np.float32]

_FLAT = 1 / 16  # of the side: what is smoother is light, and no guide
_STIFFNESS = Stiffness(sigma=1 / 32, longest=1 / 25, floor=0.05)
_CONTRAST = 900  # log to the flow's 8-bit pictures, which nothing but the flow sees


def move(render: Floats, truth: Floats, weight: Floats) -> Floats:
    """Return the way from what ``render`` (3, S, S) shows to the same in ``truth``: (S, S, 2).

    Both are log; ``weight`` (S, S) is where they show the same.
    """
    flow = dense_flow(_guide(render, weight), _guide(truth, weight))
    return stiffened(flow, weight, _STIFFNESS)


def _guide(picture: Floats, weight: Floats) -> NDArray[np.uint8]:
    """What there is to follow: features without their light."""
    import cv2

    grey, sigma = picture.mean(0), len(weight) * _FLAT
    light = cv2.GaussianBlur(grey * weight, (0, 0), sigma)
    light = light / (cv2.GaussianBlur(weight, (0, 0), sigma) + 0.02)
    guide = np.clip((grey - light) * weight * _CONTRAST + 128, 0, 255).astype(np.uint8)
    return np.asarray(guide, np.uint8)
