"""The composite: the generated face over the plate, by bands, in linear light."""

import torch
from torch import Tensor

from lifemask.nodes.render.filters import border_blur, erode, masked_blur

_GLINT = 24.0  # means of the face: a larger difference is a glint or a broken pixel


def blended(
    plate: Tensor, generated: Tensor, alpha: Tensor, width: float, shaven: Tensor
) -> Tensor:
    """``generated`` over ``plate`` (1, 3, H, W), linear, through ``alpha`` (1, 1, H, W).

    Differences of light coarser than ``width`` pixels are blended over that width inside the
    matte, everything else at the matte's own edge (two bands of Burt and Adelson 1983). They are
    measured against ``shaven``, the plate without what is darker on the double's skin: otherwise
    a beard would bleed in over that width. Single bright pixels of the plate do not glow. Where
    alpha is 0 the plate is untouched.
    """
    whole = plate + alpha * (generated - plate)
    if width < 1:
        return whole
    mean = (generated.abs().mean(1, True) * alpha).sum() / alpha.sum().clamp(min=1e-6)
    unlike = (generated - shaven).clamp(-_GLINT * mean, _GLINT * mean)
    inside = erode(alpha, max(1, round(width / 2)))
    wide = torch.minimum(border_blur(inside, width / 2), alpha)
    return whole - (alpha - wide) * masked_blur(unlike, alpha, width)
