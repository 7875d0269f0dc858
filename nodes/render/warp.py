"""The likeness in the plate's pixels: pictures carried over by the mesh, in the plate's light."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifemask.nodes.device import device
from lifemask.nodes.faces.face_space import CLOSE, OVERSAMPLING, SIDE
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import Floats, atlas, openings, regions
from lifemask.nodes.render.eyes import EYES, Irises, looking
from lifemask.nodes.render.filters import averaging, blur, resample
from lifemask.nodes.render.raster import Fragments, rasterise
from lifemask.nodes.render.source_bank import FACE

SHARPEN = 0.2  # of the finest band, which interpolation softens
_UNSEEN = (0.1, 0.5)  # validity up to which a source is unused, and from which it is fully used
_MARGIN = 12  # pixels around the mesh


@dataclass(frozen=True)
class Source:
    """One picture of the likeness, in face space of S pixels."""

    log: Tensor  # (1, 3, S, S)
    landmarks: Floats  # (478, 3) in its pixels
    light: Tensor  # (1, 3, 64, 64) log
    valid: Tensor  # (1, 1, 64, 64) how far each texel is seen, 0..1
    relief: Tensor  # (1, 1, 256, 256) log: see `folds.relief`
    irises: Irises


Gaze = tuple[Floats, Floats]
"""Of both eyes, (2, 2), and what a knob adds to it, (2,): degrees, see `head.gaze`."""

Shares = list[tuple[float, Source]]
Sources = dict[str, Shares]


@dataclass(frozen=True, eq=False)
class Opening:
    """The grade that matches an eye or the mouth of a source to the plate's.

    Its contrast about ``bright`` (3,) is multiplied by ``contrast``, then ``lift`` (3,) is added;
    log.
    """

    contrast: float
    bright: Floats
    lift: Floats

    @classmethod
    def of(cls, row: NDArray[Any]) -> "Opening":
        """The grade of a ``row`` (7,): contrast, bright and lift."""
        numbers = row.astype(np.float32)
        return cls(float(row[0]), numbers[1:4], numbers[4:])


@dataclass(frozen=True)
class Window:
    """The part of the plate in which a face lies: x0, y0, x1, y1 in pixels."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def around(cls, meshes: list[Floats], width: int, height: int) -> "Window | None":
        """The window around several meshes (V, 3); None when they are outside the picture."""
        points = np.concatenate(meshes)[:, :2]
        low = np.floor(points.min(0)).astype(int) - _MARGIN
        high = np.ceil(points.max(0)).astype(int) + _MARGIN
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(width, int(high[0])), min(height, int(high[1]))
        return cls(x0, y0, x1, y1) if x1 - x0 > 1 and y1 - y0 > 1 else None

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns, as slices."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(frozen=True)
class View:
    """A mesh rasterised in a window: its ``fragments``, and each pixel's place in texture space."""

    fragments: Fragments
    uv: Tensor  # (1, H, W, 2), 0..1

    @classmethod
    def of_mesh(cls, mesh: Floats, window: Window) -> "View":
        """Rasterise ``mesh`` (504, 3), in plate pixels."""
        local = mesh - np.array([window.x0, window.y0, 0], np.float32)
        vertices = torch.from_numpy(local).to(device())[None]
        triangles = torch.from_numpy(atlas().triangles).to(device())
        size = window.y1 - window.y0, window.x1 - window.x0
        fragments = rasterise(vertices, triangles, *size)
        return cls(fragments, fragments(torch.from_numpy(atlas().uv).to(device())))

    @property
    def covered(self) -> Tensor:
        """Where the mesh is, (1, 1, H, W): 0 or 1."""
        return self.fragments.covered[:, None].float()

    def cut(self, at: tuple[slice, slice]) -> "View":
        """The same view, cropped to these rows and columns."""
        rows, columns = at
        parts = self.fragments.corner, self.fragments.weight, self.fragments.covered
        return View(Fragments(*(p[:, rows, columns] for p in parts)), self.uv[:, rows, columns])

    def of(self, map_: Tensor, mode: str = "bicubic") -> Tensor:
        """A map (1, C, h, w) of texture space, on the mesh: (1, C, H, W)."""
        return resample(map_, self.uv * map_.shape[-1], mode)

    def of_atlas(self, map_: NDArray[np.float32]) -> Tensor:
        """A map (SIZE, SIZE) of the atlas, on the mesh."""
        return self.of(torch.from_numpy(map_).to(device())[None, None], "bilinear")


