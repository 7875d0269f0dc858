"""A small z-buffered rasteriser: exact, batched, the same code on CPU and GPU.

Every triangle is expanded into the pixels of its bounding box, all at once; each pixel then keeps
the nearest fragment by one scatter of a key that holds depth above and fragment number below.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

DEPTH_STEPS = 1 << 20
EDGE = 1e-5  # barycentric slack, so that no pixel falls between two triangles


@dataclass(frozen=True)
class Fragments:
    """The triangle that each pixel shows.

    ``corner`` (N, H, W, 3) vertex indices, ``weight`` (N, H, W, 3) barycentrics, ``covered``
    (N, H, W); where no triangle is, corner and weight are 0.
    """

    corner: "Tensor"
    weight: "Tensor"
    covered: "Tensor"

    def __call__(self, attribute: "Tensor") -> "Tensor":
        """Interpolate ``attribute`` (V, C) or (N, V, C) over the picture: (N, H, W, C)."""
        count, height, width, _ = self.corner.shape
        if attribute.ndim == 2:
            attribute = attribute.expand(count, -1, -1)
        flat = self.corner.reshape(count, -1, 1).expand(-1, -1, attribute.shape[-1])
        picked = attribute.gather(1, flat).reshape(count, height, width, 3, -1)
        return (picked * self.weight[..., None]).sum(3)


def rasterise(vertices: "Tensor", triangles: "Tensor", height: int, width: int) -> Fragments:
    """Return the fragments of a batch of meshes in a picture of ``height`` by ``width``.

    ``vertices`` (N, V, 3) in pixels, pixel centres at .5, the smallest z in front; ``triangles``
    (T, 3). Triangles seen from behind are drawn, too: a mesh of a face is open.
    """
    meshes = [_rasterise_one(mesh, triangles, height, width) for mesh in vertices]
    corner, weight, covered = (torch.stack(part) for part in zip(*meshes, strict=True))
    return Fragments(corner, weight, covered)


def _rasterise_one(
    mesh: "Tensor", triangles: "Tensor", height: int, width: int
) -> "tuple[Tensor, Tensor, Tensor]":
    corners = mesh[triangles]
    owner, x, y = _boxes(corners[..., :2], height, width)
    # Relative to a corner of the triangle: far from the picture's origin edges would not meet.
    away = torch.stack([x + 0.5, y + 0.5], 1) - corners[owner, 0, :2]
    second, third = (_slopes(corners[..., :2])[owner] * away[:, None]).sum(-1).unbind(1)
    inside = ((second > -EDGE) & (third > -EDGE) & (second + third < 1 + EDGE)).nonzero()[:, 0]
    owner, second, third = owner[inside], second[inside], third[inside]
    z = corners[owner, :, 2]
    depth = z[:, 0] + second * (z[:, 1] - z[:, 0]) + third * (z[:, 2] - z[:, 0])
    nearest = _nearest(y[inside] * width + x[inside], depth, height * width)
    covered = nearest >= 0
    front = nearest.clamp(min=0)
    seen = covered[:, None]
    if not len(owner):
        return (
            torch.zeros(height, width, 3, dtype=torch.long, device=mesh.device),
            torch.zeros(height, width, 3, device=mesh.device),
            covered.reshape(height, width),
        )
    corner = triangles[owner[front]] * seen
    u, v = second[front], third[front]
    weight = torch.stack([1 - u - v, u, v], 1) * seen
    return (
        corner.reshape(height, width, 3),
        weight.reshape(height, width, 3),
        covered.reshape(height, width),
    )


def _boxes(corners: "Tensor", height: int, width: int) -> "tuple[Tensor, Tensor, Tensor]":
    """Triangle, column and row of every pixel centre in every triangle's bounding box.

    ``corners`` (T, 3, 2).
    """
    limit = torch.tensor([width, height], device=corners.device)
    first = (corners.amin(1) - 0.5).ceil().long().clamp(min=0)
    last = torch.minimum((corners.amax(1) - 0.5).floor().long(), limit - 1)
    size = (last - first + 1).clamp(min=0)
    count = size.prod(-1)
    owner = torch.repeat_interleave(count)
    begin = count.cumsum(0) - count
    number = torch.arange(len(owner), device=owner.device) - begin[owner]
    columns = size[owner, 0]
    row = torch.div(number, columns, rounding_mode="floor")
    return owner, first[owner, 0] + number - row * columns, first[owner, 1] + row


def _slopes(corners: "Tensor") -> "Tensor":
    """Slopes of the second and third barycentric in x and in y: (T, 2, 2).

    ``corners`` (T, 3, 2). A degenerate triangle has NaN, which is inside of nothing.
    """
    a, b, c = corners.unbind(1)
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = torch.where(area.abs() < 1e-9, torch.full_like(area, torch.nan), area)
    second = torch.stack([ac[:, 1], -ac[:, 0]], 1)
    third = torch.stack([-ab[:, 1], ab[:, 0]], 1)
    return torch.stack([second, third], 1) / area[:, None, None]


def _nearest(pixel: "Tensor", depth: "Tensor", pixels: int) -> "Tensor":
    """Number of the nearest fragment of every pixel, -1 where there is none."""
    if not len(depth):
        return torch.full((pixels,), -1, dtype=torch.long, device=pixel.device)
    low, high = depth.min(), depth.max()
    step = ((depth - low) / (high - low).clamp(min=1e-9) * DEPTH_STEPS).long()
    key = step * len(depth) + torch.arange(len(depth), device=depth.device)
    none = torch.iinfo(torch.long).max
    best = torch.full((pixels,), none, dtype=torch.long, device=pixel.device)
    best.scatter_reduce_(0, pixel, key, "amin")
    return torch.where(best == none, -1, best % len(depth))
