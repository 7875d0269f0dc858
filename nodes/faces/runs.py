"""Runs of faces in which one face moves on from frame to frame: no other take, no cut."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.faces.velocity import followed

if TYPE_CHECKING:
    from numpy.typing import NDArray


def split(breaks: "NDArray[np.bool_]") -> list[slice]:
    """Return the runs of N things, given where (N - 1,) one run ends and the next begins."""
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(breaks) + 1]
    return [slice(first, end) for first, end in pairwise(edges)]


def runs(
    take: "NDArray[np.int64]",
    frame: "NDArray[np.int64]",
    landmarks: "NDArray[np.float32]",
    max_missing: int = 0,
) -> list[slice]:
    """Return the runs of faces (N,) of one take whose frames follow on each other.

    Up to ``max_missing`` frames may be missing between two faces of a run. ``landmarks``
    (N, 478, 3) show where a face jumps, as after a cut.
    """
    breaks = (np.diff(take) != 0) | (np.abs(np.diff(frame) - 1) > max_missing)
    return split(breaks | ~followed(landmarks, frame))
