"""The part of a light image that is a face's own relief, and belongs to that face.

A light image is the texture less the albedo (`light.light_image`). Besides light it holds the
shading of a nose or brow that the smooth mesh lacks, which must not fall on anybody else.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lifemask.nodes.device import device
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.faceset.provider import descriptors_of
from lifemask.nodes.render.descriptors import coarse_normals
from lifemask.nodes.render.filters import masked_blur
from lifemask.nodes.render.light import shading

_WIDE = 4.0  # coarse texels: anything wider is light


def shading_residual(faceset: FaceSet, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return it for the faces ``indices``, (N, 3, 64, 64), log, and how far it is seen, 0..1.

    It is the fine part of the light images less the spherical harmonics of their take.
    """
    faces, takes = descriptors_of(faceset, indices), faceset.faces.take[list(indices)]
    lights = torch.from_numpy(faceset.faces.lights[takes]).to(device())
    normal = coarse_normals(faceset.face_landmarks[list(indices)])
    residual = faces.light - shading(normal, lights, faces.valid)
    return residual - masked_blur(residual, faces.valid, _WIDE), faces.valid
