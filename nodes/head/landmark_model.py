"""What tracked landmarks say of a head: who it is, and what its expressions do to them.

"As tracked" means with a tracker's answer: it shows .3 to .8 of most motions, half of what people
differ by, and hardly any of that in depth. Centimetres of the mean head; x to picture right, y
down, z away from the camera. Learned from renders by `head.make_head`.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes import archive
from lifemask.nodes.head.head_model import FILE, KIND
from lifemask.nodes.head.packed_shapes import under, unpacked

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LandmarkModel:
    """Linear answers of the tracked landmarks, in centimetres."""

    neutral: Floats  # (478, 3) of the mean person, at rest
    motions: Floats  # (52, 478, 3) of `arkit.NAMES` at coefficient 1; 0 for the tongue
    identity: Floats  # (K, 478, 3) factors of the covariance of neutrals; the head's 60 come first
    errors: Floats  # (Q, 478, 3) factors of the covariance of what neutral and motions leave
    observed: Floats  # (53, 52) from the tracker's coefficients and a 1 to those of `arkit.NAMES`
    deviation: Floats  # (52,) rms of what that leaves of the exact coefficients


@cache
def landmark_model() -> LandmarkModel:
    """Return the model that ships with Lifemask."""
    arrays, _ = archive.load(FILE, KIND)
    stored = under("landmarks", arrays)
    known = {name: stored[name].astype(np.float32) for name in stored if "/" not in name}
    modes, errors = (
        unpacked(under(name, stored), len(stored["neutral"])) for name in ("identity", "errors")
    )
    fields = known.pop("fields")
    own = np.einsum("fk,ij->fikj", fields, np.diag(known.pop("own")))
    own = own.reshape(-1, fields.shape[1], 3).astype(np.float32)
    return LandmarkModel(identity=np.concatenate([modes, own]), errors=errors, **known)