def render(
    view: View,
    sources: Sources,
    fixes: Mapping[str, Opening],
    albedo: Tensor,
    light: Tensor,
    tone: Tensor,
    gaze: Gaze,
) -> Tensor:
    """The likeness (1, 3, H, W), log, in the ``light`` (1, 3, 64, 64) of the plate.

    ``sources`` has the pictures of each region with their shares; where a picture does not see the
    face, the likeness's ``albedo`` (1, 3, 64, 64) stands in. ``tone`` (3,), the complexion, is
    added. Irises are turned to the ``gaze``.
    """
    weights = {name: view.of_atlas(map_) for name, map_ in regions().items()}
    weights[FACE] = (1 - torch.stack(list(weights.values())).sum(0)).clamp(0, 1)
    total = torch.zeros_like(weights[FACE]).repeat(1, 3, 1, 1)
    for name, weight in weights.items():
        at = extent(weight)
        flat = _flat(view.cut(at), sources[name], albedo, name, gaze)
        if name in fixes:
            flat = flat + view.cut(at).of_atlas(openings()[name]) * _opened(flat, fixes[name])
        total[..., *at] += weight[..., *at] * flat
    return total + view.of(light) + tone.view(1, 3, 1, 1)


def extent(weight: Tensor) -> tuple[slice, slice]:
    """The rows and columns in which ``weight`` (1, 1, H, W) is not 0."""
    rows, columns = ((weight[0, 0] > 0).any(axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _flat(view: View, shares: Shares, albedo: Tensor, name: str, gaze: Gaze) -> Tensor:
    """The likeness (1, 3, H, W), log, without light."""
    plain = view.of(albedo)
    flat = torch.zeros_like(plain)
    for share, source in shares:
        picked = _picked(view, source, name, gaze) - view.of(source.light)
        flat = flat + share * torch.lerp(plain, picked, _seen(view, source))
    return flat


def _picked(view: View, source: Source, name: str, gaze: Gaze) -> Tensor:
    """The source's pixels, carried over by the mesh, eyes turned to the ``gaze``."""
    vertices = torch.from_numpy(atlas().mesh(source.landmarks[None])[0, :, :2]).to(device())
    position = view.fragments(vertices)
    if name not in EYES:
        return resample(source.log, position)
    inside = view.of_atlas(openings()[name]).clamp(0, 1)
    aim = source.irises.aim(name, *gaze)
    return looking(source.log, position, inside, source.irises, name, aim)


def _seen(view: View, source: Source) -> Tensor:
    """How far the source's pixels are usable, 0..1: not where it shows the face from the side."""
    low, high = _UNSEEN
    return ((view.of(source.valid, "bilinear") - low) / (high - low)).clamp(0, 1)


def _opened(flat: Tensor, fix: Opening) -> Tensor:
    bright, lift = (torch.from_numpy(v).to(flat).view(1, 3, 1, 1) for v in (fix.bright, fix.lift))
    return (fix.contrast - 1) * (flat - bright) + lift


def prepared(picture: Floats, reduction: float) -> Tensor:
    """A face-space picture (S, S, 3), linear, ready to sample: log, filtered for its size.

    ``reduction`` is how many of its pixels make one of the plate's. Where that is more than in the
    take, they are averaged. A little of the finest band is always put back, less in large faces,
    where it would be bright rings around moles and lashes.
    """
    log = to_log(torch.from_numpy(picture).to(device()).permute(2, 0, 1)[None])
    if reduction > OVERSAMPLING:
        log = blur(log, averaging(reduction, OVERSAMPLING))
    share = SHARPEN * min(1.0, CLOSE * SIDE * reduction / log.shape[-1])
    return log + share * (log - blur(log, max(OVERSAMPLING, reduction)))
