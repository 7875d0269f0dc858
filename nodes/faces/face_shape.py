"""Measures of a face's shape in a picture, by which expressions are compared."""

from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.faces import topology

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

MEASURES = {
    "lip_opening": "between the lips",
    "mouth_width": "from corner to corner of the mouth",
    "corner_height": "of the mouth's corners above the middle of the lips",
    "brow_height": "of the brows above the upper lids",
    "lid_opening": "between the lids, mean of both eyes",
    "gaze_across": "of the irises to picture right of the middle of their lids",
    "gaze_down": "of the irises below the corners of their lids",
}
"""The measures by name. All are over the distance of the outer corners of the eyes."""

_LIPS, _CORNERS = (13, 14), (61, 291)
_LIDS = ((159, 145), (386, 374))
_BROWS = (105, 334)
_EYE_CORNERS = ((33, 133), (263, 362))
_IRISES = (topology.RIGHT_IRIS[0], topology.LEFT_IRIS[0])


def face_shape(landmarks: "Floats") -> "dict[str, NDArray[np.float64]]":
    """Return the `MEASURES` (N,) of landmarks (N, 478, >=2); a head's roll does not change them."""
    upright = _upright(landmarks[..., :2].astype(np.float64))
    lips, corners = upright[:, list(_LIPS)], upright[:, list(_CORNERS)]
    lids = upright[:, [list(pair) for pair in _LIDS]]
    middles = upright[:, [list(pair) for pair in _EYE_CORNERS]].mean(2)
    gaze = (upright[:, list(_IRISES)] - middles).mean(1)
    return {
        "lip_opening": _length(lips),
        "mouth_width": _length(corners),
        "corner_height": (lips.mean(1) - corners.mean(1))[:, 1],
        "brow_height": (lids[:, :, 0] - upright[:, list(_BROWS)])[..., 1].mean(1),
        "lid_opening": _length(lids).mean(1),
        "gaze_across": gaze[:, 0],
        "gaze_down": gaze[:, 1],
    }


def _length(pairs: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """The distances (...,) of pairs (..., 2, 2) of points."""
    return np.asarray(np.linalg.norm(pairs[..., 0, :] - pairs[..., 1, :], axis=-1))


def _upright(points: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Points (N, K, 2) with the eyes' line level, its length 1."""
    eyes = points[:, topology.LEFT_CORNER] - points[:, topology.RIGHT_CORNER]
    x, y = (eyes / (eyes**2).sum(1, keepdims=True)).T
    turn = np.stack([x, -y, y, x], -1).reshape(-1, 2, 2)
    return np.asarray(points @ turn)
