"""478 landmarks of each face (Face Mesh V2), alone or averaged over several crops."""

from dataclasses import dataclass
from functools import cache

import torch

from lifemask.nodes.faces.detector import Found
from lifemask.nodes.faces.pyramid import Picture, Tensor, crops, display, face_gains, to_picture
from lifemask.nodes.faces.tflite import Network, load
from lifemask.nodes.faces.topology import COUNT, LEFT_CORNER, RIGHT_CORNER

SIZE = 256
_ENLARGE = 1.5
_BATCH = 16  # crops in memory
# How far the crops of one face are spread: share of its width, of its scale, radians.
_SHIFT, _SCALE, _TURN = 0.03, 0.04, 0.05


@dataclass(frozen=True)
class Landed:
    """``points`` (N, 478, 3) in picture pixels, ``presence`` (N,) 0..1.

    ``spread`` (N,) is how far the crops of one face disagree, as a share of the rectangle's width.
    """

    points: Tensor
    presence: Tensor
    spread: Tensor


@cache
def _network() -> Network:
    return load("face_landmarks_detector.tflite")


def landmarks(seen: Picture, rects: Tensor, samples: int = 1) -> Landed:
    """Return the landmarks of the faces that ``rects`` (N, 5) frame.

    With ``samples`` > 1 each is the mean over that many crops around its rectangle: the error of
    the network is how it depends on where the crop falls, so averaging takes most of it away.
    """
    many, gain = around(rects, samples), face_gains(seen, rects).repeat(samples)
    points, presence = [], []
    for some, bright in zip(many.split(_BATCH), gain.split(_BATCH), strict=True):
        shown = display(crops(seen, some, SIZE), bright)
        raw, score, _ = _network()(shown.permute(0, 2, 3, 1))
        points.append(to_picture(raw.reshape(-1, COUNT, 3) / SIZE, some))
        presence.append(torch.sigmoid(score))
    return _averaged(torch.cat(points), torch.cat(presence), rects, samples)


def _averaged(points: Tensor, presence: Tensor, rects: Tensor, samples: int) -> Landed:
    """Return the mean of the samples of each face, which lie sample by sample."""
    points, presence = points.unflatten(0, (samples, -1)), presence.unflatten(0, (samples, -1))
    middle = points.mean(0)
    spread = (points - middle)[..., :2].square().sum(-1).mean((0, 2)).sqrt() / rects[:, 2]
    return Landed(middle, presence.mean(0), spread)


def around(rects: Tensor, samples: int) -> Tensor:
    """Return (samples * N, 5): each rectangle, then its low-discrepancy neighbours (Sobol)."""
    if samples == 1:
        return rects
    sobol = torch.quasirandom.SobolEngine(4, scramble=True, seed=7)
    offsets = (sobol.draw(samples) * 2 - 1).to(rects)
    offsets[0] = 0
    x, y, scale, turn = offsets[:, None].unbind(-1)
    cx, cy, width, height, angle = rects[None].unbind(-1)
    grown = 1 + _SCALE * scale
    return torch.stack(
        [
            cx + _SHIFT * x * width,
            cy + _SHIFT * y * width,
            width * grown,
            height * grown,
            angle + _TURN * turn,
        ],
        -1,
    ).flatten(0, 1)


def rects_of(points: Tensor, enlarge: float = _ENLARGE) -> Tensor:
    """Return the rectangle (N, 5) that frames each face: level with its eyes, square, enlarged."""
    line = points[:, LEFT_CORNER] - points[:, RIGHT_CORNER]
    angle = torch.atan2(line[:, 1], line[:, 0])
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    x, y = points[..., 0], points[..., 1]
    turned = torch.stack([x * cos + y * sin, y * cos - x * sin], -1)
    low, high = turned.amin(1), turned.amax(1)
    u, v = ((low + high) / 2)[:, None].unbind(-1)
    side = (high - low).amax(1) * enlarge
    return torch.stack([(u * cos - v * sin)[:, 0], (u * sin + v * cos)[:, 0], side, side, angle], 1)


def rects_of_found(found: Found) -> Tensor:
    """Return the rectangle (N, 5) that frames each detected face."""
    line = found.eyes[:, 1] - found.eyes[:, 0]
    angle = torch.atan2(line[:, 1], line[:, 0])
    low, high = found.boxes[:, :2], found.boxes[:, 2:]
    middle, side = (low + high) / 2, (high - low).amax(1) * _ENLARGE
    return torch.stack([middle[:, 0], middle[:, 1], side, side, angle], 1)


def boxes_of(points: Tensor) -> Tensor:
    """Return the upright box (N, 4), left top right bottom, of each face."""
    return torch.cat([points[..., :2].amin(1), points[..., :2].amax(1)], 1)
