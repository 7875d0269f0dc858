"""The gaze of tracked eyes: the rotation of both eyeballs, relative to the head.

A tracker's irises follow the lids, and understate how far an eye turns. So the gaze is read from
irises, lids and the tracker's own coefficients by a ridge regression, learned from renders with
exact gaze (`head.make_gaze`). Both eyes look at one thing.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes import archive
from lifemask.nodes.faces import topology
from lifemask.nodes.faces.blendshapes import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

FILE, KIND = Path(__file__).with_name("gaze.safetensors"), "gaze"
MOST = np.array([35.0, 25.0])
"""Degrees sideways and up or down, beyond which no eye turns."""

_EYES = ((33, 133, 159, 145, topology.RIGHT_IRIS), (263, 362, 386, 374, topology.LEFT_IRIS))
_LOOKS = [
    i for i, name in enumerate(NAMES) if name.startswith(("eyeLook", "eyeBlink", "eyeSquint"))
]
_OPEN = (0.25, 0.5)  # centimetres between the lids, at which a gaze is unknown, and known
_STEADY = 1.0  # frames: sigma; an eye jumps within two


def gaze_of(
    shape: "Floats", rotation: "Floats", expression: "Floats", runs: "Sequence[slice]"
) -> "NDArray[np.float32]":
    """Return yaw and pitch of the right and the left eye (N, 2, 2), degrees.

    + is to picture right and down. ``shape`` (N, 478, 3) is in centimetres, ``rotation`` (N, 3, 3)
    the head's, ``expression`` (N, 52) by `faces.blendshapes.NAMES`. Within each of the ``runs`` a
    blink is bridged, and the gaze is steady.
    """
    weights, mean = _weights()
    seen = np.clip((features(shape, rotation, expression) - mean) @ weights, -MOST, MOST)
    known = openness(shape)[:, None] + 1e-3
    steady = _steadied(np.concatenate([seen * known, known], 1), runs)
    both = steady[:, :2] / steady[:, 2:]
    return np.repeat(both[:, None], 2, 1).astype(np.float32)


def _steadied(table: "NDArray[np.float64]", runs: "Sequence[slice]") -> "NDArray[np.float64]":
    import torch

    from lifemask.nodes.faces.temporal_filter import smoothed

    result = table.copy()
    for run in runs:
        result[run] = smoothed(torch.from_numpy(table[run]), _STEADY).numpy()
    return result


def openness(shape: "Floats") -> "NDArray[np.float64]":
    """How far both eyes (N,) are open, 0..1: 0 where lids hide the irises."""
    gaps = np.mean([shape[:, low, 1] - shape[:, up, 1] for _, _, up, low, _ in _EYES], 0)
    low, high = _OPEN
    return np.asarray(np.clip((gaps - low) / (high - low), 0, 1), np.float64)


def features(shape: "Floats", rotation: "Floats", expression: "Floats") -> "NDArray[np.float64]":
    """What a gaze is read from, (N, F), the last of which is 1."""
    columns = [column for eye in _EYES for column in _of_eye(shape, *eye)]
    columns += [rotation[:, 0, 2], rotation[:, 1, 2], *expression[:, _LOOKS].T]
    return np.stack([*columns, np.ones(len(shape))], 1).astype(np.float64)


def _of_eye(
    shape: "Floats", outer: int, inner: int, upper: int, lower: int, iris: tuple[int, ...]
) -> "list[Floats]":
    """The iris's place, and the lids', between the corners of an eye, in centimetres."""
    middle = (shape[:, outer] + shape[:, inner]) / 2
    x, y = (shape[:, iris].mean(1) - middle)[:, :2].T
    return [x, y, (shape[:, upper] - middle)[:, 1], (shape[:, lower] - middle)[:, 1]]


@cache
def _weights() -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    arrays, _ = archive.load(FILE, KIND)
    return arrays["weights"].astype(np.float64), arrays["mean"].astype(np.float64)
