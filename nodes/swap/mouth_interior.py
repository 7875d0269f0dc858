"""The inside of a mouth that no picture shows: the head model's, as white as the eyes."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes.device import device
from lifemask.nodes.head.mouth import Mouth, mouth_in
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import Floats, openings
from lifemask.nodes.render.filters import blur
from lifemask.nodes.render.raster import rasterise
from lifemask.nodes.render.warp import View, Window, extent
from lifemask.nodes.swap.plan import FramePlan, ShotPlan

_FINER = 3  # samples of a pixel, each way
_SOFT = 0.5  # pixels: as soft as a camera has it
_FLESH = (-1.2, -2.5, -2.4)  # stops from teeth to gums and tongue
_THROAT = 0.02  # of the light on the lips: what nothing is darker than
_BOUNCED = (0.9, 1.2, 1.15)  # power of the light by channel: deep inside it has met flesh before
_ROUND = 0.35  # of its light a tooth loses where it turns away


def interior(view: View, frame: FramePlan) -> Tensor:
    """How much of the head model's mouth is seen, (1, 1, H, W), 0..1."""
    if not frame.interior:
        return torch.zeros_like(view.covered)
    return view.of_atlas(openings()["mouth"]).clamp(0, 1) * view.covered * frame.interior


def with_mouth(
    picture: Tensor,
    share: Tensor,
    window: Window,
    plan: ShotPlan,
    frame: FramePlan,
    light: Tensor,
) -> Tensor:
    """The ``picture`` (1, 3, H, W) with a ``share`` (1, 1, H, W) of the head model's mouth; log.

    ``light`` (1, 3, H, W) is the plate's on the face.
    """
    rows, columns = extent(share)
    if rows.start == rows.stop or columns.start == columns.stop:
        return picture
    mouth = mouth_in(frame.landmarks, plan.identity, frame.coefficients)
    corner = np.array([window.x0 + columns.start, window.y0 + rows.start, 0], np.float32)
    size = rows.stop - rows.start, columns.stop - columns.start
    at = (..., rows, columns)
    inside = _rendered(mouth, corner, size, plan.teeth) + light[at]
    result = picture.clone()
    result[at] = torch.lerp(picture[at], inside, share[at])
    return result


def _rendered(mouth: Mouth, corner: Floats, size: tuple[int, int], teeth: Floats) -> Tensor:
    """The mouth (1, 3, h, w) from the pixel ``corner`` (3,) on, log, without the plate's light.

    ``teeth`` (3,) is their colour.
    """
    height, width = (_FINER * side for side in size)
    finer = ((mouth.vertices - corner) * _FINER).astype(np.float32)
    vertices = torch.from_numpy(finer).to(device())
    triangles = torch.from_numpy(mouth.triangles).to(device())
    fragments = rasterise(vertices[None], triangles, height, width)
    colour = _colours(mouth, vertices, triangles, torch.from_numpy(teeth).to(vertices))
    darkest = np.array(_FLESH) + np.array(_BOUNCED) * np.log2(_THROAT)
    throat = colour.new_tensor(teeth + STOP * darkest)
    drawn = torch.where(fragments.covered[..., None], fragments(colour), throat)
    return blur(functional.avg_pool2d(drawn.permute(0, 3, 1, 2), _FINER), _SOFT)


def _colours(mouth: Mouth, vertices: Tensor, triangles: Tensor, teeth: Tensor) -> Tensor:
    """The colours (V, 3), log, under the light that falls in between the lips."""
    flesh = teeth + STOP * torch.tensor(_FLESH).to(teeth)
    own = torch.where(torch.from_numpy(mouth.teeth).to(teeth.device)[:, None], teeth, flesh)
    away = 1 - _facing(vertices, triangles)
    reach = torch.from_numpy(_reach(mouth)).to(teeth)
    redder = torch.log2(reach)[:, None] * torch.tensor(_BOUNCED).to(teeth)
    return own + STOP * (redder + torch.log2(1 - _ROUND * away)[:, None])


def _reach(mouth: Mouth) -> Floats:
    """The share (V,) of the light that reaches each vertex through the opening.

    The form factor of a disc of the opening's area (Howell, configuration B-13).
    """
    squared = mouth.opening / np.pi
    factor = squared / (squared + np.square(mouth.behind))
    return np.asarray(factor.clip(_THROAT, 1), np.float32)


def _facing(vertices: Tensor, triangles: Tensor) -> Tensor:
    """The cosine (V,) of the angle between each vertex's normal and the camera's line of sight."""
    first, second, third = vertices[triangles].unbind(1)
    normal = torch.linalg.cross(second - first, third - first)
    total = torch.zeros_like(vertices)
    for corner in triangles.T:
        total.index_add_(0, corner, normal)
    return functional.normalize(total, dim=1)[:, 2].abs()
