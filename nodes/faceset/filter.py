"""Filter the frames of a faceset by sharpness, exposure and likeness to one another."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.faces.face_space import OVERSAMPLING
from lifemask.nodes.render.acescct import STOP, to_log
from lifemask.nodes.render.atlas import atlas, coarse
from lifemask.nodes.render.filters import blur
from lifemask.nodes.render.texture import Textures

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ALIKE = 0.025  # centimetres and radians, added up: closer than this is the same picture
_FAIR_EXPOSURE = (-7.0, 5.0)  # stops from mid grey
_LEAST_INNER = 8  # pixels: a smaller inner face has no detail to measure


def sharpness(log: Tensor, mesh: Tensor) -> float:
    """Contrast of the take's finest detail within the inner face, in log units.

    ``log`` (1, 3, S, S) is in face space, ``mesh`` (1, 504, 3) in its pixels.
    """
    low, high = mesh[0, :, :2].amin(0), mesh[0, :, :2].amax(0)
    x0, y0 = (low + 0.2 * (high - low)).long().clamp(min=0).tolist()
    x1, y1 = (high - 0.2 * (high - low)).long().clamp(min=1).tolist()
    inner = log[:, :, y0:y1, x0:x1].mean(1, keepdim=True)
    if min(inner.shape[-2:]) < _LEAST_INNER:
        return 0.0
    return float((blur(inner, OVERSAMPLING / 2) - blur(inner, OVERSAMPLING * 2)).std())


def exposure(textures: Textures) -> float:
    """Mean of the skin in one coarse texture, in stops from mid grey."""
    weight = textures.valid[0, 0] * coarse(atlas().skin)[0, 0].to(textures.valid.device)
    log = (textures.colour[0].mean(0) * weight).sum() / (weight.sum() + 1e-6)
    return float((log - float(to_log(torch.tensor(0.18)))) / STOP)


def chosen(
    faces: dict[str, Any], min_sharpness: float, dropped: Counter[str]
) -> "NDArray[np.int64]":
    """The faces that are sharp, well exposed and no duplicates; ``dropped`` counts the rest.

    ``min_sharpness`` is a share of the median.
    """
    sharp = faces["sharpness"] >= min_sharpness * np.median(faces["sharpness"])
    low, high = _FAIR_EXPOSURE
    fair = (faces["exposure"] > low) & (faces["exposure"] < high)
    dropped["blurred"], dropped["badly exposed"] = int((~sharp).sum()), int((~fair).sum())
    good = np.flatnonzero(sharp & fair).tolist()
    kept: list[int] = []
    for index in good:
        if not any(_alike(faces, index, other) for other in kept):
            kept.append(index)
    dropped["duplicate"] = len(good) - len(kept)
    return np.array(kept, np.int64)


def _alike(faces: dict[str, Any], a: int, b: int) -> bool:
    if faces["take"][a] != faces["take"][b]:
        return False
    shape = np.linalg.norm(faces["shape"][a] - faces["shape"][b], axis=-1).mean()
    turn = np.trace(faces["rotation"][a].T @ faces["rotation"][b])
    return bool(shape + np.arccos(np.clip((turn - 1) / 2, -1, 1)) < _ALIKE)
