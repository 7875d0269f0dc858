"""The U-Net (Ronneberger et al. 2015) that the networks here are made of."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class UNet(nn.Module):
    """Maps planes (N, inward, H, W) to planes (N, outward, H, W).

    H and W are multiples of 2 to the number of ``widths`` less one: each level has half the side
    of the one before, and so many channels.
    """

    def __init__(self, inward: int, widths: Sequence[int], outward: int) -> None:
        """Make one whose output is 0 at first, whatever the input."""
        super().__init__()
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise([inward, *widths]))
        self.up = nn.ModuleList(_block(a + b, b) for a, b in pairwise(widths[::-1]))
        self.head = nn.Conv2d(widths[0], outward, 1)
        self.head.weight.data.zero_()
        self.head.bias = nn.Parameter(torch.zeros(outward))

    def forward(self, shown: Tensor) -> Tensor:
        """The output."""
        levels, hidden = [], shown
        for depth, block in enumerate(self.down):
            hidden = block(functional.avg_pool2d(hidden, 2) if depth else hidden)
            levels.append(hidden)
        for block, beside in zip(self.up, levels[-2::-1], strict=True):
            grown = functional.interpolate(hidden, scale_factor=2, mode="bilinear")
            hidden = block(torch.cat([grown, beside], 1))
        output: Tensor = self.head(hidden)
        return output


def _block(inward: int, outward: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inward, outward, 3, padding=1),
        nn.GroupNorm(4, outward),
        nn.SiLU(),
        nn.Conv2d(outward, outward, 3, padding=1),
        nn.GroupNorm(4, outward),
        nn.SiLU(),
    )
