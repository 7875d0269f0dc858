"""Scenes for the occlusion network: real passes of a face with nothing in front of it.

What `refiner.occlusion_network` is shown of each face in a faceset, kept in one file that is read
from disk as it is needed; occluders are painted on later (`augment.picture_occluders`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import progress
from lifemask.nodes.errors import FaceError
from lifemask.nodes.faces.face_space import crop as cut
from lifemask.nodes.faceset.files import INDEX, FaceSet
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.refiner.occlusion_network import CHANNELS, SIDE, seen
from lifemask.nodes.render.acescct import light_to_log
from lifemask.nodes.render.atlas import Floats, atlas
from lifemask.nodes.render.descriptors import light_and_validity, mattes
from lifemask.nodes.render.texture import normals
from lifemask.nodes.render.warp import View, Window
from lifemask.ocio.media import exr

HAIR = slice(CHANNELS, CHANNELS + 1)
"""The exact matte of the performer's own hair, after the network's planes."""

PLANES = CHANNELS + 1


def read_scenes(facesets: Path, left_out: Sequence[str], file: Path) -> Floats:
    """Return the scenes (N, PLANES, SIDE, SIDE), half floats, of all ``facesets``.

    They are kept in ``file``. A faceset whose name has a part that is ``left_out`` is not used.
    Raises FaceError when there is no face.
    """
    if not file.exists():
        names = sorted(index.parent for index in facesets.glob(f"*/{INDEX}"))
        known = [FaceSet.load(name) for name in names if not _people(name.name) & {*left_out}]
        if not known:
            raise FaceError(f"{facesets}: no faceset is in it")
        _write(known, file)
    scenes: Floats = np.load(file, mmap_mode="r")
    return scenes


def _people(name: str) -> set[str]:
    """Everybody whose name is a part of a faceset's, as in pair001.k00_on_k06.double."""
    return set(name.replace("_on_", ".").split("."))


def _write(known: Sequence[FaceSet], file: Path) -> None:
    count = sum(map(len, known))
    part = file.with_suffix(".part.npy")
    table = open_memmap(part, "w+", np.float16, (count, PLANES, SIDE, SIDE))
    scenes = (scene for faceset in known for scene in _scenes(faceset))
    for index, scene in enumerate(progress.each(scenes, "scenes", count)):
        table[index] = scene
    table.flush()
    part.rename(file)


@torch.inference_mode()
def _scenes(faceset: FaceSet) -> Iterator[Floats]:
    albedo = torch.from_numpy(faceset.faces.albedo)[None]
    crop = Crop.of_face_space(faceset.size, SIDE)
    for index in range(len(faceset)):
        planes = _planes(faceset, index, albedo, crop)
        hair = crop.take(torch.from_numpy(_hair(faceset, index))[None, None])
        yield torch.cat([planes, hair.clamp(0, 1)], 1)[0].numpy()


def _planes(faceset: FaceSet, index: int, albedo: Tensor, crop: Crop) -> Tensor:
    mesh = atlas().mesh(faceset.face_landmarks[index : index + 1])
    own = View.of_mesh(mesh[0], Window(0, 0, faceset.size, faceset.size))
    vertices = normals(torch.from_numpy(mesh))
    normal = functional.normalize(own.fragments(vertices).permute(0, 3, 1, 2), dim=1)
    texture = torch.from_numpy(faceset.texture(index))
    light, _ = light_and_validity(texture)
    picture = torch.from_numpy(faceset.face(index)[..., :3])
    plate = light_to_log(picture.permute(2, 0, 1)[None])
    return seen(
        plate, own, normal, (albedo, light), mattes(texture), torch.zeros_like(own.covered), crop
    )


def _hair(faceset: FaceSet, index: int) -> Floats:
    """The matte of the performer's own hair, in face space; 0 where none is known."""
    take = Path(faceset.takes[int(faceset.faces.take[index])])
    file = take.parents[1] / "mattes" / f"mattes.{int(faceset.faces.frame[index]):04d}.exr"
    planes = exr.read_channels(file)[0] if file.exists() else {}
    matte = next((p for name, p in planes.items() if name.partition(".")[0] == "hair"), None)
    if matte is None:
        return np.zeros((faceset.size, faceset.size), np.float32)
    return cut(np.asarray(matte, np.float32), faceset.faces.matrix[index], faceset.size)
