"""Stretches of a faceset in which one face moves from frame to frame, and smoothing along them."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.faces.velocity import followed
from lifemask.nodes.faceset.files import Faces

_STEADY = 1.5  # frames
_MISSING = 1  # frames that a stretch may miss


def stretches(faces: Faces) -> list[slice]:
    """Where each run of frames of a take that follow on each other begins and ends."""
    apart = (np.diff(faces.take) != 0) | (np.abs(np.diff(faces.frame) - 1) > _MISSING)
    apart |= ~followed(faces.landmarks, faces.frame)
    edges = [0, *(np.flatnonzero(apart) + 1).tolist(), len(faces.frame)]
    return [slice(a, b) for a, b in pairwise(edges)]


def smoothed(table: Tensor) -> Tensor:
    """``table`` (T, C) of one stretch smoothed in time, as if it went on at both ends."""
    reach = int(np.ceil(3 * _STEADY))
    padded = torch.cat([table[:1].expand(reach, -1), table, table[-1:].expand(reach, -1)])
    taps = torch.arange(-reach, reach + 1, device=table.device)
    kernel = torch.exp(-0.5 * (taps / _STEADY) ** 2)
    windows = padded.unfold(0, 2 * reach + 1, 1)
    return (windows * (kernel / kernel.sum())).sum(-1)
