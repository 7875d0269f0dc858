"""Texture augmentation: faces with something painted in front, whose matte is known exactly.

All in the log of linear light, where light, shadows and beards are sums.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.learning.augment.beards import AlbedoChange
from lifemask.nodes.learning.augment.occlusions import outline
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import SIZE, Floats

Random = np.random.Generator

_EMPTY = 0.25  # share of the faces with nothing in front
_MAKE_UP, _SHADOW, _CAST, _TWICE, _TINTED = 0.4, 0.3, 0.4, 0.3, 0.2  # how often


@dataclass(frozen=True)
class Material:
    """``faces`` (SIZE, SIZE, 4), log and validity, and ``pictures``, log, to paint with."""

    faces: list[Floats]
    pictures: list[Floats]


class Painted(NamedTuple):
    """A face with something in front.

    ``colour`` (3, SIZE, SIZE) is log; ``valid``, where that was seen, and ``matte``, of the
    occluder, are (1, SIZE, SIZE), 0..1.
    """

    colour: Tensor
    valid: Tensor
    matte: Tensor


def paint_face(material: Material, random: Random) -> Painted:
    """Draw a face, mostly with something in front."""
    face = _one(material.faces, random)
    if random.random() < 0.5:
        face = face[:, ::-1]
    colour, valid = face[..., :3].copy(), face[..., 3:]
    level = _level(face)
    if random.random() < _MAKE_UP:
        colour += AlbedoChange.drawn(random).pattern[0].permute(1, 2, 0).cpu().numpy()
    colour += _light(random)
    if random.random() < _SHADOW:
        colour -= _shadow(shape(random), float(np.exp(random.uniform(-0.2, 2))), 0.14, random)
    matte = np.zeros((SIZE, SIZE), np.float32)
    if random.random() > _EMPTY:
        for _ in range(2 if random.random() < _TWICE else 1):
            colour, matte = _covered(colour, matte, level, material, random)
    colour, matte = _seen(colour, matte, random)
    parts = (part.transpose(2, 0, 1) for part in (colour, valid, matte[..., None]))
    return Painted(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))


def _covered(
    colour: Floats, matte: Floats, level: Floats, material: Material, random: Random
) -> tuple[Floats, Floats]:
    """Put one more occluder, and maybe its shadow, over a face."""
    hard = shape(random)
    if random.random() < _CAST:
        moved = np.roll(hard, tuple(random.integers(-16, 17, 2)), (0, 1))
        colour = colour - _shadow(moved, float(np.exp(random.uniform(0.5, 2.7))), 0.12, random)
    own = soft(hard, float(np.exp(random.uniform(-0.7, 1.2))))
    look = _look(hard, level, material, random)
    return colour + (look - colour) * own[..., None], np.maximum(matte, own)


def _shadow(hard: Floats, softness: float, most: float, random: Random) -> Floats:
    depth = random.uniform(0.01, most) + random.normal(0, 0.005, 3)
    return np.asarray(soft(hard, softness)[..., None] * depth, np.float32)


def _look(hard: Floats, level: Floats, material: Material, random: Random) -> Floats:
    """Colours (SIZE, SIZE, 3) of an occluder of the shape ``hard``, near the face's level."""
    kind = random.random()
    if kind < 0.35:
        look = patch(_one(material.pictures, random), random)
        nearer = (level - look.mean((0, 1))) * random.uniform(0, 0.7)
        look = np.asarray(look + nearer + random.normal(0, 0.05), np.float32)
    elif kind < 0.7:
        other = _one(material.faces, random)
        texture = (other[..., :3] - _level(other)) * other[..., 3:]
        tone = level + random.normal(0, 0.05) + random.normal(0, 0.012, 3)
        look = np.asarray(tone + patch(texture, random) * random.uniform(0.2, 1.2), np.float32)
    else:
        look = level + _plain(random)
    return np.asarray(look + rounded(hard, random)[..., None] + _light(random) * 0.7, np.float32)


def _plain(random: Random) -> Floats:
    """One colour, (SIZE, SIZE, 3), log: smooth, mottled or speckled."""
    tone = random.normal(-0.06, 0.12) + random.normal(0, 0.04, 3)
    coarse, fine = random.uniform(0, 0.05, 2) * (random.random(2) < 0.6)
    noise = coarse * clouds(random, random.uniform(4, 20)) + fine * clouds(random, 1.2)
    return np.asarray(tone + noise[..., None], np.float32)


