"""Eyeballs turned to another gaze behind the lids, which stay."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.filters import resample

EYES = ("right_eye", "left_eye")
RADIUS = 1.25
"""Centimetres from the middle of an eyeball to the plane of its iris."""

_IRISES = {"right_eye": topology.RIGHT_IRIS, "left_eye": topology.LEFT_IRIS}
_OUTLINES = {"right_eye": topology.RIGHT_EYE, "left_eye": topology.LEFT_EYE}
_WHOLE, _STILL = 1.05, 2.2  # radii of an iris within which all turns, and from which nothing does
_UNSURE = 3.0  # degrees: two gazes that differ by less are the same to a tracker
_LIDS = {"right_eye": (159, 145), "left_eye": (386, 374)}
_SHUT, _OPENED = 0.6, 1.2  # radii between the lids: below, lashes would be dragged along
_LASHES = 0.2  # radii from the lids within which they are before the eyeball


@dataclass(frozen=True)
class Irises:
    """Irises in a picture: ``middle`` (2,) and ``radius`` in its pixels by eye, and their gaze.

    ``lids`` (16, 2) are the outlines of the openings, and ``openness`` is 0 of eyes too shut to
    turn, else up to 1. ``gaze`` (2, 2) is in degrees, see `head.gaze`; ``axes`` (2, 2) are the
    pixels that an iris moves for a sine of 1, to picture right and down in the head.
    """

    middle: dict[str, Floats]
    radius: dict[str, float]
    lids: dict[str, Floats]
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
            radius[name] = max(float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()), 1e-6)
            gap = float(np.linalg.norm(np.subtract(*landmarks[list(_LIDS[name]), :2])))
            wide = gap / radius[name]
            openness[name] = min(max((wide - _SHUT) / (_OPENED - _SHUT), 0.0), 1.0)
        lids = {name: landmarks[list(_OUTLINES[name]), :2] for name in EYES}
        return cls(middle, radius, lids, openness, axes, gaze)

    def aim(self, name: str, gaze: Floats, turn: Floats) -> Floats:
        """The gaze (2,) to which an eye is turned for a ``gaze`` (2, 2), and by ``turn`` (2,) more.

        What may be the tracker's error does not turn it (coring): it reads no pitch well enough.
        """
        own = self.own(name)
        yaw = float(gaze[EYES.index(name)][0] - own[0])
        sure = max(0.0, 1 - (_UNSURE / max(abs(yaw), 1e-6)) ** 2)
        return np.asarray(own + self.openness[name] * (np.array([sure * yaw, 0.0]) + turn))

    def seen(self, name: str, aim: Floats) -> Floats:
        """Where the middle of an iris with this ``aim`` (2,) is, (2,), in the picture's pixels."""
        turn = _sines(aim) - _sines(self.own(name))
        return np.asarray(self.middle[name] + self.axes @ turn, np.float32)

    def sampled(self, name: str, aim: Floats, position: Tensor) -> Tensor:
        """Which point of an iris is at a ``position`` (1, H, W, 2) once it has this ``aim``.

        It is given by where the picture shows it, (1, H, W, 2). An iris is a disc before the
        eyeball's middle: seen from the side it is an ellipse.
        """
        here, there = (self.axes @ _rotation(one)[:2, :2] for one in (self.own(name), aim))
        back = torch.from_numpy((here @ np.linalg.inv(there)).T).to(position)
        middle, moved = (
            torch.from_numpy(np.asarray(one, np.float32)).to(position)
            for one in (self.middle[name], self.seen(name, aim))
        )
        found: Tensor = (position - moved) @ back + middle
        return found

    def own(self, name: str) -> Floats:
        """The gaze (2,) of an eye in the picture, degrees."""
        return np.asarray(self.gaze[EYES.index(name)], np.float64)


def _sines(aim: Floats) -> Floats:
    """Where an eye looks, to picture right and down, (2,): the first two of its direction."""
    return np.asarray(_rotation(aim)[:2, 2])


