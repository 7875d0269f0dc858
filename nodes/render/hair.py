"""Hair over the forehead.

A fringe in the takes must not appear on the double, and the double's own fringe stays in front.
"""

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.render.atlas import atlas, coarse, per_atlas
from lifemask.nodes.render.filters import blur

_USUAL, _USUAL_TINT = 0.05, 0.02  # log: how far an albedo may be from the mean face's
_MAYBE, _SURE = 0.7, 1.3
_BELOW = 5  # texels that brows may rise


def fringe(albedo: Tensor) -> Tensor:
    """Where hair covers the forehead, (1, 1, 64, 64), 0..1, given the ``albedo`` (3, 64, 64)."""
    apart = albedo - _mean().to(albedo.device)
    grey = apart.mean(0, keepdim=True)
    unlike = torch.maximum(
        grey.abs() / _USUAL, (apart - grey).norm(dim=0, keepdim=True) / _USUAL_TINT
    )
    found = ((unlike - _MAYBE) / (_SURE - _MAYBE)).clamp(0, 1) * _above().to(albedo.device)
    return (blur(found, 1.0) * 1.5).clamp(0, 1)


def without_fringe(albedo: Tensor, hair: Tensor) -> Tensor:
    """The ``albedo`` with the mean face's forehead where there is ``hair``."""
    mean, skin = _mean().to(albedo.device), coarse(atlas().skin).to(albedo.device)
    weight = skin[0] * (1 - hair[0])
    level = ((albedo - mean) * weight).sum((1, 2), keepdim=True) / (weight.sum() + 1e-6)
    return torch.lerp(albedo, mean + level, hair[0])


def _mean() -> Tensor:
    return torch.from_numpy(atlas().albedo).permute(2, 0, 1)


@per_atlas
def _above() -> Tensor:
    """The forehead and temples: everything above the brows."""
    low = atlas().mean[list(topology.OVAL), 1] > np.median(atlas().mean[list(topology.OVAL), 1])
    jaw = tuple(point for point, below in zip(topology.OVAL, low, strict=True) if below)
    below = atlas().polygon(topology.RIGHT_BROW + topology.LEFT_BROW + jaw, _BELOW, 1.5)
    return 1 - coarse(below)
