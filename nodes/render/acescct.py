"""The ACEScct curve on tensors, for the renderer's own pictures on the GPU.

The primaries stay ACEScg's. Academy S-2016-001, section 4.4; the toe is a line that keeps
negatives.
"""

import torch
from torch import Tensor

STOP = 1 / 17.52  # one stop, in the log part of the curve
BRIGHTEST = 1.45  # log of what half float can hold with room to spare: cubic filters overshoot
_BREAK, _BREAK_LOG = 0.0078125, 0.155251141552511
_SLOPE, _OFFSET = 10.5402377416545, 0.0729055341958355


def to_log(linear: Tensor) -> Tensor:
    """Return the curve of scene-linear values."""
    log = (torch.log2(linear.clamp(min=_BREAK)) + 9.72) * STOP
    return torch.where(linear <= _BREAK, linear * _SLOPE + _OFFSET, log)


def light_to_log(linear: Tensor) -> Tensor:
    """Return the curve of scene-linear values that are read as light: what is below zero is black.

    The curve's toe would make of a small negative the darkest thing that there is.
    """
    return to_log(linear.clamp(min=0))


def to_linear(log: Tensor) -> Tensor:
    """Return the scene-linear values of the curve, up to 53,000."""
    log = log.clamp(max=BRIGHTEST)
    linear = torch.exp2(log / STOP - 9.72)
    return torch.where(log <= _BREAK_LOG, (log - _OFFSET) / _SLOPE, linear)