def _rotation(aim: Floats) -> Floats:
    """The rotation (3, 3) of an eye from straight ahead, (0, 0, 1), to yaw and pitch (degrees)."""
    (yaw, pitch) = np.deg2rad(np.asarray(aim, np.float64))
    across = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    down = np.array(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    )
    return np.asarray(across @ down)


def looking(
    picture: Tensor, position: Tensor, inside: Tensor, irises: Irises, name: str, aim: Floats
) -> Tensor:
    """A ``picture`` (1, C, h, w), sampled so that its eye has another ``aim`` (2,): (1, C, H, W).

    ``position`` (1, H, W, 2) is where the mesh samples it. ``inside`` (1, 1, H, W) is the opening
    of the lids, 0..1, behind which the eyeball turns: they stay, and so does the white near its
    corners. What the picture's own lids hide is taken from the other side of the iris.
    """
    if np.array_equal(aim, irises.own(name)):
        return resample(picture, position)
    lids = torch.from_numpy(irises.lids[name]).to(position)
    radius = irises.radius[name]
    # The lids' own pixels stay, and the lashes before the eyeball with them.
    behind = (_depth(position, lids) / (_LASHES * radius)).clamp(0, 1)
    behind = behind * inside.permute(0, 2, 3, 1)
    middle = torch.from_numpy(irises.seen(name, aim)).to(position)
    radii = (position - middle).norm(dim=-1, keepdim=True) / radius
    share = ((_STILL - radii) / (_STILL - _WHOLE)).clamp(0, 1)
    moved = torch.lerp(
        position, irises.sampled(name, aim, position), share * share * (3 - 2 * share)
    )
    hidden = (1 - _depth(moved, lids) / (_LASHES * radius)).clamp(0, 1)
    seen = resample(picture, moved)
    if hidden.any():
        instead = resample(picture, _completed(moved, irises, name, lids))
        seen = torch.lerp(seen, instead, hidden.permute(0, 3, 1, 2))
    return torch.lerp(resample(picture, position), seen, behind.permute(0, 3, 1, 2))


def _completed(moved: Tensor, irises: Irises, name: str, lids: Tensor) -> Tensor:
    """Where else to sample what the ``lids`` (K, 2) hide of where it has ``moved``, (1, H, W, 2).

    An iris is alike on opposite sides of its middle, and the white is beside it. Where all that is
    hidden as well, what is nearest below the lids stands in.
    """
    radius = irises.radius[name]
    middle = torch.from_numpy(np.asarray(irises.middle[name], np.float32)).to(moved)
    across = torch.from_numpy(irises.axes[:, 0] / np.linalg.norm(irises.axes[:, 0])).to(moved)
    depth, away = _depth(moved, lids), moved - middle
    far = away.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    pulled = (1 - (_LASHES * radius - depth).clamp(min=0) / far).clamp(min=0)
    found = middle + away * pulled
    for side in (middle - across * far, middle + across * far):
        white = (far > radius) & (_depth(side, lids) > _LASHES * radius)
        found = torch.where(white, side, found)
    opposite = middle - away
    return torch.where(_depth(opposite, lids) > _LASHES * radius, opposite, found)


def _depth(position: Tensor, outline: Tensor) -> Tensor:
    """How deep a ``position`` (1, H, W, 2) is inside an ``outline`` (K, 2); below 0 outside."""
    along = outline.roll(-1, 0) - outline
    away = position[..., None, :] - outline
    share = ((away * along).sum(-1) / along.square().sum(-1).clamp(min=1e-9)).clamp(0, 1)
    nearest = (away - share[..., None] * along).norm(dim=-1).amin(-1, keepdim=True)
    # Of a ray to the right: crossed an odd number of times, it begins inside.
    y, begin, end = position[..., 1:], outline[:, 1], outline.roll(-1, 0)[:, 1]
    crossing = (begin > y) != (end > y)
    at = outline[:, 0] + (y - begin) / torch.where(begin == end, 1.0, end - begin) * along[:, 0]
    inside = (crossing & (position[..., :1] < at)).sum(-1, keepdim=True) % 2 == 1
    return torch.where(inside, nearest, -nearest)
