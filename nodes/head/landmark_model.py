"""What expressions do to tracked landmarks."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.head.arkit import FROM_TRACKED
from lifemask.nodes.render.atlas import atlas


@dataclass(frozen=True)
class LandmarkModel:
    """``motions`` (52, 478, 3) of `arkit.NAMES`, in centimetres at coefficient 1."""

    motions: NDArray[np.float32]


@cache
def landmark_model() -> LandmarkModel:
    """Return the model."""
    return LandmarkModel(np.pad(atlas().blendshapes[list(FROM_TRACKED)], ((0, 1), (0, 0), (0, 0))))
