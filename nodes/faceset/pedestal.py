"""How far a take's shadows lie below zero, because its black level is off or its gamut too small.

Faces are relit in the log of light, where nothing is darker than black. So a take is raised first,
and the swap is lowered again at the end.
"""

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.faces.face_space import moved
from lifemask.nodes.faceset.cropping import cut_out, face_matte
from lifemask.nodes.render.atlas import atlas
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SIDE = 96  # pixels of face space in which shadows are measured: grain is averaged away
_FACES = 16  # of each take that are measured
_MOST = 0.9  # quantile over those faces: single frames may be broken
_DARK = 0.002  # share of a face's pixels that count as its shadows
_LEAST = 0.002  # linear: anything nearer to zero is grain


def pedestals(takes: list[FrameSource], faces: "dict[str, Any]", size: int) -> "Floats":
    """Return what to add to each take, (takes, 3), ACEScg, 0 or more; note the takes that need it.

    ``faces`` has the ``take`` (N,), ``frame`` (N,), ``landmarks`` (N, 478, 3) and ``matrix``
    (N, 2, 3), to face space of ``size`` pixels, of their faces.
    """
    result = np.zeros((len(takes), 3), np.float32)
    for number in np.unique(faces["take"]):
        own = np.flatnonzero(faces["take"] == number)
        few = own[np.linspace(0, len(own) - 1, min(len(own), _FACES)).round().astype(int)]
        matrix = faces["matrix"][few] * np.float32(_SIDE / size)
        meshes = atlas().mesh(moved(faces["landmarks"][few], matrix))
        places = zip(faces["frame"][few].tolist(), matrix, strict=True)
        with closing(cut_out(takes[number], places, _SIDE, sharp=False)) as pictures:
            below = [below_zero(*pair) for pair in zip(pictures, meshes, strict=True)]
        result[number] = np.quantile(below, _MOST, axis=0)
        if result[number].any():
            _note(takes[number], result[number])
    return result


def below_zero(picture: "Floats", mesh: "Floats") -> "Floats":
    """Return how far (3,) the shadows of a face lie below zero, 0 or more.

    The ``mesh`` (504, 3) is in pixels of the ``picture`` (S, S, 3).
    """
    matte = face_matte(torch.from_numpy(mesh[None]).to(device()), len(picture))
    inside = picture[matte > 0.5]
    if not len(inside):
        return np.zeros(3, np.float32)
    below = -np.quantile(inside, _DARK, axis=0)
    return np.where(below > _LEAST, below, 0).astype(np.float32)


def _note(take: FrameSource, raised: "Floats") -> None:
    amounts = " ".join(f"{value:.3f}" for value in raised)
    progress.note(
        "faceset",
        f"{take.name}: shadows on the face are below zero, {amounts} of ACEScg; the face is "
        "made as if they were not, and put that much darker",
    )
