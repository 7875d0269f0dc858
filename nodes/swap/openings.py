"""Match eyes and mouth of the chosen pictures to the plate's."""

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.head.mouth import opening
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.descriptors import FaceDescriptors, luminance

# The contrast of dark eyes in the plate is a poor guide for light ones.
_CONTRAST = {"mouth": (0.7, 1.8), "right_eye": (0.7, 1.4), "left_eye": (0.7, 1.4)}
_MOST_LIFT = 0.12  # log
_MISFIT = (0.03, 0.06)  # log: differences from which a mouth fits less, and not at all
_LACKING = (0.4, 0.7)  # of an opening: what no picture shows of it, from little to most
_OPEN = (0.15, 0.5)  # square centimetres between the lips, from which their inside is seen
_WHITES = 0.8  # quantile of the pictures
_IVORY = (0.5, 0.45, 0.25)  # stops from the whites of eyes to teeth as much in the light
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


def unopened(target: Floats, shown: Floats) -> Floats:
    """How much of its opening a mouth lacks in the picture that serves it, (T,), 0..1.

    By the area between the lips of shapes (T, 478, 3): of the ``target``, and as ``shown``.
    """
    wanted, there = (np.array([opening(shape) for shape in shapes]) for shapes in (target, shown))
    low, high = _LACKING
    lacking = (1 - there / np.maximum(wanted, 1e-6) - low) / (high - low)
    least, most = _OPEN
    wide = (wanted - least) / (most - least)
    return np.asarray(lacking.clip(0, 1) * wide.clip(0, 1), np.float32)


def teeth(faces: FaceDescriptors) -> Floats:
    """The colour of a performer's teeth without light (3,), log: by the whites of their eyes.

    Those of wide-open eyes, since lashes and irises darken others.
    """
    whites = torch.cat([faces.opening(name)[1] for name in ("right_eye", "left_eye")])
    white = whites.quantile(_WHITES, 0).cpu().numpy()
    return np.asarray(white + STOP * np.array(_IVORY), np.float32)


def unmatched(table: Tensor) -> Tensor:
    """The ``table`` (T, 7) of `matched` that leaves an opening as it is."""
    rest = [torch.ones_like(table[:, :1]), table[:, 1:4], torch.zeros_like(table[:, 4:])]
    return torch.cat(rest, 1)


def _grey(colour: Tensor) -> Tensor:
    """Luminance (N,) of colours (N, 3)."""
    return luminance(colour[..., None, None])[:, 0, 0]
