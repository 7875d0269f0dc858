"""What lies before a face: where its texture is neither itself nor itself in another light.

Light and albedo explain most of a texture. What they leave is compared, texel by texel, with what
they usually leave: an occluder is unlike it in colour or brighter; a shadow is only darker, and so
counts for less.
"""

from functools import cache

import torch
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.render.atlas import atlas, coarse
from lifemask.nodes.render.light import weighted_median
from lifemask.nodes.render.sample import blur
from lifemask.nodes.render.texture import Textures

_LUMINANCE = (0.2722, 0.6741, 0.0537)  # AP1
_LEAST_BRIGHT, _LEAST_COLOUR = 0.02, 0.006  # log: differences that are never surprising
_DARKER = 0.45
_MOST = 100.0
_SURE, _MAYBE = 2.6, 1.6  # scores
_NEAR = 3.0  # texels: an occluder is no lonely spot
_ALONE, _TOGETHER = 0.25, 0.5
_MOST_COMPARED = 240  # frames


def scores(textures: Textures, left: Tensor) -> Tensor:
    """How surprising each texel is, (N, 1, 64, 64), given what light and albedo ``left``
    (N, 3, 64, 64) of coarse ``textures``; 1 is usual.
    """
    weights = torch.tensor(_LUMINANCE, device=left.device).view(1, 3, 1, 1)
    grey = (left * weights).sum(1, keepdim=True)
    colour = left - left.mean(1, keepdim=True)
    brighter = grey - _typical(grey, textures.valid)
    tinted = (colour - _typical(colour, textures.valid)).norm(dim=1, keepdim=True)
    usual = (1.48 * _typical(brighter.abs(), textures.valid)).clamp(min=_LEAST_BRIGHT)
    usual_tint = (1.48 * _typical(tinted, textures.valid)).clamp(min=_LEAST_COLOUR)
    brighter = torch.where(brighter < 0, brighter * _DARKER, brighter)
    score = ((brighter / usual) ** 2 + (tinted / usual_tint) ** 2).clamp(max=_MOST)
    trust = (textures.valid - 0.3).clamp(min=0) * _still().to(left.device) + 1e-3
    return (blur(score * trust, 1.0) / blur(trust, 1.0)).sqrt() * (textures.valid > 0.05)


def occlusion(score: Tensor, readiness: float = 1.0) -> Tensor:
    """The matte, 0..1, of a ``score``; a higher ``readiness`` finds more, 0 nothing."""
    likely = ((score * readiness - _MAYBE) / (_SURE - _MAYBE)).clamp(0, 1)
    dense = (blur(likely, _NEAR) - _ALONE) / (_TOGETHER - _ALONE)
    return likely * dense.clamp(0, 1)


def _typical(values: Tensor, valid: Tensor) -> Tensor:
    step = -(-len(values) // _MOST_COMPARED)
    return weighted_median(values[::step], valid[::step])[None]


@cache
def _still() -> Tensor:
    """Where a face looks the same whatever it does: neither in the openings nor at the outline."""
    moving = [
        coarse(atlas().polygon(points, 9, 1.5))
        for points in (topology.INNER_LIPS, topology.RIGHT_EYE, topology.LEFT_EYE)
    ]
    return (1 - torch.cat(moving).sum(0, keepdim=True)).clamp(0, 1) * coarse(atlas().face)
