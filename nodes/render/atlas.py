"""Texture space: the cylinder unwrap of the mean head, with maps that hold for every face.

Lips and lids are open in it. Read from ``atlas.safetensors``, which was made from synthetic people
alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from lifemask.nodes import archive
from lifemask.nodes.faces import topology
from lifemask.nodes.render.raster import Fragments, rasterise

if TYPE_CHECKING:
    from torch import Tensor

SIZE = 256  # texels a side
COARSE = 64  # texels a side where light is read
SKIRT = 0.18  # how far it goes on, of the way from the bridge of the nose to the outline
_BRIDGE = (1, 4, 5, 6, 168, 197)
REGIONS = {
    "mouth": topology.LIPS,
    "right_eye": topology.RIGHT_EYE,
    "left_eye": topology.LEFT_EYE,
}
OPENINGS = REGIONS | {"mouth": topology.INNER_LIPS}
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Atlas:
    """The mean head, its texture space, and maps (SIZE, SIZE) in it.

    The mesh has the 468 vertices of the landmarks and a skirt of 36 that carries the outline on;
    the landmarks 468 to 477 are irises and belong to no triangle.
    """

    mean: Floats  # (478, 3) centimetres, x right, y down, z away
    turns: Floats  # (8, 478, 3) centimetres, what `shape.turned` does to a tracked shape
    rigid: Floats  # (478,) how little a landmark moves with expression
    uv: Floats  # (504, 2), 0..1
    triangles: NDArray[np.int64]  # (970, 3)
    face: Floats  # where a face may be replaced
    skin: Floats  # bare skin: neither eyes, mouth, brows nor hair
    albedo: Floats  # (COARSE, COARSE, 3) of the mean face, log, zero mean over the skin

    def mesh(self, landmarks: Floats) -> Floats:
        """Vertices (N, 504, 3) of landmark sets (N, 478, 3): the landmarks and the skirt."""
        outline = landmarks[:, topology.OVAL]
        out = (outline - landmarks[:, _BRIDGE].mean(1, keepdims=True)) * SKIRT
        out[..., 2] = np.linalg.norm(out[..., :2], axis=-1) * 0.5
        return np.concatenate([landmarks[:, : topology.MESH_COUNT], outline + out], 1)

    def polygon(self, landmarks: tuple[int, ...], grow: int, soft: float) -> Floats:
        """A soft map (SIZE, SIZE) of the inside of a contour, grown by ``grow`` texels."""
        import cv2

        corners = (self.uv[list(landmarks)] * SIZE).astype(np.int32)
        inside = cv2.fillConvexPoly(np.zeros((SIZE, SIZE), np.float32), cv2.convexHull(corners), 1)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grow, grow))
        return np.asarray(cv2.GaussianBlur(cv2.dilate(inside, disc), (0, 0), soft), np.float32)


_other: ContextVar[Atlas | None] = ContextVar("other", default=None)


def atlas() -> Atlas:
    """Return the atlas that ships with Lifemask, or the one set by `using`."""
    return _other.get() or _shipped()


@contextmanager
def using(other: Atlas) -> Iterator[None]:
    """Have the renderer use another atlas, such as one in the making; not thread-safe."""
    token = _other.set(other)
    try:
        _forget()
        yield
    finally:
        _other.reset(token)
        _forget()


_forgettable: list[Callable[[], None]] = []
_Function = TypeVar("_Function", bound=Callable[..., Any])


def per_atlas(work_out: _Function) -> _Function:
    """Cache a function's result until the atlas changes.

    A plain ``cache`` would keep results of an atlas in the making for the shipped one.
    """
    kept = cache(work_out)
    _forgettable.append(kept.cache_clear)
    return cast(_Function, kept)


def _forget() -> None:
    for forget in _forgettable:
        forget()


_FILE = Path(__file__).with_name("atlas.safetensors")


def about() -> dict[str, Any]:
    """Return the provenance of the atlas that ships with Lifemask."""
    return archive.load(_FILE, "atlas")[1]


@cache
def _shipped() -> Atlas:
    arrays, _ = archive.load(_FILE, "atlas")
    triangles = arrays.pop("triangles").astype(np.int64)
    # The file has motions as well, which are those of the head now.
    maps = {f.name: arrays[f.name].astype(np.float32) for f in fields(Atlas) if f.name in arrays}
    return Atlas(triangles=triangles, **maps)


@per_atlas
def regions() -> dict[str, Floats]:
    """Soft maps of mouth and eyes: each is taken from one picture as a whole."""
    grow = {"mouth": 9, "right_eye": 17, "left_eye": 17}
    return {name: atlas().polygon(REGIONS[name], grow[name], 4) for name in REGIONS}


@per_atlas
def openings() -> dict[str, Floats]:
    """Soft maps of the openings: between the lips, between the lids."""
    return {name: atlas().polygon(OPENINGS[name], 3, 1.5) for name in OPENINGS}


@per_atlas
def texels() -> Fragments:
    """The mesh as texture space sees it: one picture of SIZE by SIZE."""
    flat = np.zeros((1, len(atlas().uv), 3), np.float32)
    flat[0, :, :2] = atlas().uv * SIZE
    return rasterise(torch.from_numpy(flat), torch.from_numpy(atlas().triangles), SIZE, SIZE)


def coarse(map_: Floats) -> "Tensor":
    """A map (SIZE, SIZE) as (1, 1, COARSE, COARSE)."""
    step = SIZE // COARSE
    blocks = map_.reshape(COARSE, step, COARSE, step).mean((1, 3))
    return torch.from_numpy(blocks.astype(np.float32))[None, None]
