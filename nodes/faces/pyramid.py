"""A frame for the face networks: a linear pyramid, and display-referred crops of it.

A rectangle is (centre x, centre y, width, height, angle) in pixels and radians, clockwise in the
picture, pixel centres at .5. Each crop is exposed by its own content, so that an under-exposed
plate gives the networks the same numbers as a well exposed one.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

Tensor = torch.Tensor

LONGEST = 2048
"""Longer side, in pixels, of the picture in which faces are detected."""

_LUMINANCE = (0.2126, 0.7152, 0.0722)
_GREY = 0.18
_BLACK, _DARKEST = 1e-5, 1e-3  # of the mean: what is no picture, and what counts as the darkest
_KNEE = 0.8
_ENTRIES, _BRIGHTEST = 65536, 4.0  # of the table of the curve; 1 but for 1e-7 there
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


def reduced(pixels: "Floats", factor: int) -> "Floats":
    """Return the averages of blocks of ``factor`` x ``factor`` pixels (H, W, 3)."""
    if factor == 1:
        return pixels
    height, width = pixels.shape[:2]
    extra = ((0, -height % factor), (0, -width % factor), (0, 0))
    padded = np.pad(pixels, extra, mode="edge")
    steps = range(factor)
    parts = [padded[row::factor, column::factor] for row in steps for column in steps]
    return np.asarray(sum(parts[1:], parts[0]) / np.float32(factor**2))


def picture(pixels: "Floats", factor: int = 1) -> Picture:
    """Return the picture of ``pixels`` (H, W, 3), linear Rec.709, reduced by ``factor``.

    NaN, infinite and negative values are replaced, since no network can use them. A picture whose
    black lies below zero is raised first.
    """
    level = torch.from_numpy(pixels).nan_to_num(0, 65504, 0)
    levels = [level.add_(_below_zero(level.numpy())).clamp_(0, 65504).numpy()]
    while min(levels[-1].shape[:2]) >= 32 and len(levels) < 8:
        levels.append(_halved(levels[-1]))
    return Picture(tuple(torch.from_numpy(each).permute(2, 0, 1)[None] for each in levels), factor)


def _halved(level: "Floats") -> "Floats":
    """Return the means of 2 x 2 pixels (H, W, 3); odd sizes repeat their last row or column."""
    height, width = level.shape[:2]
    edge = cv2.BORDER_REPLICATE
    even = cv2.copyMakeBorder(level, 0, height % 2, 0, width % 2, edge)
    half = (even.shape[1] // 2, even.shape[0] // 2)
    return np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.float32)


def _below_zero(level: "Floats") -> float:
    """How far the darkest parts of a picture (H, W, 3) are below zero in all channels.

    A single channel is below zero in strong colours as well, so it does not show the black level.
    """
    height, width = (max(1, side // _PATCH) for side in level.shape[:2])
    patches = cv2.resize(level, (width, height), interpolation=cv2.INTER_AREA)
    below = -float(np.quantile(patches.max(-1), _DARK))
    return below if 0 < below < float(level.clip(0).mean()) else 0.0


def crops(seen: Picture, rects: Tensor, size: int) -> Tensor:
    """Return the crops of ``rects`` (N, 5), (N, 3, size, size), linear, black outside the picture.

    Each crop comes from the level nearest to its own scale, so a 4K face is filtered, not aliased.
    """
    # A quarter of a level early: the bilinear lookup still averages a little.
    wanted = torch.log2((rects[:, 2] / size).clamp(min=1)) + 0.25
    chosen = wanted.floor().long().clamp(0, len(seen.levels) - 1).tolist()
    result = torch.empty(len(rects), size, size, 3)
    for rect, number, crop in zip(rects, chosen, result.numpy(), strict=True):
        level = seen.levels[number][0].permute(1, 2, 0).numpy()
        _cut(level, rect.double().numpy() / [*[2**number] * 4, 1], crop)
    return result.permute(0, 3, 1, 2)


def _cut(level: "Floats", rect: "NDArray[np.float64]", crop: "Floats") -> None:
    """Fill ``crop`` (S, S, 3) with what a rectangle of ``level`` (H, W, 3) shows."""
    middle, (width, height), angle = rect[:2], rect[2:4] / len(crop), rect[4]
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[width * cos, -height * sin], [width * sin, height * cos]])
    # OpenCV counts from the middle of the first pixel.
    start = middle - 0.5 - turn @ np.full(2, (len(crop) - 1) / 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(level, np.column_stack([turn, start]), crop.shape[:2], crop, flags)


def to_picture(points: Tensor, rects: Tensor) -> Tensor:
    """Return ``points`` (N, K, 3), 0..1 of the crops of ``rects`` (N, 5), in picture pixels."""
    cx, cy, width, height, angle = rects[:, :, None].unbind(1)
    u, v = (points[..., 0] - 0.5) * width, (points[..., 1] - 0.5) * height
    cos, sin = angle.cos(), angle.sin()
    x, y = cx + u * cos - v * sin, cy + u * sin + v * cos
    return torch.stack([x, y, points[..., 2] * width], -1)


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
    """Return pictures (N, 3, H, W) for the networks, 0..1: exposed, soft shoulder, sRGB curve.

    The curve is looked up by the square root of light, to 3e-5.
    """
    root = (linear * (gain * _ENTRIES**2 / _BRIGHTEST)[:, None, None, None]).sqrt_()
    # In the order in which the pixels lie in memory.
    index = root.add_(0.5).clamp_(0, _ENTRIES - 1).int().permute(0, 2, 3, 1)
    shown = _display_table().index_select(0, index.flatten()).view(index.shape)
    return shown.permute(0, 3, 1, 2)


@cache
def _display_table() -> Tensor:
    """The curve (_ENTRIES,) of light from 0 to _BRIGHTEST, evenly spaced in its square root."""
    x = (torch.arange(_ENTRIES).double() / _ENTRIES) ** 2 * _BRIGHTEST
    span = 1 - _KNEE
    x = x.clamp(max=_KNEE) - span * torch.expm1((x - _KNEE).clamp(min=0) / -span)
    return torch.where(x > 0.0031308, 1.055 * x.pow(1 / 2.4) - 0.055, x * 12.92).float()
