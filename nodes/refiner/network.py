"""The refiner's network: small U-Nets that blend renders of the likeness, then add a residual."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifemask.nodes.device import device
from lifemask.nodes.refiner.crop import CANDIDATES, CHANNELS, LIGHT, RENDER, level
from lifemask.nodes.unet import UNet

CHOICES = 3
"""Renders of the likeness that it blends."""

_COLOURS = slice(0, LIGHT.stop)  # the planes that have the plate's exposure
_CHOOSES, _DOUBTS = (3.0, 0.0, 0.0), -2.0  # at first: the bare render, a little uncertainty
_GAIN = 6.0  # of log values, which span a sixth
_PAINT = 0.1  # log: the change painted by a unit of the network's output
_DETAIL, _WINDOW = 9, 21  # pixels a side: anything finer is detail; the window of its regression
_NO_DETAIL = 1e-6  # log squared
_LEAST_UNCERTAINTY = 0.004  # log: that of grain


@dataclass(frozen=True)
class Prediction:
    """The refiner's output for a crop, planes (N, C, H, W).

    ``residual`` (C = 3) is added to the render, log, and removes no fine detail of it; ``matte``
    (1) is added to the logit of the face matte; ``uncertainty`` (1) is the expected mean absolute
    error, log: the scale of a Laplace distribution.
    """

    residual: Tensor
    matte: Tensor
    uncertainty: Tensor

    @classmethod
    def concatenated(cls, parts: "Iterable[Prediction]") -> "Prediction":
        """The predictions ``parts`` as one batch."""
        planes = ((part.residual, part.matte, part.uncertainty) for part in parts)
        return cls(*(torch.cat(same) for same in zip(*planes, strict=True)))


class Refiner(nn.Module):
    """Refines `crop.shown` (N, CHANNELS, H, W); it knows no person and no exposure.

    It is a deep ensemble (Lakshminarayanan et al. 2017): the outputs of its members are averaged
    before anything is blended.
    """

    def __init__(self, width: int = 48, members: int = 1) -> None:
        """Make an ensemble of ``members``; untrained, it gives the bare render."""
        super().__init__()
        self.width = width
        self.members = nn.ModuleList(_Member(width) for _ in range(members))

    @classmethod
    def ensemble(cls, refiners: "Sequence[Refiner]") -> "Refiner":
        """An ensemble of the members of all ``refiners``, which are of one width."""
        one = cls(refiners[0].width, 0)
        one.members.extend(deepcopy(member) for each in refiners for member in each.members)
        return one

    def copy_to_device(self) -> "Refiner":
        """A copy with the same weights, on the device."""
        other = Refiner(self.width, len(self.members))
        other.load_state_dict(self.state_dict())
        other.to(device())
        # Convolutions are twice as fast with channels last.
        return other.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def averaged_with(self, other: "Refiner") -> "Refiner":
        """A refiner whose weights are the mean of both (Wortsman et al. 2022)."""
        # A deep copy: a new network would draw from the random state that orders a training.
        mean, own, its = deepcopy(self), self.state_dict(), other.state_dict()
        mean.load_state_dict({name: (own[name] + its[name]) / 2 for name in own})
        return mean

    def forward(self, shown: Tensor, member: int | None = None) -> Prediction:
        """The prediction for ``shown``, float32: of all members, or of one, counted round."""
        count = len(self.members)
        asked = self.members if member is None else [self.members[member % count]]
        normal = _normalised(shown)
        half = torch.stack([one(normal).float() for one in asked]).mean(0)
        prediction = functional.interpolate(half, scale_factor=2, mode="bilinear")
        shares, paint, matte, scale = prediction.split([CHOICES, 3, 1, 1], 1)
        residual = _softened(_blended(shown, shares) + _PAINT * paint)
        # In half precision, rounding of the skin around it would hide a mole.
        with torch.autocast(device().type, enabled=False):
            residual = detail_preserving(residual, shown[:, RENDER])
        uncertainty = _LEAST_UNCERTAINTY + _PAINT * functional.softplus(scale)
        return Prediction(residual, matte, uncertainty)


class _Member(UNet):
    """A U-Net at half of the crop's resolution.

    Light is smooth, and what is fine comes from the candidates.
    """

    def __init__(self, width: int) -> None:
        """Make one whose finest level has ``width`` channels."""
        widths = [width, 2 * width, 3 * width, 4 * width, 4 * width]
        super().__init__(CHANNELS * 4, widths, CHOICES + 3 + 2)
        self.head.bias = nn.Parameter(torch.tensor([*_CHOOSES, 0, 0, 0, 0, _DOUBTS]))

    def forward(self, normal: Tensor) -> Tensor:
        """Shares, paint, matte and scale (N, 8, H / 2, W / 2)."""
        return super().forward(functional.pixel_unshuffle(normal, 2))


def _normalised(shown: Tensor) -> Tensor:
    """``shown`` without the plate's exposure and white balance, in units of about 1."""
    light = level(shown[:, LIGHT], shown)
    colours = shown[:, _COLOURS].unflatten(1, (6, 3)) - light[:, None]
    return torch.cat([colours.flatten(1, 2).clamp(-1, 1) * _GAIN, shown[:, _COLOURS.stop :]], 1)


def _blended(shown: Tensor, shares: Tensor) -> Tensor:
    """What a blend of the candidates by their ``shares`` (logits) changes in the render."""
    others = shown[:, CANDIDATES].unflatten(1, (CHOICES, 3))
    change: Tensor = ((others - others[:, :1]) * shares.softmax(1)[:, :, None]).sum(1)
    return change


def _softened(low: Tensor) -> Tensor:
    """Without anything finer than 2 pixels."""
    return functional.interpolate(functional.avg_pool2d(low, 2), scale_factor=2, mode="bilinear")


def detail_preserving(change: Tensor, render: Tensor) -> Tensor:
    """The ``change`` (N, 3, H, W), without the part that removes fine detail of the ``render``.

    A mole or a freckle is a pixel off its place in the truth, and the picture nearest to the truth
    has none. So the part of the change that opposes the render's own detail, found by regression in
    a small window, is left out.
    """
    own, fine = (_fine(planes.mean(1, keepdim=True)) for planes in (render, change))
    along = _mean(own * fine, _WINDOW) / (_mean(own**2, _WINDOW) + _NO_DETAIL)
    return change - along.clamp(max=0) * own


def _fine(planes: Tensor) -> Tensor:
    """What two means, which together are nearly a Gaussian of 4 pixels, leave."""
    return planes - _mean(_mean(planes, _DETAIL), _DETAIL)


def _mean(planes: Tensor, side: int) -> Tensor:
    """The mean of ``side`` by ``side`` pixels around each: of columns, then of rows."""
    half = side // 2
    columns = functional.avg_pool2d(planes, (side, 1), 1, (half, 0), count_include_pad=False)
    return functional.avg_pool2d(columns, (1, side), 1, (0, half), count_include_pad=False)
