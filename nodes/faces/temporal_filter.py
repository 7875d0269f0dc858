"""A Gaussian over the frames of a run."""

import math

import torch
from torch import Tensor


def smoothed(
    table: Tensor, sigma: float, trend: bool = False, dtype: torch.dtype | None = None
) -> Tensor:
    """Return ``table`` (T, C) of one run, smoothed by a Gaussian of ``sigma`` frames.

    Beyond both ends the first and the last row hold, or with ``trend`` go on as they came.
    ``dtype`` is that of the sums, and of the result; by default that of the table.
    """
    if sigma <= 0:
        return table.to(dtype or table.dtype)
    radius = math.ceil(3 * sigma)
    taps = torch.arange(-radius, radius + 1, dtype=dtype or table.dtype, device=table.device)
    kernel = torch.exp(-0.5 * (taps / sigma) ** 2)
    windows = _extended(table, radius, trend).to(kernel.dtype).unfold(0, 2 * radius + 1, 1)
    return (windows * (kernel / kernel.sum())).sum(-1)


def _extended(table: Tensor, radius: int, trend: bool) -> Tensor:
    """``table`` with ``radius`` rows more at either end."""
    first, last = table[:1], table[-1:]
    # A short run has too little to mirror.
    if not trend or len(table) <= radius:
        return torch.cat([first.expand(radius, -1), table, last.expand(radius, -1)])
    before = 2 * first - table[1 : radius + 1].flip(0)
    after = 2 * last - table[-radius - 1 : -1].flip(0)
    return torch.cat([before, table, after])
