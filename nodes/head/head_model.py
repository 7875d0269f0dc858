"""The head behind the landmarks: ICT-FaceKit Light, with eyeballs, teeth, gums, ears and neck.

Centimetres of the mean head; x to picture right, y down, z away from the camera, as the atlas. The
file is made by `head.make_head`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes import archive
from lifemask.nodes.faces import topology
from lifemask.nodes.head.eyeballs import Eyeballs, sphere_through
from lifemask.nodes.head.packed_shapes import under, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float32]

KIND = "head"
FILE = Path(__file__).with_name("head.safetensors")

PARTS = {
    "face": slice(0, 9409),
    "head": slice(9409, 11248),
    "socket": slice(11248, 14062),
    "gums": slice(14062, 17039),
    "teeth": slice(17039, 21451),
    "eyeball_left": slice(21451, 22221),
    "iris_left": slice(22221, 23021),
    "eyeball_right": slice(23021, 23791),
    "iris_right": slice(23791, 24591),
}
"""The vertices of each part. `head` is ears, skull and neck, `socket` what lies behind the skin."""

PACKED = {"skin": slice(0, 14062), "mouth": slice(14062, 21451), "eyes": slice(21451, 24591)}
"""The vertices whose identity is stored together."""

_SIDES = ("right", "left")
_RIMS = [topology.RIGHT_IRIS[1:], topology.LEFT_IRIS[1:]]


@dataclass(frozen=True)
class HeadModel:
    """A mesh of V vertices whose shape is linear in identity and expression."""

    mean: Floats  # (V, 3)
    identity: Floats  # (60, V, 3) for one standard deviation
    expressions: Floats  # (52, V, 3) of `arkit.NAMES`
    triangles: NDArray[np.int64]  # (T, 3)
    corners: NDArray[np.int64]  # (478, 3) vertices of the triangle that each landmark lies in
    weights: Floats  # (478, 3) of these corners; a row sums to 1

    @property
    def parts(self) -> dict[str, slice]:
        """The vertices of each part: see `PARTS`."""
        return PARTS

    def vertices(self, identity: "NDArray[Any]", coefficients: "NDArray[Any]") -> Floats:
        """Return the mesh (..., V, 3) of an identity (..., 60) with an expression (..., 52)."""
        own = np.tensordot(identity, self.identity, 1)
        played = np.tensordot(coefficients, self.expressions, 1)
        return np.asarray(self.mean + own + played, np.float32)

    def landmarks(self, vertices: Floats) -> Floats:
        """Return where the landmarks (..., 478, 3) lie on a mesh (..., V, 3)."""
        corners = vertices[..., self.corners, :]
        return np.asarray(np.einsum("...kci,kc->...ki", corners, self.weights), np.float32)

    def eyeballs(self, identity: "NDArray[Any]") -> Eyeballs:
        """Return the eyeballs of an ``identity`` (60,), in centimetres."""
        balls = [self._part(identity, f"eyeball_{side}") for side in _SIDES]
        depths = [self.mean[PARTS[f"eyeball_{side}"], 2] for side in _SIDES]
        centre, radius = zip(*map(sphere_through, balls, depths), strict=True)
        rims = self.landmarks(self.mean + np.tensordot(identity, self.identity, 1))[_RIMS]
        across = np.linalg.norm(rims - rims.mean(1, keepdims=True), axis=-1).mean(1)
        return Eyeballs(*(np.asarray(each, np.float32) for each in (centre, radius, across)))

    def _part(self, identity: "NDArray[Any]", name: str) -> Floats:
        part = PARTS[name]
        own = np.tensordot(identity, self.identity[:, part], 1)
        return np.asarray(self.mean[part] + own, np.float32)


@cache
def head_model() -> HeadModel:
    """Return the model that ships with Lifemask."""
    arrays, _ = archive.load(FILE, KIND)
    mean = arrays["mean"].astype(np.float32)
    return HeadModel(
        mean=mean,
        identity=identity_of(arrays),
        expressions=unpacked(under("expressions", arrays), len(mean)),
        triangles=arrays["triangles"].astype(np.int64),
        corners=arrays["corners"].astype(np.int64),
        weights=arrays["weights"].astype(np.float32),
    )


def identity_of(arrays: "Mapping[str, NDArray[Any]]") -> Floats:
    """Return the identity modes (60, V, 3) that a file's arrays hold."""
    parts = [_identity(under(f"identity/{name}", arrays), part) for name, part in PACKED.items()]
    return np.concatenate(parts, 1)


def _identity(pack: "Mapping[str, NDArray[Any]]", part: slice) -> Floats:
    """The modes (60, ., 3) of a part; few components, mixed, where ``pack`` has a mix."""
    shapes = unpacked(pack, part.stop - part.start)
    return np.tensordot(pack["mix"], shapes, 1).astype(np.float32) if "mix" in pack else shapes
