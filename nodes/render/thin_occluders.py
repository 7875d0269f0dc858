"""Find thin dark occluders, such as the rims of spectacles: too fine for `occluders`.

A closing (Serra 1982, ch. II) fills anything thin and dark. Where it fills more than usual, all
along a line, something is in front. The usual amount is learned from the frames with the least to
fill, because spectacles may be worn for most of a shot.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.render.atlas import Floats, atlas, per_atlas
from lifemask.nodes.render.descriptors import luminance
from lifemask.nodes.render.filters import dilate, erode, masked_blur
from lifemask.nodes.render.light import weighted_quantile

LEAST = 8
"""Faces needed to learn the usual amount."""

_GRAIN, _RADIUS = 0.7, 5  # texels: sigma that hides grain; half the width of the thickest line
_SEEN = 0.05  # validity from which a texel counts
_STRAY = 2  # texels by which a face's own lines move
_LOW, _MIDDLE = 0.1, 0.3  # quantiles of the frames
_BETWEEN = 0.757  # standard deviations between these, of a normal distribution
_LEAST_SPREAD = 0.015  # log: never surprising
_MAYBE, _SURE = 2.1, 3.1  # deviations
_LONG, _MANY = 35, 100  # texels: how long a line is, and at how many it is sure
_DARKEST, _BRIGHTEST = -9.0, 9.0  # log: beyond any picture


def depth(colour: Tensor, valid: Tensor) -> Tensor:
    """How dark and thin each texel is, (N, 1, H, W): how much a closing of the texture fills.

    ``colour`` (N, 3, H, W) is log, ``valid`` (N, 1, H, W) is 0..1; invalid texels are no border.
    """
    seen = valid > _SEEN
    grey = masked_blur(luminance(colour)[:, None], valid, _GRAIN)
    over = dilate(torch.where(seen, grey, _DARKEST), _RADIUS)
    return (erode(torch.where(seen, over, _BRIGHTEST), _RADIUS) - grey) * seen


@dataclass(frozen=True)
class Usual:
    """The usual depth of a performer's own face: ``middle`` and ``spread``, log.

    Both are (1, 1, H, W).
    """

    middle: Tensor
    spread: Tensor

    @classmethod
    def of(cls, depths: Tensor, valid: Tensor) -> "Usual":
        """Learn from the `depth` and the validity (N, 1, H, W) of faces."""
        stray = dilate(depths, _STRAY)
        low, middle = (weighted_quantile(stray, valid, share) for share in (_LOW, _MIDDLE))
        apart = ((middle - low) / _BETWEEN).clamp(min=_LEAST_SPREAD)
        return cls(middle[None], apart[None])


def lines(depths: Tensor, usual: Usual) -> Tensor:
    """The matte (N, 1, SIZE, SIZE), 0..1, of thin occluders, given the `depth`."""
    deviation = (depths - usual.middle) / usual.spread * _still().to(depths.device)
    likely = ((deviation - _MAYBE) / (_SURE - _MAYBE)).clamp(0, 1)
    whole = [_long(plane) for plane in likely[:, 0].cpu().numpy()]
    return likely * torch.from_numpy(np.stack(whole)).to(likely)[:, None]


def _long(likely: Floats) -> NDArray[np.bool_]:
    """Which texels (H, W) belong to a line that is long and, in enough places, sure."""
    import cv2

    count, label, extent, _ = cv2.connectedComponentsWithStats((likely > 0).astype(np.uint8))
    sides = extent[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1)
    sure = np.bincount(label[likely >= 1], minlength=count)
    kept = (sides >= _LONG) & (sure >= _MANY)
    kept[0] = False
    return np.asarray(kept[label], bool)


@per_atlas
def _still() -> Tensor:
    """The parts of a face that never show lines, (1, 1, SIZE, SIZE): 0 or 1."""
    eyes = [atlas().polygon(eye, 9, 1.5) for eye in (topology.RIGHT_EYE, topology.LEFT_EYE)]
    moving = np.sum([atlas().polygon(topology.LIPS, 15, 3), *eyes], 0)
    return torch.from_numpy((atlas().face - moving > 0.3).astype(np.float32))[None, None]
