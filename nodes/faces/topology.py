"""The face mesh: the meaning of each landmark, and the canonical head for poses.

Right and left are the person's own. The mesh has 468 points; the landmarks add 5 for each iris,
its middle first.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lifemask.nodes.faces import weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COUNT = 478
MESH_COUNT = 468

# Closed contours, in order.
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIPS = (
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324),
    *(308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
# The middle, then four points of the rim.
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)

# Outer corners of the eyes: the line that gives a face's roll in the picture.
RIGHT_CORNER, LEFT_CORNER = 33, 263


@dataclass(frozen=True)
class Canonical:
    """The canonical head: ``vertices`` (468, 3) in cm, x to its own left, y up, z to the front.

    ``triangles`` (898, 3) wind counter-clockwise seen from the front. ``rigid`` are the points
    that an expression moves least, and ``trust`` is the weight of each of them in a pose.
    """

    vertices: "NDArray[np.float32]"
    triangles: "NDArray[np.int64]"
    rigid: "NDArray[np.int64]"
    trust: "NDArray[np.float32]"


@cache
def canonical() -> Canonical:
    """Return the canonical head (MediaPipe's face geometry, a protocol buffer)."""
    import numpy as np

    mesh, *pairs = [
        list(_fields(value))
        for _, value in _fields(weights.read("geometry_pipeline_metadata_landmarks.binarypb"))
        if isinstance(value, bytes)
    ]
    # Vertices are x y z u v; the texture coordinates are not needed.
    table = np.array([value for number, value in mesh if number == 3], np.float32)
    corners = np.array([value for number, value in mesh if number == 4], np.int64)
    points = [dict(pair) for pair in pairs]
    return Canonical(
        vertices=table.reshape(MESH_COUNT, 5)[:, :3].copy(),
        triangles=corners.reshape(-1, 3),
        rigid=np.array([point.get(1, 0) for point in points], np.int64),
        trust=np.array([point[2] for point in points], np.float32),
    )


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield number and value of every field of a protocol buffer message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        value: int | float | bytes
        if wire == 0:
            value, at = _varint(message, at)
        elif wire == 5:
            value, at = struct.unpack_from("<f", message, at)[0], at + 4
        else:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        yield number, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the base-128 number that starts at ``at``, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
