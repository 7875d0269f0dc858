"""Faces cropped from footage into face space."""

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import torch

from lifemask.nodes.faces.face_space import crop
from lifemask.nodes.render.atlas import SIZE, atlas
from lifemask.nodes.render.filters import resample
from lifemask.nodes.render.raster import rasterise
from lifemask.ocio.colour.transform import WORKING, convert, finite
from lifemask.ocio.media.source import FrameSource
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


def cut_out(
    take: FrameSource, places: "Iterable[tuple[int, Floats]]", size: int, sharp: bool = True
) -> "Generator[Floats, None, None]":
    """Yield faces (size, size, 3), scene-linear ACEScg, read ahead.

    Each of the ``places`` is a frame of the ``take`` and its matrix (2, 3) to face space.
    ``sharp`` is passed to `face_space.crop`.
    """
    with take.open() as reader:

        def cut(place: "tuple[int, Floats]") -> "Floats":
            frame, matrix = place
            rgb = finite(reader.read(int(frame)).rgb)
            return convert(crop(rgb, matrix, size, sharp), take.colorspace, WORKING)

        with closing(parallel_map(cut, places, reader.ahead)) as pictures:
            yield from pictures


def face_matte(mesh: torch.Tensor, size: int) -> "Floats":
    """Where the face may be replaced, (size, size), of a mesh (1, 504, 3) in face space."""
    seen = rasterise(mesh, torch.from_numpy(atlas().triangles).to(mesh.device), size, size)
    uv = seen(torch.from_numpy(atlas().uv).to(mesh.device))
    map_ = torch.from_numpy(atlas().face).to(mesh.device)[None, None]
    matte = resample(map_, uv * SIZE, "bilinear")[0, 0] * seen.covered[0]
    return np.asarray(matte.clamp(0, 1).cpu().numpy(), np.float32)
