"""The composite: the generated face over the plate, by bands, in linear light."""

import torch
from torch import Tensor

from lifemask.nodes.render.filters import feather, shrink, smooth

_GLINT = 24.0  # means of the face: a larger difference is a glint or a broken pixel


def blended(
    plate: Tensor, generated: Tensor, alpha: Tensor, width: float, shaven: Tensor
) -> Tensor:
    """``generated`` over ``plate`` (1, 3, H, W), linear, through ``alpha`` (1, 1, H, W).

    Unlike light that is coarser than ``width`` pixels is blended over that width inside of the
    matte, all else at the matte's own edge (two bands of Burt and Adelson 1983). It is what tells
    ``generated`` from the plate ``shaven``, without what is darker on the double's skin: else a
    beard would come in over that width. Single pixels of the plate, however bright, do not glow.
    Where alpha is 0 the plate is untouched.
    """
    whole = plate + alpha * (generated - plate)
    if width < 1:
        return whole
    mean = (generated.abs().mean(1, True) * alpha).sum() / alpha.sum().clamp(min=1e-6)
    unlike = (generated - shaven).clamp(-_GLINT * mean, _GLINT * mean)
    inside = shrink(alpha, max(1, round(width / 2)))
    wide = torch.minimum(feather(inside, width / 2), alpha)
    return whole - (alpha - wide) * smooth(unlike, alpha, width)
