"""Motion blur of a face that moves while the shutter is open."""

import math

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.render.acescct import to_linear, to_log
from lifemask.nodes.render.atlas import Floats, atlas
from lifemask.nodes.render.filters import resample
from lifemask.nodes.render.warp import View

_LEAST = 0.5  # pixels: less does not show
_MOST = 32  # pictures that are averaged


def smeared(view: View, picture: Tensor, travel: Floats) -> Tensor:
    """The face ``picture`` (1, 3, H, W), log, of a ``view``, blurred by its motion.

    ``travel`` (478, 2) is how far each landmark moves while the shutter is open, in pixels. Linear
    light is averaged along straight paths.
    """
    farthest = float(np.linalg.norm(travel, axis=1).max())
    if farthest < _LEAST:
        return picture
    count = min(_MOST, math.ceil(farthest) + 1)
    way, pixels = _way(view, travel), _pixels(view)
    # At the mesh's edge only covered pixels count.
    covered = view.covered
    light = torch.cat([to_linear(picture) * covered, covered], 1)
    total = torch.zeros_like(light)
    for step in range(count):
        total += resample(light, pixels + ((step + 0.5) / count - 0.5) * way, "bilinear")
    seen = total[:, 3:]
    return torch.where(covered * seen > 0, to_log(total[:, :3] / seen.clamp(min=1e-6)), picture)


def _way(view: View, travel: Floats) -> Tensor:
    """The motion of the face at each pixel, (1, H, W, 2)."""
    # The skirt is linear in the landmarks, so it moves with them.
    flat = np.concatenate([travel, np.zeros_like(travel[:, :1])], 1)
    vertices = torch.from_numpy(atlas().mesh(flat[None])[0, :, :2]).to(view.covered)
    return view.fragments(vertices)


def _pixels(view: View) -> Tensor:
    """The pixel centres, (1, H, W, 2)."""
    height, width = view.covered.shape[-2:]
    y, x = (torch.arange(n, device=view.covered.device) + 0.5 for n in (height, width))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)[None]
