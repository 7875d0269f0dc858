"""A picture of a face, unwrapped into texture space."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from lifemask.nodes.render.atlas import COARSE, SIZE, atlas, texels
from lifemask.nodes.render.filters import erode, resample
from lifemask.nodes.render.raster import Fragments, rasterise

_LEAST_FACING, _FULL_FACING = 0.15, 0.5  # cosines of the angle to the camera
_BEHIND = 0.03  # of the face's width: deeper than the nearest surface by more is hidden


@dataclass(frozen=True)
class Textures:
    """Pictures in texture space.

    ``colour`` (N, 3, H, W) in the log curve, ``valid`` (N, 1, H, W) 0..1, and ``normal``
    (N, 3, H, W): unit, in the picture's axes, z below 0 faces the camera.
    """

    colour: Tensor
    valid: Tensor
    normal: Tensor

    @classmethod
    def joined(cls, parts: Iterable["Textures"]) -> "Textures":
        """All of ``parts``, one after the other."""
        planes = ((part.colour, part.valid, part.normal) for part in parts)
        return cls(*(torch.cat(same) for same in zip(*planes, strict=True)))

    def only(self, which: "Tensor | slice") -> "Textures":
        """Some of the pictures: those of a mask (N,), or of a slice."""
        return Textures(self.colour[which], self.valid[which], self.normal[which])

    @property
    def coarse(self) -> "Textures":
        """The same at COARSE texels a side, colour averaged where it is valid."""
        normal = torch.nn.functional.normalize(reduced(self.normal), dim=1)
        return Textures(*averaged(self.colour, self.valid), normal)


def averaged(colour: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (N, 3, H, W) and validity (N, 1, H, W) at COARSE texels a side.

    The colour is the mean of what is valid.
    """
    weight = reduced(valid)
    return reduced(colour * valid) / (weight + 1e-4), weight


def reduced(planes: Tensor) -> Tensor:
    """Planes (N, C, H, W) of texture space, averaged to COARSE texels a side."""
    return torch.nn.functional.avg_pool2d(planes, planes.shape[-1] // COARSE)


def unwrap(picture: Tensor, vertices: Tensor) -> Textures:
    """Unwrap ``picture`` (N, 3, H, W), log, of a mesh ``vertices`` (N, 504, 3) in its pixels.

    A texel is valid if it is in the picture, faces the camera and no part of the mesh hides it.
    """
    surface = on_texels(vertices)
    normal = on_texels(normals(vertices)).permute(0, 3, 1, 2)
    normal = torch.nn.functional.normalize(normal, dim=1)
    facing = (-normal[:, 2:] - _LEAST_FACING) / (_FULL_FACING - _LEAST_FACING)
    height, width = picture.shape[-2:]
    x, y, depth = surface.unbind(-1)
    seen = (x > 1) & (y > 1) & (x < width - 1) & (y < height - 1) & texels().covered.to(x.device)
    valid = facing.clamp(0, 1) * (seen & ~_hidden(vertices, surface[..., :2], depth))[:, None]
    return Textures(resample(picture, surface[..., :2]), valid, normal)


def normals(vertices: Tensor) -> Tensor:
    """Unit normals (N, V, 3) of the mesh, away from the head."""
    triangles = torch.from_numpy(atlas().triangles).to(vertices.device)
    a, b, c = vertices[:, triangles].unbind(2)
    face = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for corner in triangles.unbind(1):
        total.index_add_(1, corner, face)
    return torch.nn.functional.normalize(total, dim=-1)


def on_texels(attribute: Tensor, every: int = 1) -> Tensor:
    """Interpolate (N, V, C) over texture space, ``every`` so many texels: (N, H, W, C)."""
    fixed = texels()
    corner, weight, covered = (
        part[:, ::every, ::every].to(attribute.device)
        for part in (fixed.corner, fixed.weight, fixed.covered)
    )
    many = (part.expand(len(attribute), *part.shape[1:]) for part in (corner, weight, covered))
    return Fragments(*many)(attribute)


def _hidden(vertices: Tensor, position: Tensor, depth: Tensor) -> Tensor:
    """Which texels (N, SIZE, SIZE) lie behind another part of the mesh; at SIZE pixels a side."""
    low, high = vertices[..., :2].amin(1), vertices[..., :2].amax(1)
    scale = (SIZE - 4) / (high - low).amax(1)

    def fitted(points: Tensor) -> Tensor:
        ones = [1] * (points.ndim - 2)
        return (points - low.view(-1, *ones, 2)) * scale.view(-1, *ones, 1) + 2

    flat = torch.cat([fitted(vertices[..., :2]), vertices[..., 2:]], -1)
    triangles = torch.from_numpy(atlas().triangles).to(vertices.device)
    seen = rasterise(flat, triangles, SIZE, SIZE)
    nearest = seen(vertices[..., 2:]).permute(0, 3, 1, 2)
    nearest = torch.where(seen.covered[:, None], nearest, torch.full_like(nearest, 1e6))
    nearest = resample(erode(nearest, 1), fitted(position), "bilinear")[:, 0]
    slack = _BEHIND * (high - low)[:, 0].view(-1, 1, 1)
    return depth > nearest + slack
