"""The refiner's crop of a face: an upright, steady square of any size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.faces.face_space import OVERSAMPLING, SIDE
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.filters import minified, resample
from lifemask.nodes.render.warp import Window

COVERS = 21.0
"""Side in centimetres of the mean head: it covers the whole mesh."""

STEP = 32
"""Pixels of which a crop's side is a multiple, as the network needs it."""

_LEAST = 256  # pixels a side: smaller faces are magnified to it, as in the base's training

_NEARLY = 1.25  # times finer is not worth another look
_ENOUGH = 2  # pixels of a crop for one of the plate: more show nothing new
_FINEST = 1024  # pixels a side: anything finer stays as rendered

CANDIDATES = slice(0, 9)
"""Of what is `shown`: `FacePasses.candidates`, log: `RENDER`, `TRANSFERRED`, `SHADED`."""
RENDER = slice(0, 3)
TRANSFERRED = slice(3, 6)
SHADED = slice(6, 9)
PLATE = slice(9, 12)
PREDICTED = slice(12, 15)
LIGHT = slice(15, 18)
NORMAL = slice(18, 21)
OPENINGS = slice(21, 23)
COVERED = slice(23, 24)
OWN = slice(24, 25)
FACE = slice(25, 26)
OCCLUSION = slice(26, 27)
CHANNELS = 27


@dataclass(frozen=True)
class Crop:
    """A crop of ``size`` pixels a side; ``matrix`` (2, 3) maps pixels of a window to it.

    ``had`` pixels of the window are one of the footage.
    """

    size: int
    matrix: Floats
    had: float = 1.0

    @classmethod
    def of(cls, matrix: Floats, face_space: int, window: Window, size: int) -> "Crop":
        """The middle of face space, to which ``matrix`` (2, 3) maps a plate's pixels."""
        zoom = size / face_space * SIDE / COVERS
        moved = matrix * zoom
        moved[:, 2] += moved[:, :2] @ np.array([window.x0, window.y0], np.float32)
        moved[:, 2] += (size - face_space * zoom) / 2
        return cls(size, moved.astype(np.float32))

    @classmethod
    def of_face_space(cls, face_space: int, size: int) -> "Crop":
        """The middle of a face space with so many pixels a side, which is also the window."""
        whole = Window(0, 0, face_space, face_space)
        middle = cls.of(np.eye(2, 3, dtype=np.float32), face_space, whole, size)
        return replace(middle, had=OVERSAMPLING)

    @property
    def zoom(self) -> float:
        """How many of its pixels make one of the window's."""
        return float(np.linalg.norm(self.matrix[0, :2]))

    def take(self, planes: Tensor) -> Tensor:
        """Planes (1, C, H, W) of the window, resampled to the crop; averaged where coarser."""
        reduction = 1 / self.zoom
        planes, step = minified(planes, reduction, self.had)
        inverse = np.linalg.inv(np.concatenate([self.matrix, [[0, 0, 1]]]))[:2]
        at = _grid(self.size, self.size, inverse.astype(np.float32), planes.device)
        return resample(planes, at / step)

    def give(self, planes: Tensor, height: int, width: int) -> Tensor:
        """Planes (1, C, size, size) of the crop, in a window of ``height`` by ``width``."""
        return resample(planes, _grid(height, width, self.matrix, planes.device))


def _grid(height: int, width: int, matrix: Floats, device: torch.device) -> Tensor:
    """Where ``matrix`` takes each pixel's centre: (1, height, width, 2)."""
    m = torch.from_numpy(np.asarray(matrix, np.float32)).to(device)
    x = torch.arange(width, device=device) + 0.5
    y = torch.arange(height, device=device) + 0.5
    across = m[:, 0] * x[:, None]
    down = m[:, 1] * y[:, None] + m[:, 2]
    return (across[None] + down[:, None])[None]


def shown(passes: FacePasses, crop: Crop) -> Tensor:
    """The refiner's input for a face, (1, CHANNELS, size, size), in the order of the slices."""
    colours = torch.cat([passes.candidates.flatten(0, 1)[None], passes.plate, passes.predicted], 1)
    mattes = [passes.view.covered, passes.own.covered, passes.face, passes.occlusion]
    planes = torch.cat([colours, passes.light, passes.normal, passes.openings, *mattes], 1)
    return crop.take(planes)


def side(detail: float, most: int) -> int:
    """Pixels a side for faces of ``detail`` pixels a centimetre: the plate's, at most ``most``.

    It is one size for a whole shot, so that nothing changes from frame to frame.
    """
    return min(most, max(_LEAST, _native(detail)))


def _native(detail: float) -> int:
    return STEP * math.ceil(detail * COVERS / STEP)


def sides(detail: float, learned: int) -> list[int]:
    """Pixels a side in which faces of ``detail`` pixels a centimetre are seen, coarse first.

    A model sees them as small as the base ``learned`` to, whatever it was trained on since, as that
    is how it knows light; then ever finer, at most twice as fine each time, until it sees all that
    the plate has, or nearly so.
    """
    chosen, all_there_is = [min(learned, _LEAST)], min(_FINEST, _native(detail))
    while chosen[-1] * _NEARLY < all_there_is:
        chosen.append(min(2 * chosen[-1], all_there_is))
    return chosen


def worthwhile(crops: Sequence[Crop]) -> list[Crop]:
    """Those of the ``crops``, coarse first, that show what a plate's pixels can.

    Of a face that is small for once, what is finer than half a pixel is not looked for.
    """
    finer = sum(crop.zoom < _ENOUGH for crop in crops[:-1])
    return list(crops[: 1 + finer])


def level(planes: Tensor, shown: Tensor) -> Tensor:
    """Mean (N, C, 1, 1) of ``planes`` (N, C, H, W) where the likeness covers the crop ``shown``."""
    covered = shown[:, COVERED]
    return (planes * covered).sum((2, 3), True) / (covered.sum((2, 3), True) + 1)