def rounded(hard: Floats, random: Random) -> Floats:
    """Shading of something round: it turns away from the light towards its edges."""
    inside = cv2.distanceTransform((hard > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    reach = random.uniform(4, 30)
    edge = 1 - np.clip(inside / reach, 0, 1)
    across = ramp(random)
    return np.asarray(-edge * random.uniform(0, 0.08) * (1 + across), np.float32)


def _light(random: Random) -> Floats:
    """Light (SIZE, SIZE, 3), log: an exposure, and smooth changes, some of them coloured."""
    strength = STOP * float(np.exp(random.normal(-0.4, 0.7)))
    grey = strength * (random.normal() * ramp(random) + 0.3 * waves(random))
    tint = random.normal(0, 0.4 * strength, 3) * (random.random() < _TINTED)
    return np.asarray(grey[..., None] + tint * ramp(random)[..., None], np.float32)


def _seen(colour: Floats, matte: Floats, random: Random) -> tuple[Floats, Floats]:
    """Both as a camera has them: as sharp as a face of 60 to 300 pixels, with grain."""
    sigma = float(np.exp(random.uniform(-1, 1.1)))
    grain = soft(random.normal(size=colour.shape).astype(np.float32), sigma)
    amount = np.float32(random.uniform(0, 0.008) / grain.std())
    return soft(colour, sigma) + amount * grain, soft(matte, sigma).clip(0, 1)


def shape(random: Random) -> Floats:
    """A hard matte (SIZE, SIZE) of what may be before a face."""
    kind = random.random()
    if kind < 0.6:
        return outline(SIZE, random)
    matte = np.zeros((SIZE, SIZE), np.float32)
    if kind < 0.75:
        _microphone(matte, random)
    elif kind < 0.9:
        _strands(matte, random)
    else:
        _half(matte, random)
    return matte


def _microphone(matte: Floats, random: Random) -> None:
    """A ball on a stick, mostly near mouth and chin."""
    radius = int(random.uniform(0.06, 0.2) * SIZE)
    at = np.array([random.normal(0.5, 0.15), random.normal(0.8, 0.12)]) * SIZE
    away = at + random.normal(0, 0.4, 2) * SIZE + np.array([0, SIZE])
    begin, end = (tuple(int(value) for value in point) for point in (at, away))
    cv2.ellipse(
        matte,
        begin,
        (radius, int(radius * random.uniform(0.7, 1.3))),
        0,
        0,
        360,
        1,
        -1,
        cv2.LINE_AA,
    )
    cv2.line(matte, begin, end, 1, max(2, int(radius * random.uniform(0.3, 1.2))), cv2.LINE_AA)


def _strands(matte: Floats, random: Random) -> None:
    """Hair that hangs into a face, a cable, a string."""
    root, bend = random.uniform(0, SIZE, 2), random.normal(0, 0.5)
    angle = random.uniform(0, 2 * np.pi)
    for _ in range(int(random.integers(1, 9))):
        at, turn = root + random.normal(0, 8, 2), angle + random.normal(0, 0.15)
        points = [at]
        for _ in range(12):
            turn += bend * 0.15 + random.normal(0, 0.08)
            at = at + random.uniform(8, 22) * np.array([np.cos(turn), np.sin(turn)])
            points.append(at)
        line = [np.round(points).astype(np.int32)]
        cv2.polylines(matte, line, False, 1, int(random.integers(1, 6)), cv2.LINE_AA)


def _half(matte: Floats, random: Random) -> None:
    """Everything beyond a wavy edge: a shoulder, a scarf, a door."""
    edge = ramp(random) + 0.3 * waves(random) - random.uniform(0.2, 0.9)
    matte[edge > 0] = 1


def _one(many: list[Floats], random: Random) -> Floats:
    return many[int(random.integers(len(many)))]


def _level(face: Floats) -> Floats:
    """The mean colour (3,) of what is valid."""
    weight = face[..., 3:]
    return np.asarray((face[..., :3] * weight).sum((0, 1)) / (weight.sum() + 1), np.float32)


def patch(picture: Floats, random: Random) -> Floats:
    """A part of a picture, turned and enlarged: (SIZE, SIZE, 3)."""
    height, width = picture.shape[:2]
    x, y = random.uniform(0.2, 0.8, 2) * (width, height)
    scale = float(np.exp(random.uniform(np.log(1.1), np.log(6.5))))
    there = cv2.getRotationMatrix2D((x, y), random.uniform(0, 360), scale)
    there[:, 2] += np.array([SIZE / 2 - x, SIZE / 2 - y])
    part = cv2.warpAffine(picture, there, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(part, np.float32)


def soft(plane: Floats, sigma: float) -> Floats:
    """A ``plane`` (H, W) or (H, W, C), blurred by ``sigma`` pixels."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def ramp(random: Random) -> Floats:
    """From -1 to 1 across, in any direction."""
    angle, line = random.uniform(0, 2 * np.pi), np.linspace(-1, 1, SIZE, dtype=np.float32)
    return np.asarray(np.cos(angle) * line[None] + np.sin(angle) * line[:, None], np.float32)


def waves(random: Random) -> Floats:
    """Smooth noise of about unit variance."""
    few = random.normal(size=(int(random.integers(3, 8)),) * 2).astype(np.float32)
    return np.asarray(cv2.resize(few, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)


def clouds(random: Random, sigma: float) -> Floats:
    """Noise of unit variance, finer than `_waves`."""
    noise = soft(random.normal(size=(SIZE, SIZE)).astype(np.float32), sigma)
    return np.asarray(noise / noise.std(), np.float32)
