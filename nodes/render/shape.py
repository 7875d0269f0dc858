"""Shapes without pose. NumPy.

A landmark set is ``scale * shape @ rotation.T + centre``: a shape in centimetres of the mean head,
rotated and placed in the picture (weak perspective). Axes: x right, y down, z away from the camera.
"""

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.faces.face_space import Placed
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.render.atlas import Atlas

Floats = NDArray[np.float32]

TURNS = 8
"""The number of monomials of a head's rotation, see `turned`."""


def place(landmarks: Floats, model: Floats, atlas: Atlas) -> Placed:
    """Take the pose out of ``landmarks`` (N, 478, 3), given what shape (N, 478, 3) is expected."""
    found = similarity(model, landmarks, atlas.rigid)
    scale, rotation, centre = (part.astype(np.float32) for part in found)
    shape = np.einsum("nki,nij->nkj", landmarks - centre[:, None], rotation) / scale[:, None, None]
    return Placed(shape, scale, rotation, centre)


def turned(rotation: Floats) -> Floats:
    """How far heads (N, 3, 3) look to the side and down: monomials (N, TURNS) of both sines."""
    x, y = rotation[:, 0, 2], rotation[:, 1, 2]
    return np.stack([x, y, x * x, y * y, x * y, x**3, x**4, x * x * y], -1)


def posed(placed: Placed) -> Floats:
    """The landmarks (N, 478, 3) in the picture of shapes with their poses."""
    turned = np.einsum("nki,nji->nkj", placed.shape, placed.rotation)
    landmarks = turned * placed.scale[:, None, None] + placed.centre[:, None]
    return np.asarray(landmarks, np.float32)
