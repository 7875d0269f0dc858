"""Filters and look-ups on pictures (N, C, H, W)."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def blur(pictures: Tensor, sigma: float) -> Tensor:
    """Gaussian of ``sigma`` pixels; black beyond the border."""
    reach = max(1, math.ceil(3 * sigma))
    taps = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-0.5 * (taps / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(pictures.shape[1], 1, 1, -1)
    rows = functional.conv2d(pictures, kernel, padding=(0, reach), groups=pictures.shape[1])
    columns = kernel.transpose(2, 3)
    return functional.conv2d(rows, columns, padding=(reach, 0), groups=pictures.shape[1])


def feather(pictures: Tensor, sigma: float) -> Tensor:
    """Gaussian mean of what lies in the picture: a matte that leaves it does not fade there."""
    return blur(pictures, sigma) / blur(torch.ones_like(pictures[:1, :1]), sigma)


def smooth(pictures: Tensor, weight: Tensor, sigma: float) -> Tensor:
    """Gaussian mean of what counts: ``weight`` (N, 1, H, W); 0 where nothing near counts.

    Normalised convolution (Knutsson and Westin 1993).
    """
    return blur(pictures * weight, sigma) / (blur(weight, sigma) + 1e-4)


def lookup(pictures: Tensor, position: Tensor, mode: str = "bicubic") -> Tensor:
    """Values (N, C, h, w) of ``pictures`` at ``position`` (N, h, w, 2), pixels, centres at .5."""
    height, width = pictures.shape[-2:]
    size = torch.tensor([width, height], device=position.device, dtype=position.dtype)
    grid = position * 2 / size - 1
    if len(pictures) != len(grid):
        pictures = pictures.expand(len(grid), -1, -1, -1)
    return functional.grid_sample(pictures, grid, mode, "border", align_corners=False)


def spread(pictures: Tensor, radius: int) -> Tensor:
    """Largest value within ``radius`` pixels."""
    return functional.max_pool2d(pictures, 2 * radius + 1, 1, radius)


def shrink(pictures: Tensor, radius: int) -> Tensor:
    """Smallest value within ``radius`` pixels."""
    return -spread(-pictures, radius)


def halved(pictures: Tensor, times: int) -> Tensor:
    """Mean over blocks of 2 to the power of ``times`` pixels."""
    return functional.avg_pool2d(pictures, 2**times) if times else pictures


def guided(pictures: Tensor, guide: Tensor, radius: float, softness: float) -> Tensor:
    """``pictures`` (N, 1, H, W) with the edges of ``guide`` (N, 1, H, W).

    Guided filter (He, Sun and Tang 2013, eq. 5 and 6) with a Gaussian window.
    """
    centre, value = feather(guide, radius), feather(pictures, radius)
    covariance = feather(guide * pictures, radius) - centre * value
    slope = covariance / (feather(guide**2, radius) - centre**2 + softness)
    return feather(slope, radius) * guide + feather(value - slope * centre, radius)
