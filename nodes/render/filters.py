"""Filters and look-ups on pictures (N, C, H, W)."""

import math

import torch
from torch import Tensor
from torch.nn import functional

_FINE = 4.0  # sigma in pixels up to which a Gaussian is made at full size


def blur(pictures: Tensor, sigma: float) -> Tensor:
    """Gaussian of ``sigma`` pixels; black beyond the border.

    A wide one is computed on a reduced picture, within 1 % of its height.
    """
    times = max(0, int(math.log2(max(sigma, 1e-6) / _FINE)))
    return _wide_blur(pictures, sigma, 2**times) if times else _blur(pictures, sigma)


def _blur(pictures: Tensor, sigma: float) -> Tensor:
    radius = max(1, math.ceil(3 * sigma))
    taps = torch.arange(-radius, radius + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-0.5 * (taps / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(pictures.shape[1], 1, 1, -1)
    rows = functional.conv2d(pictures, kernel, padding=(0, radius), groups=pictures.shape[1])
    columns = kernel.transpose(2, 3)
    return functional.conv2d(rows, columns, padding=(radius, 0), groups=pictures.shape[1])


def _wide_blur(pictures: Tensor, sigma: float, step: int) -> Tensor:
    """Gaussian at a ``step``-th of the size, reduced and enlarged by tents that add to it."""
    height, width = pictures.shape[-2:]
    # A margin, so that the border fades as at full size.
    room = step * math.ceil(3 * sigma / step)
    around = room, room + -width % step, room, room + -height % step
    offsets = torch.arange(2 * step, device=pictures.device, dtype=pictures.dtype) - step + 0.5
    tent = (step - offsets.abs()) / step**2
    kernel = tent.expand(pictures.shape[1], 1, 1, -1)
    columns = kernel.transpose(2, 3)
    padded, half, many = functional.pad(pictures, around), step // 2, pictures.shape[1]
    rows = functional.conv2d(padded, kernel, None, (1, step), (0, half), 1, many)
    reduced = functional.conv2d(rows, columns, None, (step, 1), (half, 0), 1, many)
    left = sigma**2 - float((tent * offsets**2).sum()) - step**2 / 6
    blurred = _blur(reduced, math.sqrt(left) / step)
    full = functional.interpolate(blurred, scale_factor=step, mode="bilinear")
    return full[..., room : room + height, room : room + width]


def border_blur(pictures: Tensor, sigma: float) -> Tensor:
    """Gaussian mean of what lies in the picture: a matte that leaves it does not fade there."""
    return blur(pictures, sigma) / blur(torch.ones_like(pictures[:1, :1]), sigma)


def masked_blur(pictures: Tensor, weight: Tensor, sigma: float) -> Tensor:
    """Gaussian mean of what counts: ``weight`` (N, 1, H, W); 0 where nothing near counts.

    Normalised convolution (Knutsson and Westin 1993).
    """
    return blur(pictures * weight, sigma) / (blur(weight, sigma) + 1e-4)


def resample(pictures: Tensor, position: Tensor, mode: str = "bicubic") -> Tensor:
    """Values (N, C, h, w) of ``pictures`` at ``position`` (N, h, w, 2), pixels, centres at .5."""
    height, width = pictures.shape[-2:]
    size = torch.tensor([width, height], device=position.device, dtype=position.dtype)
    grid = position * 2 / size - 1
    if len(pictures) != len(grid):
        pictures = pictures.expand(len(grid), -1, -1, -1)
    return functional.grid_sample(pictures, grid, mode, "border", align_corners=False)


def dilate(pictures: Tensor, radius: int) -> Tensor:
    """Largest value within ``radius`` pixels."""
    side = 2 * radius + 1
    rows = functional.max_pool2d(pictures, (1, side), 1, (0, radius))
    return functional.max_pool2d(rows, (side, 1), 1, (radius, 0))


def erode(pictures: Tensor, radius: int) -> Tensor:
    """Smallest value within ``radius`` pixels."""
    return -dilate(-pictures, radius)


def halved(pictures: Tensor, times: int) -> Tensor:
    """Mean over blocks of 2 to the power of ``times`` pixels."""
    return functional.avg_pool2d(pictures, 2**times) if times else pictures


def averaging(reduction: float, had: float = 1.0) -> float:
    """Sigma in pixels of what must be averaged before ``reduction`` of them become one.

    ``had`` of them are one of what was filmed: nothing is finer than that already.
    """
    return 0.45 * math.sqrt(max(0.0, reduction**2 - had**2))


def minified(pictures: Tensor, reduction: float, had: float = 1.0) -> tuple[Tensor, int]:
    """Pictures without what is lost when ``reduction`` of their pixels become one.

    What is much too fine is halved first, and one of so many pixels a side left.
    """
    times = max(0, int(math.log2(reduction)) - 1)
    step = 2**times
    blocks = (step**2 - 1) / 12  # their variance, which need not be done again
    left = math.sqrt(max(0.0, averaging(reduction, had) ** 2 - blocks)) / step
    fewer = halved(pictures, times)
    return (border_blur(fewer, left) if left else fewer), step


def guided(pictures: Tensor, guide: Tensor, radius: float, softness: float) -> Tensor:
    """``pictures`` (N, 1, H, W) with the edges of ``guide`` (N, 1, H, W).

    Guided filter (He, Sun and Tang 2013, eq. 5 and 6) with a Gaussian window.
    """
    inside = blur(torch.ones_like(guide), radius)
    guide = guide - guide.mean((2, 3), keepdim=True)  # squares of small numbers are exact

    def mean(plane: Tensor) -> Tensor:
        return blur(plane, radius) / inside

    centre, value = mean(guide), mean(pictures)
    covariance = mean(guide * pictures) - centre * value
    slope = covariance / (mean(guide**2) - centre**2 + softness)
    return mean(slope) * guide + mean(value - slope * centre)
