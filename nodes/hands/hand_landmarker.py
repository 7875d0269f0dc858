"""21 landmarks of each hand (MediaPipe Hands; Zhang et al. 2020, arXiv 2006.10214)."""

from dataclasses import dataclass
from functools import cache

import torch

from lifemask.nodes.faces.pyramid import Picture, Tensor, crops, display, gains, to_picture
from lifemask.nodes.faces.tflite import Network, load
from lifemask.nodes.hands.skeleton import COUNT, INDEX, MIDDLE, PALM, RING, WRIST

SIZE = 224
_DEPTH = 0.4  # by which z is larger than x and y
_ENLARGE, _SHIFT = 2.0, 0.1


@dataclass(frozen=True)
class LandedHands:
    """``points`` (N, 21, 3) in picture pixels, ``presence`` (N,) 0..1.

    ``right`` (N,) 0..1 is how likely it is a right hand. ``world`` (N, 21, 3) is the hand in
    metres about its own middle, x right, y down, z away from the camera.
    """

    points: Tensor
    presence: Tensor
    right: Tensor
    world: Tensor


@cache
def _network() -> Network:
    return load("hand_landmark_full.tflite")


def hand_landmarks(seen: Picture, rects: Tensor) -> LandedHands:
    """Return the landmarks of the hands that ``rects`` (N, 5) frame, at least one."""
    inner = rects.clone()
    inner[:, 2:4] *= 0.5
    shown = display(crops(seen, rects, SIZE), gains(crops(seen, inner, 32)))
    raw, presence, right, world = _network()(shown.permute(0, 2, 3, 1))
    points = raw.reshape(-1, COUNT, 3) / SIZE
    points[..., 2] /= _DEPTH
    return LandedHands(to_picture(points, rects), presence, right, _turned(world, rects))


def _turned(world: Tensor, rects: Tensor) -> Tensor:
    """Return points (N, 63) of the crops' axes in those of the picture (N, 21, 3)."""
    x, y, z = world.reshape(-1, COUNT, 3).unbind(-1)
    cos, sin = rects[:, 4, None].cos(), rects[:, 4, None].sin()
    return torch.stack([x * cos - y * sin, x * sin + y * cos, z], -1)


def hand_rects(points: Tensor) -> Tensor:
    """Return the rectangle (N, 5) that frames each hand (N, 21, 3) in the next frame.

    As MediaPipe's graph hand_landmark_landmarks_to_roi: about the palm, fingers up.
    """
    knuckles = ((points[:, INDEX] + points[:, RING]) / 2 + points[:, MIDDLE]) / 2
    fingers = knuckles - points[:, WRIST]
    angle = torch.atan2(fingers[:, 0], -fingers[:, 1])
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    x, y = points[:, PALM, 0], points[:, PALM, 1]
    turned = torch.stack([x * cos + y * sin, y * cos - x * sin], -1)
    low, high = turned.amin(1), turned.amax(1)
    u, v = ((low + high) / 2).unbind(-1)
    extent = high - low
    v = v - _SHIFT * extent[:, 1]
    cos, sin, side = cos[:, 0], sin[:, 0], extent.amax(1) * _ENLARGE
    return torch.stack([u * cos - v * sin, u * sin + v * cos, side, side, angle], 1)
