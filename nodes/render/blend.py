"""The composite: the generated face over the plate, by bands, in linear light."""

import torch
from torch import Tensor

from lifemask.nodes.render.sample import feather, shrink, smooth


def blended(plate: Tensor, generated: Tensor, alpha: Tensor, width: float) -> Tensor:
    """``generated`` over ``plate`` (1, 3, H, W), linear, through ``alpha`` (1, 1, H, W).

    What is coarser than ``width`` pixels is blended over that width inside of the matte, what is
    finer at the matte's own edge (two bands of Burt and Adelson 1983). Where alpha is 0 the plate
    is untouched.
    """
    difference = generated - plate
    if width < 1:
        return plate + alpha * difference
    coarse = smooth(difference, alpha, width)
    inside = shrink(alpha, max(1, round(width / 2)))
    wide = torch.minimum(feather(inside, width / 2), alpha)
    return plate + wide * coarse + alpha * (difference - coarse)
