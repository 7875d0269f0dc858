"""Taking off spectacles that the double wears: rims and lenses."""

from dataclasses import replace

import torch
from torch import Tensor

from lifemask.nodes.render.filters import dilate, erode
from lifemask.nodes.render.glass import Glass
from lifemask.nodes.swap.front import Front

_THIN = 0.035  # of the face's width: what is narrower than twice that may be a rim
_NEAR = 0.22  # of the face's width: rims, bridge and temples are this near to a lens
_BESIDE = 0.015  # of the face's width: shadow and blur beside them


def taken_off(
    front: Front, carried: Tensor, predicted: Tensor, width: float
) -> tuple[Front, Tensor]:
    """Remove spectacles from ``front`` and from the ``carried`` plate; return both.

    Anything thin near a lens counts as a rim; without a lens nothing changes. ``predicted``
    (1, 3, H, W), log, fills ``carried`` where they were. ``width`` is the face's, in pixels.
    """
    thin = front.occlusion - _opened(front.occlusion, _pixels(_THIN, width))
    rims = thin * dilate(front.glass.lens, _pixels(_NEAR, width))
    worn = dilate(torch.maximum(rims, front.glass.lens), _pixels(_BESIDE, width))
    off = Glass(torch.zeros_like(front.glass.lens), front.glass.transmission)
    bare = replace(front, occlusion=(front.occlusion - rims).clamp(min=0), glass=off)
    return bare, torch.lerp(carried, predicted, worn)


def _opened(matte: Tensor, radius: int) -> Tensor:
    """The morphological opening: what is narrower than twice the ``radius`` is gone."""
    return torch.minimum(dilate(erode(matte, radius), radius), matte)


def _pixels(share: float, width: float) -> int:
    return max(1, round(share * width))
