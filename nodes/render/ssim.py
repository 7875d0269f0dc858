"""Structural similarity (Wang et al. 2004, eq. 13), with a box for a window."""

from torch import Tensor
from torch.nn import functional

WINDOW = 7  # pixels


def ssim(first: Tensor, second: Tensor, level: float, texture: float) -> Tensor:
    """Return how alike two pictures (N, C, H, W) are around each pixel, at most 1.

    ``level`` and ``texture`` are the two constants: squares of differences too small to count.
    """
    a, b = _mean(first), _mean(second)
    spread = _mean(first**2) - a**2 + _mean(second**2) - b**2
    both = _mean(first * second) - a * b
    alike = (2 * a * b + level) / (a**2 + b**2 + level)
    return alike * (2 * both + texture) / (spread + texture)


def _mean(planes: Tensor) -> Tensor:
    return functional.avg_pool2d(planes, WINDOW, 1, WINDOW // 2, count_include_pad=False)
