"""The occlusion matte in the plate's pixels, and the doubt of the render."""

import torch
from torch import Tensor

from lifemask.nodes.render.filters import blur, guided
from lifemask.nodes.render.occluders import occlusion
from lifemask.nodes.render.warp import View

_RADIUS = 0.02  # of the face's width: how far an edge of the plate attracts the matte
_NEAR_FACE = 8.0  # an occluder counts from a face matte of 1 / 8
_LOW, _HIGH = 0.15, 0.55  # of the guided matte: its black and white points
_SOFTNESS = 1e-4  # log squared: contrasts above its root are edges


def in_front(
    plate: Tensor,
    own: View,
    face: Tensor,
    score: Tensor,
    line: Tensor,
    size: float,
    readiness: float,
) -> Tensor:
    """Occlusion matte (1, 1, H, W), its edges those of ``plate`` (1, 3, H, W), log.

    It ends where the ``face`` matte (1, 1, H, W) does. ``score`` (1, 1, 64, 64) and the
    matte ``line`` (1, 1, 256, 256) are in texture space, ``size`` is the face's width in pixels.
    """
    near = near_face(face)
    thick, thin = occlusion(score, readiness), (line * readiness).clamp(0, 1)
    matte = torch.maximum(own.of(thick, "bilinear"), own.of(thin, "bilinear")) * own.covered
    if (matte * near).max() < _LOW:
        return torch.zeros_like(matte)
    guide = plate.mean(1, keepdim=True)
    refined = guided(matte, guide, max(1.0, _RADIUS * size), _SOFTNESS)
    return ((refined - _LOW) / (_HIGH - _LOW)).clamp(0, 1) * near


def near_face(face: Tensor) -> Tensor:
    """Where occluders count: in the ``face`` matte and a little beyond its edge."""
    return (face * _NEAR_FACE).clamp(0, 1)


def doubt(quotient: Tensor, size: float) -> Tensor:
    """How far the re-rendered double is from the plate, (1, 1, H, W), log.

    ``quotient`` (1, 3, H, W) is the plate less the re-rendered double.
    """
    return blur(quotient.abs().mean(1, keepdim=True), max(1.0, _RADIUS * size))
