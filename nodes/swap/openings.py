"""Match eyes and mouth of the chosen pictures to the plate's."""

import torch
from torch import Tensor

from lifemask.nodes.render.descriptors import FaceDescriptors, luminance

# The contrast of dark eyes in the plate is a poor guide for light ones.
_CONTRAST = {"mouth": (0.7, 1.8), "right_eye": (0.7, 1.4), "left_eye": (0.7, 1.4)}
_MOST_LIFT = 0.12  # log
_MISFIT = (0.03, 0.06)  # log: differences from which a mouth fits less, and not at all
_TEETH = 0.08  # log between dark and bright, from which an open mouth shows teeth


def misfits(table: Tensor, path: Tensor) -> Tensor:
    """The misfit of the mouths of the pictures on a ``path`` (T,) to the subject's, (T, 1), 0..1.

    ``table`` (T, N) has it for all pictures, log.
    """
    low, high = _MISFIT
    return ((table.gather(1, path[:, None]) - low) / (high - low)).clamp(0, 1)


def matched(
    name: str, likeness: FaceDescriptors, path: Tensor, dark: Tensor, bright: Tensor
) -> Tensor:
    """Contrast, pivot and lift, (T, 7), of an opening of the pictures on a ``path`` (T,).

    ``dark`` (T,) and ``bright`` (T, 3) are the plate's, log.
    """
    own_dark, own_bright = likeness.opening(name)
    span = _grey(bright) - dark
    own_span = _grey(own_bright[path]) - own_dark[path]
    contrast = ((span + 0.02) / (own_span + 0.02)).clamp(*_CONTRAST[name])
    lift = (bright - own_bright[path]).clamp(-_MOST_LIFT, _MOST_LIFT)
    if name == "mouth":
        lift = lift * (span / _TEETH).clamp(0, 1)[:, None]
    return torch.cat([contrast[:, None], own_bright[path], lift], 1)


def unmatched(table: Tensor) -> Tensor:
    """The ``table`` (T, 7) of `matched` that leaves an opening as it is."""
    rest = [torch.ones_like(table[:, :1]), table[:, 1:4], torch.zeros_like(table[:, 4:])]
    return torch.cat(rest, 1)


def _grey(colour: Tensor) -> Tensor:
    """Luminance (N,) of colours (N, 3)."""
    return luminance(colour[..., None, None])[:, 0, 0]
