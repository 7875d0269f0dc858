"""What distance does to tracked shapes: from nearby, a nose is larger and ears are smaller.

Shapes are learned from heads about a metre away. A tracker answers to only .4 of a nearer head's
perspective, and differently in each part of a face; so the answer is learned from renders of the
same performances from several distances, see `head.make_perspective`.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes import archive
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.shape import turned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

KIND = "perspective"
FILE = Path(__file__).with_name("perspective.safetensors")

USUAL_DISTANCE = 1.05
"""Metres from camera to head in the renders from which all other shapes are learned."""

_NEAREST = 0.15  # metres: no lens is sharp nearer


def nearness(scale: "Floats", focal: "Floats") -> "Floats":
    """How much nearer heads (N,) are than `USUAL_DISTANCE`, in 1/m; 0 where that is unknown.

    ``scale`` (N,) is in pixels a centimetre; ``focal`` (N,) in pixels, 0 where it is unknown.
    """
    distance = np.maximum(focal / (100 * scale), _NEAREST)
    return np.where(focal > 0, 1 / distance - 1 / USUAL_DISTANCE, 0).astype(np.float32)


def view_error(rotation: "Floats", near: "Floats") -> "Floats":
    """Return by how much a tracker shows heads in another shape, (N, 478, 3), in centimetres.

    Heads turned by ``rotation`` (N, 3, 3), and with a `nearness` of ``near`` (N,).
    """
    turn = np.tensordot(turned(rotation), atlas().turns, 1)
    return turn + np.tensordot(near, _change(), 0) if near.any() else turn


@cache
def _change() -> "Floats":
    """By how much shapes (478, 3) change with a nearness of 1/m."""
    arrays, _ = archive.load(FILE, KIND)
    return arrays["change"].astype(np.float32)
