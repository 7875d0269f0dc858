"""A frame for the face networks: a linear pyramid, and display-referred crops of it.

A rectangle is (centre x, centre y, width, height, angle) in pixels and radians, clockwise in the
picture, pixel centres at .5. Each crop is exposed by its own content, so that an under-exposed
plate gives the networks the same numbers as a well exposed one.
"""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812

from lifemask.nodes.device import device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Tensor = torch.Tensor

LONGEST = 2048
"""Longer side, in pixels, of the picture in which faces are detected."""

_LUMINANCE = (0.2126, 0.7152, 0.0722)
_GREY = 0.18
_BLACK, _DARKEST = 1e-5, 1e-3  # of the mean: what is no picture, and what counts as the darkest
_KNEE = 0.8
_PATCH, _DARK = 8, 0.01  # pixels a side; share of a picture that is as dark as its black


@dataclass(frozen=True)
class Picture:
    """One frame: ``levels`` (1, 3, H, W), linear Rec.709, each half the size of the one before.

    ``factor`` times a position in level 0 is the position in the plate.
    """

    levels: tuple[Tensor, ...]
    factor: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of level 0."""
        height, width = self.levels[0].shape[-2:]
        return int(height), int(width)


def reduction(height: int, width: int) -> int:
    """Return the factor by which a plate of this size is reduced."""
    return ceil(max(height, width) / LONGEST)


def reduced(pixels: "NDArray[np.float32]", factor: int) -> "NDArray[np.float32]":
    """Return the averages of blocks of ``factor`` x ``factor`` pixels (H, W, 3)."""
    import numpy as np

    if factor == 1:
        return pixels
    height, width = pixels.shape[:2]
    extra = ((0, -height % factor), (0, -width % factor), (0, 0))
    padded = np.pad(pixels, extra, mode="edge")
    steps = range(factor)
    parts = [padded[row::factor, column::factor] for row in steps for column in steps]
    return np.asarray(sum(parts[1:], parts[0]) / np.float32(factor**2))


def picture(pixels: "NDArray[np.float32]", factor: int = 1) -> Picture:
    """Return the picture of ``pixels`` (H, W, 3), linear Rec.709, reduced by ``factor``.

    NaN, infinite and negative values are replaced, since no network can use them. A picture whose
    black lies below zero is raised first.
    """
    level = torch.from_numpy(pixels).to(device()).permute(2, 0, 1)[None]
    level = level.clone(memory_format=torch.contiguous_format).nan_to_num_(0, 65504, 0)
    levels = [level.add_(_below_zero(level)).clamp_(0, 65504)]
    while min(levels[-1].shape[-2:]) >= 32 and len(levels) < 8:
        height, width = levels[-1].shape[-2:]
        even = levels[-1]
        if height % 2 or width % 2:
            even = F.pad(even, (0, width % 2, 0, height % 2), mode="replicate")
        levels.append(F.avg_pool2d(even, 2))
    return Picture(tuple(levels), factor)


def _below_zero(level: Tensor) -> float:
    """How far the darkest parts of a picture (1, 3, H, W) are below zero in all channels.

    A single channel is below zero in strong colours as well, so it does not show the black level.
    """
    lightest = F.avg_pool2d(level, _PATCH, ceil_mode=True).amax(1).flatten()
    below = -float(lightest.quantile(_DARK))
    return below if 0 < below < float(level.clamp(min=0).mean()) else 0.0


def crops(seen: Picture, rects: Tensor, size: int) -> Tensor:
    """Return the crops of ``rects`` (N, 5), (N, 3, size, size), linear, black outside the picture.

    Each crop comes from the level nearest to its own scale, so a 4K face is filtered, not aliased.
    """
    axis = (torch.arange(size, device=rects.device) + 0.5) / size - 0.5
    v, u = torch.meshgrid(axis, axis, indexing="ij")
    x, y = _turned(u[None], v[None], rects[:, :, None, None])
    # A quarter of a level early: the bilinear lookup still averages a little.
    wanted = torch.log2((rects[:, 2] / size).clamp(min=1)) + 0.25
    level_of = wanted.floor().long().clamp(0, len(seen.levels) - 1)
    result = seen.levels[0].new_zeros(len(rects), 3, size, size)
    for number in level_of.unique().tolist():
        chosen = (level_of == number).nonzero()[:, 0]
        level = seen.levels[number]
        height, width = (side * 2.0**number for side in level.shape[-2:])
        grid = torch.stack([x[chosen] * 2 / width - 1, y[chosen] * 2 / height - 1], -1)
        level = level.expand(len(chosen), -1, -1, -1)
        result[chosen] = F.grid_sample(level, grid, align_corners=False, padding_mode="zeros")
    return result


def to_picture(points: Tensor, rects: Tensor) -> Tensor:
    """Return ``points`` (N, K, 3), 0..1 of the crops of ``rects`` (N, 5), in picture pixels."""
    boxes = rects[:, :, None]
    x, y = _turned(points[..., 0] - 0.5, points[..., 1] - 0.5, boxes)
    return torch.stack([x, y, points[..., 2] * boxes[:, 2]], -1)


def _turned(u: Tensor, v: Tensor, rects: Tensor) -> tuple[Tensor, Tensor]:
    """Return the picture's pixels for -.5...5 of rectangles; ``rects`` has its five in axis 1."""
    cx, cy, width, height, angle = rects.unbind(1)
    u, v, cos, sin = u * width, v * height, angle.cos(), angle.sin()
    return cx + u * cos - v * sin, cy + u * sin + v * cos


def gains(linear: Tensor, least: float = _BLACK) -> Tensor:
    """Return the factor (N,) that brings the log average of each picture to mid grey.

    Pixels darker than a share ``least`` of the mean do not count, such as the black around a keyed
    head, which has nothing to do with exposure. Values are limited to a thousandth of the mean, so
    the factor is exactly inverse to exposure.
    """
    weight = linear.new_tensor(_LUMINANCE)[None, :, None, None]
    luminance = (linear * weight).sum(1).flatten(1)
    mean = luminance.mean(1, keepdim=True) + 1e-12
    counted = luminance > mean * least
    log = torch.log(torch.maximum(luminance, mean * _DARKEST)) * counted
    return _GREY / torch.exp(log.sum(1) / counted.sum(1).clamp(min=1))


def face_gains(seen: Picture, rects: Tensor) -> Tensor:
    """Return the exposure (N,) for the middle of the faces in ``rects`` (N, 5)."""
    inner = rects.clone()
    # Rectangles are 1.5 times the face: this leaves out most of the background.
    inner[:, 2:4] *= 0.6
    return gains(crops(seen, inner, 32))


def display(linear: Tensor, gain: Tensor) -> Tensor:
    """Return pictures (N, 3, H, W) for the networks, 0..1: exposed, soft shoulder, sRGB curve."""
    x = linear * gain[:, None, None, None]
    span = 1 - _KNEE
    shoulder = (x - _KNEE).clamp_(min=0).div_(-span).expm1_().mul_(-span)
    x.clamp_(0, _KNEE).add_(shoulder)
    curve = x.clamp(min=1e-8).pow_(1 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(x > 0.0031308, curve, x * 12.92)
