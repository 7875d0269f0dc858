"""Find occluders: texels that neither the face's albedo nor a change of light explains.

Light and albedo explain most of a texture. Their residual is compared, texel by texel, with the
usual one. An occluder is brighter or has another colour. A texel that is only darker is its shadow
and belongs on the face, or it is a thin occluder (`thin_occluders`).
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
_SHADOW_COLOUR = 1.0  # log of colour that a shadow may have for each log of darkening
_MOST, _MOST_BRIGHT = 100.0, 6.0
SURE, MAYBE = 2.6, 1.6  # scores
_NEAR = 6.0  # texels: an occluder is no isolated spot
_ALONE, _TOGETHER = 0.1, 0.25
_MOST_COMPARED = 240  # frames
_SEEN, _UNSEEN = 0.15, 0.7  # threshold of the network's output; weight of a score below it


def scores(textures: Textures, left: Tensor, known: Tensor) -> Tensor:
    """How surprising each texel is, (N, 1, 64, 64); 1 is usual.

    ``left`` (N, 3, 64, 64), log, is the residual of the coarse ``textures`` after light and
    albedo. The usual residual is learned where the face is ``known`` (N, 1, 64, 64), 0..1.
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
    """The ``score`` (N, 1, 64, 64), combined with a network's matte ``front`` (N, 1, 64, 64).

    A texel that the network marks is an occluder; any other has to be more surprising to be one.
    """
    seen = (front / _SEEN).clamp(max=1)
    return torch.maximum(score * (_UNSEEN + (1 - _UNSEEN) * seen), front * SURE)


def occlusion(score: Tensor) -> Tensor:
    """The matte, 0..1, of a ``score``."""
    likely = ((score - MAYBE) / (SURE - MAYBE)).clamp(0, 1)
    dense = (blur(likely, _NEAR) - _ALONE) / (_TOGETHER - _ALONE)
    return likely * dense.clamp(0, 1)


def _typical(values: Tensor, valid: Tensor) -> Tensor:
    step = -(-len(values) // _MOST_COMPARED)
    return weighted_median(values[::step], valid[::step])[None]


def _brightness(brighter: Tensor, valid: Tensor) -> Tensor:
    """Evidence of an occluder from brightness; never sure alone, since a highlight moves, too."""
    score = (brighter.clamp(min=0) / _usual(brighter, valid, _LEAST_BRIGHT)) ** 2
    return score.clamp(max=_MOST_BRIGHT)


def _usual(values: Tensor, valid: Tensor, least: float) -> Tensor:
    """Standard deviation of each texel over the frames, robust: from the median deviation."""
    return (1.48 * _typical(values.abs(), valid)).clamp(min=least)


@per_atlas
def _still() -> Tensor:
    """The parts of a face that expressions do not change: not the openings, not the outline."""
    moving = [
        coarse(atlas().polygon(points, 9, 1.5))
        for points in (topology.INNER_LIPS, topology.RIGHT_EYE, topology.LEFT_EYE)
    ]
    return (1 - torch.cat(moving).sum(0, keepdim=True)).clamp(0, 1) * coarse(atlas().face)
