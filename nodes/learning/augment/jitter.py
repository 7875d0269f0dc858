"""Geometric and photometric jitter, random windows, and smooth noise."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes.learning.data.examples import Batch
from lifemask.nodes.refiner.crop import CANDIDATES, NORMAL

_PLACES = 16  # across a crop, of a window of it
_KNOTS = 5  # of smooth noise, across a crop


@dataclass(frozen=True)
class JitterConfig:
    """Standard deviations.

    ``angle`` is in radians, ``zoom`` the log of a scale, ``shift`` and ``warp`` in half sides, and
    ``exposure``, by which the textures differ from the plate, log: a fifth of a stop.
    """

    angle: float = 0.1
    zoom: float = 0.06
    shift: float = 0.04
    warp: float = 0.03
    exposure: float = 0.01


_USUAL = JitterConfig()


def jittered(batch: Batch, warped: Tensor | bool = False, config: JitterConfig = _USUAL) -> Batch:
    """Return ``batch`` moved; half of it mirrored, half with the likeness exposed differently.

    Those that are ``warped``, all or a mask (N,), become other people's faces, so that what is
    learned holds for everybody. Exposure and white balance that plate and likeness share need no
    jitter: the refiner does not see them.
    """
    count = len(batch.shown)
    off = config.exposure * (torch.randn(count, 3, 1, 1) + torch.randn(count, 1, 1, 1))
    off = off * (torch.rand(count, 1, 1, 1) < 0.5)
    planes = batch.planes.clone()
    planes[:, CANDIDATES] += off.repeat(1, 3, 1, 1).to(planes.device)
    mirrored = torch.rand(count) < 0.5
    planes[mirrored] = planes[mirrored].flip(3)
    planes[mirrored, NORMAL.start] *= -1
    return Batch.of(_moved(planes, torch.as_tensor(warped), config), batch.kind)


def smooth_noise(planes: Tensor, channels: int) -> Tensor:
    """Return random planes (N, channels, H, W), smooth, with a standard deviation below 1."""
    count, _, height, width = planes.shape
    coarse = torch.randn(count, channels, _KNOTS, _KNOTS, device=planes.device)
    return functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)


def random_windows(batch: Batch, side: int) -> Batch:
    """Return a window of ``side`` pixels of each example, or all of it where it is smaller.

    A window has half of the weight of the best one, or more.
    """
    size = batch.planes.shape[-1]
    if size <= side:
        return batch
    step = max(1, (size - side) // _PLACES)
    weights = functional.avg_pool2d(batch.weight, side, step)
    fair = weights >= weights.amax((2, 3), True) / 2
    places = torch.multinomial(fair.flatten(1).float().cpu(), 1)[:, 0].tolist()
    corners = [divmod(place, fair.shape[3]) for place in places]
    windows = [
        planes[:, step * row : step * row + side, step * column : step * column + side]
        for planes, (row, column) in zip(batch.planes, corners, strict=True)
    ]
    return Batch.of(torch.stack(windows), batch.kind)


def _moved(planes: Tensor, warped: Tensor, config: JitterConfig) -> Tensor:
    """``planes`` (N, PLANES, H, W), each turned, scaled, shifted and maybe warped differently."""
    count, device = len(planes), planes.device
    angle = config.angle * torch.randn(count, device=device)
    scale = torch.exp(config.zoom * torch.randn(count, device=device))
    shift = config.shift * torch.randn(count, 2, 1, device=device)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    shape = [count, 1, *planes.shape[2:]]
    grid = functional.affine_grid(torch.cat([turn, shift], 2), shape, align_corners=False)
    if warped.any():
        strength = config.warp * warped.float().view(-1, 1, 1, 1).to(device)
        grid = grid + strength * smooth_noise(planes, 2).permute(0, 2, 3, 1)
    moved = functional.grid_sample(planes, grid, "bilinear", "border", align_corners=False)
    flat = moved[:, NORMAL][:, :2]
    # The grid says where a pixel is from: the picture, and normals with it, turn the other way.
    moved[:, NORMAL][:, :2] = torch.einsum("nji,njhw->nihw", turn / scale.view(-1, 1, 1), flat)
    return moved
