"""What lies before a face: where its texture is neither itself nor itself in another light.

Light and albedo explain most of a texture. What they leave is compared, texel by texel, with what
they usually leave. An occluder is brighter, or another colour; what is only darker is its shadow,
and belongs on the face, or it is thin (`lines`).
"""

import torch
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.render.atlas import atlas, coarse, per_atlas
from lifemask.nodes.render.descriptors import luminance
from lifemask.nodes.render.filters import blur
from lifemask.nodes.render.light import weighted_median
from lifemask.nodes.render.texture import Textures

_LEAST_BRIGHT, _LEAST_COLOUR = 0.02, 0.006  # log: never surprising
_SHADOW_COLOUR = 1.0  # log of colour that a shadow may have for each log that it is darker
_MOST, _MOST_BRIGHT = 100.0, 6.0
SURE, MAYBE = 2.6, 1.6  # scores
_NEAR = 6.0  # texels: an occluder is no lonely spot
_ALONE, _TOGETHER = 0.1, 0.25
_MOST_COMPARED = 240  # frames
_SEEN, _UNSEEN = 0.15, 0.7  # what a network sees from, and what a score counts where it does not


def scores(textures: Textures, left: Tensor, known: Tensor) -> Tensor:
    """How surprising each texel is, (N, 1, 64, 64); 1 is usual.

    ``left`` (N, 3, 64, 64), log, is what light and albedo leave of the coarse ``textures``. What
    is usual is learnt from what is ``known`` (N, 1, 64, 64), 0..1, to be the face.
    """
    grey = luminance(left)[:, None]
    colour = left - left.mean(1, keepdim=True)
    brighter, tint = (part - _typical(part, known) for part in (grey, colour))
    tint = tint.norm(dim=1, keepdim=True)
    shadow = _SHADOW_COLOUR * (-brighter).clamp(min=0)
    coloured = (tint / (_usual(tint, known, _LEAST_COLOUR) + shadow)) ** 2
    score = (_brightness(brighter, known) + coloured).clamp(max=_MOST)
    trust = (textures.valid - 0.3).clamp(min=0) * _still().to(left.device) + 1e-3
    return (blur(score * trust, 1.0) / blur(trust, 1.0)).sqrt() * (textures.valid > 0.05)


def agreed(score: Tensor, front: Tensor) -> Tensor:
    """The ``score`` (N, 1, 64, 64), given what a network sees in ``front`` (N, 1, 64, 64).

    What it sees is an occluder; what it does not see has to be more surprising to be one.
    """
    seen = (front / _SEEN).clamp(max=1)
    return torch.maximum(score * (_UNSEEN + (1 - _UNSEEN) * seen), front * SURE)


def occlusion(score: Tensor, readiness: float = 1.0) -> Tensor:
    """The matte, 0..1, of a ``score``; a higher ``readiness`` finds more, 0 nothing."""
    likely = ((score * readiness - MAYBE) / (SURE - MAYBE)).clamp(0, 1)
    dense = (blur(likely, _NEAR) - _ALONE) / (_TOGETHER - _ALONE)
    return likely * dense.clamp(0, 1)


def _typical(values: Tensor, valid: Tensor) -> Tensor:
    step = -(-len(values) // _MOST_COMPARED)
    return weighted_median(values[::step], valid[::step])[None]


def _brightness(brighter: Tensor, valid: Tensor) -> Tensor:
    """How much brightness speaks for an occluder; alone never for sure: a highlight moves, too."""
    score = (brighter.clamp(min=0) / _usual(brighter, valid, _LEAST_BRIGHT)) ** 2
    return score.clamp(max=_MOST_BRIGHT)


def _usual(values: Tensor, valid: Tensor, least: float) -> Tensor:
    """Standard deviation of each texel over the frames, robust: from the median deviation."""
    return (1.48 * _typical(values.abs(), valid)).clamp(min=least)


@per_atlas
def _still() -> Tensor:
    """Where a face looks the same whatever it does: neither in the openings nor at the outline."""
    moving = [
        coarse(atlas().polygon(points, 9, 1.5))
        for points in (topology.INNER_LIPS, topology.RIGHT_EYE, topology.LEFT_EYE)
    ]
    return (1 - torch.cat(moving).sum(0, keepdim=True)).clamp(0, 1) * coarse(atlas().face)
