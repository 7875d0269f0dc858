"""A face at rest, from those of its pictures whose fitted expression is the calmest."""

from contextlib import closing
from typing import TYPE_CHECKING

import torch

from lifemask.nodes import progress
from lifemask.nodes.plate_subject import FaceTextures
from lifemask.nodes.posed_faces import PosedFaces
from lifemask.nodes.render.descriptors import finite_texture
from lifemask.nodes.render.folds import FOLDING, Calm, fold_regions, relief
from lifemask.nodes.swap.fold_amounts import calmest, calmness
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_COUNT = 16  # pictures; more are no calmer


def calm_face(textures: FaceTextures, faces: PosedFaces) -> Calm:
    """Return the relief of a face at rest, weighted by how calm each region of a picture is."""
    chosen = calmest(faces.coefficients, ~faces.hidden, _COUNT) or [0]
    with closing(parallel_map(lambda i: finite_texture(textures, i), chosen)) as read:
        reliefs = torch.cat([relief(one) for one in progress.each(read, "rest", len(chosen))])
    calm = calmness(faces.coefficients[chosen])
    maps = {name: torch.from_numpy(map_) for name, map_ in fold_regions().items()}
    weights = torch.zeros_like(reliefs)
    for name in FOLDING:
        # So little that it only decides where nothing is calm.
        each = torch.from_numpy(calm[name]).to(weights) + 1e-3
        weights += each.view(-1, 1, 1, 1) * maps[name].to(weights)
    return Calm.of(reliefs, weights * (reliefs != 0))
