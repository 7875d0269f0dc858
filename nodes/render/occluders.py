"""What lies before a face: where its texture is neither skin under this light nor itself."""

import torch
from torch import Tensor

from lifemask.nodes.render.texture import Textures


def unoccluded(textures: Textures, albedo: Tensor, shade: Tensor) -> Tensor:
    """Trust (N, 1, H, W), 0..1, that a texel of ``textures`` shows the face itself."""
    return torch.ones_like(textures.valid)
