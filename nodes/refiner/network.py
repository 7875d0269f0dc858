"""The network: small U-Nets that choose between pictures of the likeness before they paint."""

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
"""Candidate pictures of the likeness that it chooses between."""

_COLOURS = slice(0, LIGHT.stop)  # the planes that have the plate's exposure
_CHOOSES, _DOUBTS = (3.0, 0.0, 0.0), -2.0  # at first: the bare render, and a little doubt
_GAIN = 6.0  # of log values, which span a sixth
_PAINT = 0.1  # log: the change painted by a unit of the network's answer
_DETAIL, _WINDOW = 9, 21  # pixels a side: anything finer is detail; the window of its regression
_NO_DETAIL = 1e-6  # log squared
_LEAST_SPREAD = 0.004  # log: nothing is surer than grain


@dataclass(frozen=True)
class Answer:
    """The refiner's output for a crop, planes (N, C, H, W).

    ``change`` (C = 3) to add to the render, log: of what is fine in that nothing is taken
    away; ``matte`` (1) to add to the logit of the face matte;
    ``spread`` (1), log: the mean absolute error that it expects, a Laplace distribution's scale.
    """

    change: Tensor
    matte: Tensor
    spread: Tensor

    @classmethod
    def joined(cls, parts: "Iterable[Answer]") -> "Answer":
        """All of ``parts``, one after the other."""
        planes = ((part.change, part.matte, part.spread) for part in parts)
        return cls(*(torch.cat(same) for same in zip(*planes, strict=True)))


class Refiner(nn.Module):
    """Answers `crop.shown` (N, CHANNELS, H, W); knows no person and no exposure.

    Its members' outputs are averaged before the choice: networks that learned apart err apart
    (Lakshminarayanan et al. 2017).
    """

    def __init__(self, width: int = 48, members: int = 1) -> None:
        """Make one with so many members of a ``width``; untrained, it returns the bare render."""
        super().__init__()
        self.width = width
        self.members = nn.ModuleList(_Member(width) for _ in range(members))

    @classmethod
    def together(cls, refiners: "Sequence[Refiner]") -> "Refiner":
        """A refiner with the members of all of them, which must have one width."""
        one = cls(refiners[0].width, 0)
        one.members.extend(deepcopy(member) for each in refiners for member in each.members)
        return one

    def twin(self) -> "Refiner":
        """A copy with the same weights, on `device`."""
        other = Refiner(self.width, len(self.members))
        other.load_state_dict(self.state_dict())
        other.to(device())
        # Convolutions are twice as fast with channels last.
        return other.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def between(self, other: "Refiner") -> "Refiner":
        """A refiner whose weights are the mean of both (Wortsman et al. 2022)."""
        # A copy: a new network would draw from the random numbers that order a training.
        mean, own, its = deepcopy(self), self.state_dict(), other.state_dict()
        mean.load_state_dict({name: (own[name] + its[name]) / 2 for name in own})
        return mean

    def forward(self, shown: Tensor, turn: int | None = None) -> Answer:
        """The answer to ``shown``, float32: of the member whose ``turn`` it is, or of all."""
        count = len(self.members)
        asked = self.members if turn is None else [self.members[turn % count]]
        normal = _normalised(shown)
        half = torch.stack([member(normal).float() for member in asked]).mean(0)
        answer = functional.interpolate(half, scale_factor=2, mode="bilinear")
        shares, paint, matte, spread = answer.split([CHOICES, 3, 1, 1], 1)
        change = _softened(_chosen(shown, shares) + _PAINT * paint)
        # In half precision, rounding of the skin around it would hide a mole.
        with torch.autocast(device().type, enabled=False):
            change = sparing(change, shown[:, RENDER])
        return Answer(change, matte, _LEAST_SPREAD + _PAINT * functional.softplus(spread))


class _Member(UNet):
    """A U-Net at half the crop's size: light is smooth, and detail comes from the candidates."""

    def __init__(self, width: int) -> None:
        """Make one with ``width`` channels at its finest level."""
        widths = [width, 2 * width, 3 * width, 4 * width, 4 * width]
        super().__init__(CHANNELS * 4, widths, CHOICES + 3 + 2)
        self.head.bias = nn.Parameter(torch.tensor([*_CHOOSES, 0, 0, 0, 0, _DOUBTS]))

    def forward(self, normal: Tensor) -> Tensor:
        """Shares, paint, matte and spread (N, 8, H / 2, W / 2)."""
        return super().forward(functional.pixel_unshuffle(normal, 2))


def _normalised(shown: Tensor) -> Tensor:
    """``shown`` without the plate's exposure and white balance, in units of about 1."""
    light = level(shown[:, LIGHT], shown)
    colours = shown[:, _COLOURS].unflatten(1, (6, 3)) - light[:, None]
    return torch.cat([colours.flatten(1, 2).clamp(-1, 1) * _GAIN, shown[:, _COLOURS.stop :]], 1)


def _chosen(shown: Tensor, shares: Tensor) -> Tensor:
    """The change of the render by choosing other candidates."""
    others = shown[:, CANDIDATES].unflatten(1, (CHOICES, 3))
    change: Tensor = ((others - others[:, :1]) * shares.softmax(1)[:, :, None]).sum(1)
    return change


def _softened(low: Tensor) -> Tensor:
    """Without anything finer than 2 pixels."""
    return functional.interpolate(functional.avg_pool2d(low, 2), scale_factor=2, mode="bilinear")


def sparing(change: Tensor, render: Tensor) -> Tensor:
    """The ``change`` (N, 3, H, W), without the part that removes fine detail of the ``render``.

    A mole or a freckle is a pixel off its place in the truth, and the picture nearest to the truth
    has none. So the part of the change that opposes the render's own detail, found by regression in
    a small window, is left out.
    """
    own, fine = (_fine(planes.mean(1, keepdim=True)) for planes in (render, change))
    along = _mean(own * fine, _WINDOW) / (_mean(own**2, _WINDOW) + _NO_DETAIL)
    return change - along.clamp(max=0) * own


def _fine(planes: Tensor) -> Tensor:
    """The detail finer than two box means, which together are nearly a Gaussian of 4 pixels."""
    return planes - _mean(_mean(planes, _DETAIL), _DETAIL)


def _mean(planes: Tensor, side: int) -> Tensor:
    """The mean of ``side`` by ``side`` pixels around each: of columns, then of rows."""
    half = side // 2
    columns = functional.avg_pool2d(planes, (side, 1), 1, (half, 0), count_include_pad=False)
    return functional.avg_pool2d(columns, (1, side), 1, (0, half), count_include_pad=False)
