"""The passes of one rendered face: what is composited, and what the refiner is shown."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lifemask.nodes.render.atlas import openings
from lifemask.nodes.render.glass import Glass
from lifemask.nodes.render.warp import View


@dataclass(frozen=True)
class FacePasses:
    """Planes (1, C, H, W) of a window's pixels; colours are log.

    ``view`` and ``own`` are the likeness's and the double's mesh. ``render`` is the likeness's
    pictures in the plate's light, ``shaded`` its albedo alone in that light. ``carried`` is the
    plate, taken by the meshes from where the double's features are to the likeness's, and
    ``predicted`` what the double's albedo and the light make of it. ``darker`` is how much darker
    the double's skin is than the likeness's at the same place, as by a beard. ``face`` is where the
    face may be replaced, ``occlusion`` what is in front, ``glass`` what it is seen through, and
    ``interior`` where the head model's mouth is, which no refiner has learned.
    """

    view: View
    own: View
    width: float
    plate: Tensor
    render: Tensor
    shaded: Tensor
    carried: Tensor
    predicted: Tensor
    light: Tensor
    normal: Tensor
    darker: Tensor
    face: Tensor
    occlusion: Tensor
    glass: Glass
    interior: Tensor

    @cached_property
    def candidates(self) -> Tensor:
        """What the likeness may look like, (3, 3, H, W).

        Its pictures; the same with all that the plate adds to its prediction: cast shadows and
        glints, but what is the double's own, too; its albedo, free of a picture's flaws.
        """
        transferred = self.render + self.carried - self.predicted
        return torch.cat([self.render, transferred, self.shaded])

    @property
    def openings(self) -> Tensor:
        """Eyes and mouth, (1, 2, H, W)."""
        maps = openings()
        eyes = self.view.of_atlas(maps["right_eye"]) + self.view.of_atlas(maps["left_eye"])
        return torch.cat([eyes, self.view.of_atlas(maps["mouth"])], 1) * self.view.covered
