"""The inside of a mouth: teeth, gums and tongue of the head model, where they lie in a picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifemask.nodes.faces import topology
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.head.head_model import PACKED, PARTS, head_model
from lifemask.nodes.render.atlas import atlas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_ANCHORS = [2, 61, 291]  # below the nose, and both corners of the mouth


@dataclass(frozen=True)
class Mouth:
    """A mesh of V vertices in the pixels of a picture."""

    vertices: "Floats"  # (V, 3), z away from the camera
    triangles: "NDArray[np.int64]"  # (T, 3)
    teeth: "NDArray[np.bool_]"  # (V,) which of them are teeth; the others are flesh
    behind: "Floats"  # (V,) centimetres behind the lips, or beside in the cheeks
    opening: float  # square centimetres between the lips, as wide as they ever look


def mouth_in(landmarks: "Floats", identity: "NDArray[Any]", coefficients: "NDArray[Any]") -> Mouth:
    """Return the mouth of the head of an ``identity`` (60,) that plays ``coefficients`` (52,).

    It is where the head's ``landmarks`` (478, 3) are in a picture.
    """
    model, part = head_model(), PACKED["mouth"]
    skin = _landmarks(identity, coefficients)
    inside = _shape(part, identity, coefficients)
    scale, rotation, shift = similarity(skin[None], landmarks[None], atlas().rigid)

    def placed(points: "Floats") -> "Floats":
        return np.asarray(scale[0] * points @ rotation[0].T + shift[0], np.float32)

    apart = (landmarks - placed(skin))[_ANCHORS].mean(0)
    within = (model.triangles >= part.start) & (model.triangles < part.stop)
    number = np.arange(part.start, part.stop)
    return Mouth(
        vertices=placed(inside) + apart * np.array([1, 1, 0], np.float32),
        triangles=model.triangles[within.all(1)] - part.start,
        teeth=(number >= PARTS["teeth"].start) & (number < PARTS["teeth"].stop),
        behind=_behind(inside, skin[list(topology.INNER_LIPS)]),
        opening=opening(landmarks / scale[0]),
    )


def opening(shape: "Floats") -> float:
    """Return the area between the lips of a ``shape`` (478, 3), in its units squared.

    By the shoelace formula.
    """
    x, y = shape[list(topology.INNER_LIPS), :2].T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def _behind(inside: "Floats", lips: "Floats") -> "Floats":
    """How far (V,) the points ``inside`` (V, 3) are from the middle half of the ``lips`` (K, 3)."""
    deep = (inside[:, 2] - lips[:, 2].mean()).clip(0)
    beside = np.abs(inside[:, 0] - lips[:, 0].mean()) - np.ptp(lips[:, 0]) / 4
    return np.asarray(np.hypot(deep, beside.clip(0)), np.float32)


def _shape(part: slice, identity: "NDArray[Any]", coefficients: "NDArray[Any]") -> "Floats":
    model = head_model()
    own = np.tensordot(identity, model.identity[:, part], 1)
    moved = np.tensordot(coefficients, model.expressions[:, part], 1)
    return np.asarray(model.mean[part] + own + moved, np.float32)


def _landmarks(identity: "NDArray[Any]", coefficients: "NDArray[Any]") -> "Floats":
    """The landmarks (478, 3) on the head's own mesh."""
    model = head_model()
    corners = model.corners.reshape(-1)
    own = np.tensordot(identity, model.identity[:, corners], 1)
    moved = np.tensordot(coefficients, model.expressions[:, corners], 1)
    points = (model.mean[corners] + own + moved).reshape(-1, 3, 3)
    return np.asarray(np.einsum("kci,kc->ki", points, model.weights), np.float32)
