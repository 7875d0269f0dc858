"""Descriptors of faces, small enough to keep in memory, by which pictures are chosen."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import COARSE, SIZE, Floats, atlas, coarse, openings
from lifemask.nodes.render.texture import averaged, normals, on_texels, reduced
from lifemask.ocio.system.parallel import parallel_map

_LUMINANCE = (0.2722, 0.6741, 0.0537)  # AP1
_DARK, _BRIGHT = 0.15, 0.85  # quantiles of an opening: pupil or mouth, white or teeth
_INSIDE = 0.6


@dataclass(frozen=True)
class FaceDescriptors:
    """Coarse textures of N faces, and their shape.

    ``colour`` and ``light`` (N, 3, 64, 64) are log, ``valid`` (N, 1, 64, 64) is 0..1, ``score``
    (N, 1, 64, 64) is `occluders.scores`; ``motion`` (N, 478, 3) is the shape less the neutral,
    in centimetres, ``rotation`` (N, 3, 3). ``clear`` (N,) is 0 where a face is mostly hidden, so
    that its eyes and mouth cannot be compared, else 1. ``speed`` (N,) is in centimetres a frame.
    """

    colour: Tensor
    valid: Tensor
    light: Tensor
    score: Tensor
    motion: Tensor
    rotation: Tensor
    clear: Tensor
    speed: Tensor

    @cached_property
    def flat(self) -> Tensor:
        """Luminance (N, 64, 64) less the light on it, log."""
        return luminance(self.colour - self.light)

    def opening(self, name: str) -> tuple[Tensor, Tensor]:
        """The dark end (N,) and the bright end (N, 3) of an opening, log, less its light."""
        inside = coarse(openings()[name])[0, 0].to(self.colour.device) > _INSIDE
        grey = self.flat[:, inside]
        dark, bright = grey.quantile(_DARK, 1), grey.quantile(_BRIGHT, 1)
        above = (grey >= bright[:, None]).float()[:, None]
        colour = (self.colour - self.light)[:, :, inside]
        return dark, (colour * above).sum(2) / above.sum(2)


def luminance(colour: Tensor) -> Tensor:
    """Weighted sum of the channels: (N, H, W) of (N, 3, H, W)."""
    return torch.einsum("nchw,c->nhw", colour, torch.tensor(_LUMINANCE, device=colour.device))


def descriptors(faceset: FaceSet, indices: Sequence[int]) -> FaceDescriptors:
    """Read the descriptors of the faces ``indices``."""
    with closing(parallel_map(faceset.texture, indices)) as read:
        # Noted here: notes from threads reach nobody.
        textures = (_sound(*pair, faceset) for pair in zip(indices, read, strict=True))
        return _descriptors(faceset, indices, textures)


def descriptors_and_line(faceset: FaceSet, index: int) -> tuple[FaceDescriptors, Tensor]:
    """Read the descriptors of one face, and the matte (1, 1, SIZE, SIZE) of thin occluders."""
    texture = _sound(index, faceset.texture(index), faceset)
    return _descriptors(faceset, [index], [texture]), texture[..., 8][None, None]


def _descriptors(
    faceset: FaceSet, indices: Sequence[int], textures: Iterable[Tensor]
) -> FaceDescriptors:
    parts = [_coarse(texture) for texture in textures]
    faces = faceset.faces
    chosen = np.asarray(indices, np.int64)
    motion = torch.from_numpy(faces.shape[chosen] - faces.neutral).float()
    rotation = torch.from_numpy(faces.rotation[chosen])
    colour, valid, light, score = (torch.stack(part) for part in zip(*parts, strict=True))
    clear = torch.from_numpy(~faceset.bridged[chosen]).float()
    speed = torch.from_numpy(faceset.speed[chosen])
    numbers = (part.to(device()) for part in (motion, rotation, clear, speed))
    return FaceDescriptors(colour, valid, light, score, *numbers)


def coarse_normals(faceset: FaceSet, indices: Sequence[int]) -> Tensor:
    """Unit normals (N, 3, COARSE, COARSE) of the faces ``indices``, in the picture's axes."""
    mesh = atlas().mesh(faceset.face_landmarks[np.asarray(indices, np.int64)])
    normal = on_texels(normals(torch.from_numpy(mesh).to(device())), SIZE // COARSE)
    return torch.nn.functional.normalize(normal.permute(0, 3, 1, 2), dim=1)


def _sound(index: int, texture: Floats, faceset: FaceSet) -> Tensor:
    """A texture without its NaN and infinite texels, which would spread over the whole face."""
    sound = np.isfinite(texture).all(-1, keepdims=True)
    broken = int((~sound).sum())
    if broken:
        _tell(f"{faceset.folder}/texture.{index + 1:04d}.exr: {broken} texels not finite, left out")
    return torch.from_numpy(np.where(sound, texture, np.float32(0))).to(device())


@cache
def _tell(text: str) -> None:
    """Note it once: a texture of the double is read again for every frame around it."""
    progress.note("faceset", text)


def _coarse(texture: Tensor) -> tuple[Tensor, ...]:
    """Colour, validity, light and occluder score of a texture (256, 256, 9), linear."""
    planes = texture.permute(2, 0, 1)[None]
    colour, valid = averaged(to_log(planes[:, :3]), planes[:, 3:4])
    return colour[0], valid[0], reduced(to_log(planes[:, 4:7]))[0], reduced(planes[:, 7:8])[0]
