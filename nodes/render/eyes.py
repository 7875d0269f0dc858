"""Irises turned to another gaze, within the opening of the lids."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.render.atlas import Floats

EYES = ("right_eye", "left_eye")
RADIUS = 1.25
"""Centimetres from the middle of an eyeball to the plane of its iris."""

_IRISES = {"right_eye": topology.RIGHT_IRIS, "left_eye": topology.LEFT_IRIS}
_WHOLE, _STILL = 1.05, 2.2  # radii of an iris within which all moves, and from which nothing does
_UNSURE = 3.0  # degrees: two gazes that differ by less are the same to a tracker
_LIDS = {"right_eye": (159, 145), "left_eye": (386, 374)}
_SHUT, _OPENED = 0.6, 1.2  # radii between the lids: below, lashes would be dragged along


@dataclass(frozen=True)
class Irises:
    """Irises in a picture: ``middle`` (2,) and ``radius`` in its pixels by eye, and their gaze.

    ``openness`` is 0 of eyes too shut to turn, else up to 1. ``gaze`` (2, 2) is in degrees, see
    `head.gaze`; ``axes`` (2, 2) are the pixels that an iris moves for a sine of 1, to picture right
    and down in the head.
    """

    middle: dict[str, Floats]
    radius: dict[str, float]
    openness: dict[str, float]
    axes: Floats
    gaze: Floats

    @classmethod
    def of(cls, landmarks: Floats, scale: float, facing: float, gaze: Floats) -> "Irises":
        """Of ``landmarks`` (478, 3) in the picture, with ``scale`` pixels a centimetre.

        ``facing`` is the cosine of the head's yaw.
        """
        across = landmarks[topology.LEFT_CORNER, :2] - landmarks[topology.RIGHT_CORNER, :2]
        x, y = across / max(float(np.linalg.norm(across)), 1e-6)
        axes = np.array([[x * facing, -y], [y * facing, x]], np.float32) * (scale * RADIUS)
        middle, radius, openness = {}, {}, {}
        for name in EYES:
            iris = landmarks[list(_IRISES[name]), :2]
            middle[name] = iris.mean(0)
            radius[name] = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
            gap = float(np.linalg.norm(np.subtract(*landmarks[list(_LIDS[name]), :2])))
            wide = gap / max(radius[name], 1e-6)
            openness[name] = min(max((wide - _SHUT) / (_OPENED - _SHUT), 0.0), 1.0)
        return cls(middle, radius, openness, axes, gaze)

    def shift(self, name: str, gaze: Floats, turn: Floats) -> Floats:
        """The pixels (2,) by which an iris moves to a ``gaze`` (2, 2), and by ``turn`` (2,) more.

        What may be the tracker's error does not move it (coring): it reads no pitch well enough.
        """
        own = self.gaze[EYES.index(name)].astype(np.float64)
        yaw = float(gaze[EYES.index(name)][0] - own[0])
        sure = max(0.0, 1 - (_UNSURE / max(abs(yaw), 1e-6)) ** 2)
        aim = own + np.array([sure * yaw, 0.0]) + turn
        moved = np.sin(np.deg2rad(aim)) - np.sin(np.deg2rad(own))
        return np.asarray(self.openness[name] * self.axes @ moved, np.float32)


def turned(position: Tensor, inside: Tensor, irises: Irises, name: str, shift: Floats) -> Tensor:
    """Where to sample a picture (1, H, W, 2), so that its iris is moved by ``shift`` (2,) pixels.

    ``position`` is where the mesh samples it. ``inside`` (1, 1, H, W) is the opening of the lids,
    0..1, which stay. The white is stretched on one side and compressed on the other.
    """
    if not shift.any():
        return position
    move = torch.from_numpy(shift).to(position)
    aim = torch.from_numpy(irises.middle[name]).to(position) + move
    radii = (position - aim).norm(dim=-1, keepdim=True) / max(irises.radius[name], 1e-6)
    share = ((_STILL - radii) / (_STILL - _WHOLE)).clamp(0, 1)
    smooth = share * share * (3 - 2 * share)
    moved: Tensor = position - smooth * inside.permute(0, 2, 3, 1) * move
    return moved
