"""Read the pictures that a plan names."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.device import device
from lifemask.nodes.hands.hand_coverage import hand_coverage
from lifemask.nodes.head.gaze import gaze_of
from lifemask.nodes.likeness import Likeness
from lifemask.nodes.plate_subject import Occlusion
from lifemask.nodes.render.atlas import coarse, openings
from lifemask.nodes.render.descriptors import finite_texture, light_and_validity
from lifemask.nodes.render.eyes import Irises
from lifemask.nodes.render.folds import relief
from lifemask.nodes.render.warp import Source, Sources, Window, prepared
from lifemask.nodes.swap.plan import FramePlan
from lifemask.ocio.colour.transform import finite

_HELD = 12  # pictures of the likeness in memory
_STEPS = 8  # of a reduction: pictures are filtered for its nearest eighth


class FacePictures:
    """The pictures of a ``likeness``, and what lies in front of the plate's subject.

    The last pictures stay in memory, as neighbouring frames share them.
    """

    def __init__(self, likeness: Likeness, occlusion: Occlusion) -> None:
        """No picture is read yet."""
        self.likeness, self.occlusion = likeness, occlusion
        self._source = lru_cache(_HELD)(self._read)
        faces = likeness.posed
        self._gaze = gaze_of(faces.shape, faces.rotation, faces.expression, [])

    def sources(self, plan: FramePlan) -> Sources:
        """Return the pictures of each region that a plan names, with their shares."""
        step = round(plan.reduction * _STEPS) / _STEPS
        return {
            name: [(share, self._source(picture, step)) for picture, share in shares.items()]
            for name, shares in plan.pictures.items()
        }

    def subject(self, plan: FramePlan) -> Tensor:
        """Return the subject's texture (SIZE, SIZE, 9) in this frame."""
        return finite_texture(self.occlusion.textures, plan.index)

    def hands(self, plan: FramePlan, window: Window) -> Tensor:
        """Return what tracked hands cover in this frame, (1, 1, H, W), 0..1."""
        shape = window.y1 - window.y0, window.x1 - window.x0
        corner = np.array([window.x0, window.y0, 0], np.float32)
        found = (hand.at(plan.frame) for hand in self.occlusion.hands)
        seen = [hand_coverage(points - corner, shape) for points in found if points is not None]
        covered = np.max([np.zeros(shape, np.float32), *seen], axis=0)
        return torch.from_numpy(covered).to(device())[None, None]

    def _read(self, index: int, reduction: float) -> Source:
        texture = finite_texture(self.likeness.textures, index)
        light, valid = light_and_validity(texture)
        picture = prepared(finite(self.likeness.picture(index)[..., :3]), reduction)
        landmarks = self.likeness.landmarks[index]
        return Source(
            picture,
            landmarks,
            light,
            torch.maximum(valid, _opened()),
            relief(texture),
            self._irises(index),
        )

    def _irises(self, index: int) -> Irises:
        scale, facing = self.likeness.scale[index], self.likeness.posed.rotation[index, 0, 0]
        landmarks, gaze = self.likeness.landmarks[index], self._gaze[index]
        return Irises.of(landmarks, float(scale), float(facing), gaze)


def _opened() -> Tensor:
    """Mouth and eyes, (1, 1, 64, 64), whose inside can be visible whatever the normals are."""
    inside = torch.cat([coarse(map_) for map_ in openings().values()], 1)
    return inside.amax(1, keepdim=True).to(device())
