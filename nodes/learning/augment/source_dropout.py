"""Which pictures of the likeness an example may use: all, one take's, or a few.

So a refiner learns to work with one photograph as with a day of takes.
"""

import numpy as np

from lifemask.nodes.faceset.files import FaceSet

Excluded = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
"""Whether a picture of the likeness (columns) may not serve a frame (rows)."""

_FEW = 7  # pictures; fewer than so many are left


def nothing_dropped(likeness: FaceSet, frames: int, random: np.random.Generator) -> Excluded:
    """Return which pictures may not serve which of so many ``frames``: none."""
    return np.zeros((frames, len(likeness)), bool)


def all_but_one_take(likeness: FaceSet, frames: int, random: np.random.Generator) -> Excluded:
    """Return which pictures may not serve which frame: those of all takes but one."""
    take = likeness.faces.take
    return np.tile(take != random.choice(take), (frames, 1))


def all_but_a_few(likeness: FaceSet, frames: int, random: np.random.Generator) -> Excluded:
    """Return which pictures may not serve which frame: all but a few, other ones each time."""
    excluded, count = np.ones((frames, len(likeness)), bool), len(likeness)
    for row in excluded:
        row[random.choice(count, min(count, int(random.integers(1, _FEW))), False)] = False
    return excluded


DROPOUTS = (nothing_dropped, all_but_one_take, all_but_a_few)
