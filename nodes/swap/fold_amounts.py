"""How much of the folds of a picture, and of the subject, a frame needs: by fitted expression."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.render.folds import FOLDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_FOLDING = dict(
    zip(
        FOLDING,
        (
            ("browInnerUp", "browOuterUp", "browDown"),
            (
                *(
                    "mouthSmile",
                    "cheekSquint",
                    "eyeSquint",
                    "noseSneer",
                    "mouthUpperUp",
                    "mouthDimple",
                ),
                *("mouthStretch", "eyeBlink"),
            ),
            ("mouthShrugLower", "mouthFrown", "mouthPress", "mouthPucker", "mouthFunnel"),
        ),
        strict=True,
    )
)
"""What folds each region; both sides of each."""

_LEAST = (0.1, 0.4)  # sums of coefficients of which nothing, and everything, is a fold

CALM = 0.5
"""The sum of a region's coefficients at which a face counts half as calm."""


def folding(region: str) -> list[int]:
    """Return the places among `arkit.NAMES` of what folds a region."""
    return [i for i, name in enumerate(NAMES) if name.startswith(_FOLDING[region])]


def calmness(coefficients: "Floats") -> "dict[str, Floats]":
    """Return how calm each region is in N faces, 0..1, by their coefficients (N, 52)."""
    sums = {name: coefficients[:, folding(name)].sum(1) for name in _FOLDING}
    return {name: np.exp2(-((total / CALM) ** 2)) for name, total in sums.items()}


def beyond(own: "Floats", other: "Floats") -> dict[str, float]:
    """Return the share of each region's expression in ``own`` (52,) that ``other`` lacks."""
    found = {}
    for name in _FOLDING:
        mine, others = own[folding(name)], other[folding(name)]
        total = float(mine.sum())
        low, high = _LEAST
        there = min(max((total - low) / (high - low), 0.0), 1.0)
        found[name] = there * float((mine - others).clip(0).sum()) / max(total, 1e-6)
    return found


def mixed(coefficients: "Floats", shares: Mapping[int, float]) -> "Floats":
    """Return the expression (52,) of a mix of pictures with ``coefficients`` (N, 52)."""
    return np.asarray(sum(share * coefficients[i] for i, share in shares.items()), np.float32)


def calmest(coefficients: "Floats", usable: "NDArray[np.bool_]", count: int) -> Sequence[int]:
    """Return at most ``count`` of the ``usable`` faces, those calm in every region first."""
    least = np.min([*calmness(coefficients).values()], axis=0)
    order = np.argsort(-least, kind="stable")
    return [int(place) for place in order[usable[order]][:count]]
