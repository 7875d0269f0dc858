"""A face behind glass: lenses in front of it take light away, and reflect some."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.filters import dilate

_TINTED = 0.85  # a lens that lets more through is clear
_AROUND = 0.05  # of the face's width: the skin beside a lens
_GLARE = 2.0  # times what is behind: a plate that is brighter reflects something
_FEW = 4.0  # pixels: a lens of fewer is none


@dataclass(frozen=True)
class Glass:
    """Where a ``lens`` is, and the share of light that passes it, (1, 1, H, W), 0..1."""

    lens: Tensor
    transmission: Tensor

    def before(
        self, face: Tensor, plate: Tensor, double: Tensor, light: Tensor, width: float
    ) -> Tensor:
        """A new ``face`` (1, 3, H, W), linear, as it is seen through the lenses.

        ``double`` is what the plate should show behind them, linear, and ``light``, log, what falls
        on the face there; ``width`` is the face's, in pixels.
        """
        if self.lens.sum() < _FEW:
            return face
        tinted = face * self._tint(light, width)
        glare = (plate - _GLARE * torch.maximum(double, tinted)).clamp(min=0)
        return torch.lerp(face, tinted + glare, self.lens)

    def _tint(self, light: Tensor, width: float) -> Tensor:
        """What the lens takes from the face: less where the ``light`` has lost it already."""
        passes = _mean(self.transmission, self.lens)
        if passes > _TINTED:
            return torch.ones_like(passes)
        beside = (dilate(self.lens, max(1, round(_AROUND * width))) - self.lens).clamp(0, 1)
        lost = (_mean(light, beside) - _mean(light, self.lens)).mean(1, keepdim=True)
        return torch.maximum(passes, passes * torch.exp2(lost / STOP)).clamp(max=1)


def _mean(planes: Tensor, weight: Tensor) -> Tensor:
    return (planes * weight).sum((2, 3), True) / weight.sum((2, 3), True).clamp(min=1e-6)
