"""Descriptors of faces, small enough to keep in memory, by which pictures are chosen."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.plate_subject import FaceTextures
from lifemask.nodes.posed_faces import PosedFaces
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import COARSE, SIZE, Floats, atlas, coarse, openings
from lifemask.nodes.render.texture import averaged, normals, on_texels, reduced
from lifemask.ocio.system.parallel import parallel_map

_LUMINANCE = (0.2722, 0.6741, 0.0537)  # AP1
_DARK, _BRIGHT = 0.15, 0.85  # quantiles of an opening: pupil or mouth, white or teeth
_INSIDE = 0.6

Played = tuple[Floats, Floats]
"""What N faces play: their motion (N, 478, 3) in centimetres, and their coefficients (N, 52)."""


@dataclass(frozen=True)
class FaceDescriptors:
    """Coarse textures of N faces, and their shape.

    ``colour`` and ``light`` (N, 3, 64, 64) are log, ``valid`` (N, 1, 64, 64) is 0..1; ``motion``
    (N, 478, 3) is the shape less the neutral, in centimetres, ``rotation`` (N, 3, 3). ``clear``
    (N,) is 0 where a face is mostly hidden, so that its eyes and mouth cannot be compared, else 1.
    ``speed`` (N,) is in centimetres a frame. ``coefficients`` (N, 52) of the fitted expression are
    by `head.arkit.NAMES`.
    """

    colour: Tensor
    valid: Tensor
    light: Tensor
    motion: Tensor
    rotation: Tensor
    clear: Tensor
    speed: Tensor
    coefficients: Tensor

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


def descriptors(
    textures: FaceTextures,
    posed: PosedFaces,
    played: Played,
    hidden: NDArray[np.bool_],
    indices: Sequence[int],
) -> FaceDescriptors:
    """Read the descriptors of the faces ``indices``, of which some (N,) are mostly ``hidden``.

    ``played`` has their motion and their coefficients.
    """
    with closing(parallel_map(textures.read, indices)) as read:
        # Noted here: notes from threads reach nobody.
        pairs = zip(indices, read, strict=True)
        planes = [_coarse(_sound(textures, index, texture)) for index, texture in pairs]
    chosen = np.asarray(indices, np.int64)
    motion, coefficients = (torch.from_numpy(part[chosen]).float() for part in played)
    rotation = torch.from_numpy(posed.rotation[chosen])
    clear = torch.from_numpy(~hidden[chosen]).float()
    speed = torch.from_numpy(posed.speed[chosen])
    numbers = (part.to(device()) for part in (motion, rotation, clear, speed, coefficients))
    return FaceDescriptors(*(torch.stack(part) for part in zip(*planes, strict=True)), *numbers)


def finite_texture(textures: FaceTextures, index: int) -> Tensor:
    """Read the face ``index``, (SIZE, SIZE, 9), without texels that are not finite."""
    return _sound(textures, index, textures.read(index))


def mattes(texture: Tensor) -> tuple[Tensor, Tensor]:
    """What is in front of a face, by its ``texture`` (SIZE, SIZE, 9).

    How surprising each coarse texel is, (1, 1, COARSE, COARSE), see `occluders.scores`, and the
    matte (1, 1, SIZE, SIZE) of what is thin.
    """
    score, thin = texture.permute(2, 0, 1)[None, 7:].split(1, 1)
    return reduced(score), thin


def light_and_validity(texture: Tensor) -> tuple[Tensor, Tensor]:
    """The light (1, 3, COARSE, COARSE), log, and the validity (1, 1, ...) of a ``texture``."""
    planes = texture.permute(2, 0, 1)[None]
    return reduced(to_log(planes[:, 4:7])), reduced(planes[:, 3:4])


def coarse_normals(landmarks: Floats) -> Tensor:
    """Unit normals (N, 3, COARSE, COARSE) of faces (N, 478, 3), in the picture's axes."""
    mesh = atlas().mesh(landmarks)
    normal = on_texels(normals(torch.from_numpy(mesh).to(device())), SIZE // COARSE)
    return torch.nn.functional.normalize(normal.permute(0, 3, 1, 2), dim=1)


def _sound(textures: FaceTextures, index: int, texture: Floats) -> Tensor:
    """A texture without its NaN and infinite texels, which would spread over the whole face."""
    sound = np.isfinite(texture).all(-1, keepdims=True)
    broken = int((~sound).sum())
    if broken:
        _note(f"{textures.name(index)}: {broken} texels not finite, left out")
    return torch.from_numpy(np.where(sound, texture, np.float32(0))).to(device())


@cache
def _note(text: str) -> None:
    """Note it once: a texture is read for the plan, and again for each frame that it serves."""
    progress.note("faceset", text)


def _coarse(texture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Colour, validity and light of a texture (256, 256, 9), linear."""
    planes = texture.permute(2, 0, 1)[None]
    colour, valid = averaged(to_log(planes[:, :3]), planes[:, 3:4])
    return colour[0], valid[0], reduced(to_log(planes[:, 4:7]))[0]
