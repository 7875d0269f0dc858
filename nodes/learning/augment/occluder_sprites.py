"""Occluders to lay over a picture: their colours and mattes, drawn or from rendered sprites.

All are SIZE pixels a side; colours are log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.learning.augment.painted_faces import (
    Random,
    clouds,
    patch,
    ramp,
    rounded,
    shape,
    soft,
    waves,
)
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import SIZE, atlas
from lifemask.ocio.media import exr

Array = NDArray[Any]


@dataclass(frozen=True)
class Sprite:
    """An occluder: ``colour`` (S, S, 3), log, its ``alpha``, and what is transparent, (S, S).

    Where ``lens`` is 1 it is transparent and lets a share ``passes`` of the light through; the
    ``colour`` is what it adds there. ``worn`` ones stay at their place on the face.
    """

    colour: Array
    alpha: Array
    lens: Array
    passes: Array
    worn: bool = False


@dataclass(frozen=True)
class Rendered:
    """A rendered sprite on disk: premultiplied linear ``rgba``, and its ``kind``."""

    rgba: Array
    kind: str


def read_sprites(folder: Path) -> list[Rendered]:
    """Read every sprite in ``folder``; the part of its name before the first _ is its kind."""
    files = sorted(folder.glob("*_*.exr"))
    return [Rendered(_rgba(file), file.name.partition("_")[0]) for file in files]


def _rgba(path: Path) -> Array:
    planes, _ = exr.read_channels(path)
    rgba = np.stack([planes[name] for name in "RGBA"], -1).astype(np.float32)
    return cv2.resize(rgba, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float16)


def drawn(level: Array, pictures: Sequence[Array], random: Random, small: bool) -> Sprite:
    """Draw an occluder of no kind in particular, of colours near the face's ``level`` (3,).

    It is textured with ``pictures`` (S, S, 3), log, some of the time.
    """
    hard = _narrow(random) if small else shape(random)
    if not small and random.random() < 0.35:
        hard = _fingers(random)
    alpha = soft(hard, float(np.exp(random.uniform(-0.7, 0.7)))).clip(0, 1)
    colour = _look(level, pictures, random) + rounded(hard, random)[..., None]
    nothing = np.zeros_like(alpha)
    return Sprite(np.asarray(colour, np.float32), alpha, nothing, nothing)


def _narrow(random: Random) -> Array:
    """A stick, a straw, a strand, a cable, or something small."""
    matte = np.zeros((SIZE, SIZE), np.float32)
    kind = random.random()
    if kind < 0.45:
        return _strands(random)
    angle = random.uniform(0, 2 * np.pi)
    at = SIZE / 2 + random.normal(0, 0.14, 2) * SIZE
    if kind < 0.8:
        away = at + np.array([np.cos(angle), np.sin(angle)]) * SIZE * random.uniform(0.3, 1.2)
        _line(matte, at, away, float(np.exp(random.uniform(np.log(1.2), np.log(11)))))
        if random.random() < 0.4:
            _dot(matte, at, random.uniform(3, 22), random)
    else:
        _dot(matte, at, random.uniform(3, 16), random)
    return matte


def _strands(random: Random) -> Array:
    """Hair before the face, of a pixel or less a strand; or one lock of it."""
    fine = np.zeros((SIZE * 2, SIZE * 2), np.float32)
    root = np.array([random.uniform(0.1, 0.9), random.uniform(-0.05, 0.5)]) * SIZE * 2
    angle, bend = random.normal(np.pi / 2, 0.6), random.normal(0, 0.25)
    spread = float(np.exp(random.uniform(np.log(2), np.log(40))))
    for _ in range(int(np.exp(random.uniform(0, np.log(40))))):
        at, turn = root + random.normal(0, spread, 2), angle + random.normal(0, 0.1)
        points = [at]
        for _ in range(int(random.integers(5, 16))):
            turn += bend * 0.2 + random.normal(0, 0.05)
            at = at + 2 * random.uniform(8, 20) * np.array([np.cos(turn), np.sin(turn)])
            points.append(at)
        line = [np.round(points).astype(np.int32)]
        cv2.polylines(fine, line, False, 1, int(random.integers(1, 5)), cv2.LINE_AA)
    return cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def _fingers(random: Random) -> Array:
    """Fingers of different lengths, bent, with gaps between them, and what they belong to."""
    matte = np.zeros((SIZE, SIZE), np.float32)
    width, angle = random.uniform(0.05, 0.1) * SIZE, random.uniform(0, 2 * np.pi)
    palm = SIZE / 2 + random.normal(0, 0.2, 2) * SIZE
    spread = random.uniform(0.02, 0.22)
    count = int(random.integers(1, 6))
    for finger in range(count):
        turn = angle + (finger - (count - 1) / 2) * spread
        across = np.array([-np.sin(angle), np.cos(angle)])
        at = palm + across * (finger - (count - 1) / 2) * width * 1.15
        bend = random.normal(0, 0.2)
        for joint in range(3):
            step = random.uniform(0.05, 0.12) * SIZE
            to = at + step * np.array([np.cos(turn), np.sin(turn)])
            _line(matte, at, to, width * (1 - 0.12 * joint))
            at, turn = to, turn + bend
    if random.random() < 0.85:
        back = palm - np.array([np.cos(angle), np.sin(angle)]) * SIZE
        _line(matte, palm, back, width * count * random.uniform(0.9, 1.25) + 2)
    return matte


def spectacles(eyes: Array, turn: float, level: Array, random: Random) -> Sprite:
    """Spectacles before ``eyes``: the outer and the inner corner of each, (4, 2), pixels.

    ``turn`` is how far the head is turned, -1..1.
    """
    fine = np.zeros((2, 2 * SIZE, 2 * SIZE), np.float32)
    rims, lenses = fine
    right, left = eyes[:2].mean(0) * 2, eyes[2:].mean(0) * 2
    across = left - right
    apart = float(np.linalg.norm(across)) + 1e-3
    along = across / apart
    down = np.array([-along[1], along[0]])
    thick = max(1, round(float(np.exp(random.uniform(np.log(1.5), np.log(14)))) * apart / 150))
    wide, high = random.uniform(0.34, 0.46), random.uniform(0.22, 0.42)
    power, drop = random.uniform(1.2, 4.5), random.uniform(-0.06, 0.12)
    rim_share = random.random()
    outer = []
    for centre, sign in ((right, -1), (left, 1)):
        narrow = np.clip(1 + 0.5 * sign * turn, 0.45, 1.2)
        middle = centre + down * drop * apart + along * sign * random.normal(0.02, 0.01) * apart
        loop = _loop(middle, along * wide * apart * narrow, down * high * apart, power)
        cv2.fillPoly(lenses, [loop], 1.0, cv2.LINE_AA)
        if rim_share > 0.12:
            closed = rim_share > 0.25
            points = loop if closed else loop[len(loop) // 2 :]
            cv2.polylines(rims, [points], closed, 1.0, thick, cv2.LINE_AA)
        inner = middle - along * sign * wide * apart * narrow
        outer.append((inner, middle + along * sign * wide * apart * narrow))
    _bow(rims, outer[0][0], outer[1][0], down * apart * random.uniform(-0.12, 0.02), thick)
    for (_, hinge), sign in zip(outer, (-1, 1), strict=True):
        away = along * sign * apart * random.uniform(0.1, 0.7) * np.clip(1 - sign * turn, 0.1, 2)
        end = hinge + away + down * random.normal(0, 0.04) * apart
        _line(rims, hinge - down * 0.3 * high * apart, end - down * 0.3 * high * apart, thick)
    rim, lens = (cv2.resize(p, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for p in fine)
    return _glazed(rim, lens, level, random)


def _glazed(rim: Array, lens: Array, level: Array, random: Random) -> Sprite:
    """Rims of one colour around lenses that are clear, tinted, or reflect something."""
    tone = level + (random.normal(-0.25, 0.15) + random.normal(0, 0.03, 3))
    shine = np.maximum(0, waves(random)) * random.uniform(0, 0.25) * (random.random() < 0.6)
    colour = np.asarray(tone + shine[..., None], np.float32)
    dark = random.random() < 0.25
    passes = random.uniform(0.03, 0.4) if dark else random.uniform(0.75, 0.98)
    glint = np.maximum(0, waves(random) - random.uniform(0, 2)) * (random.random() < 0.5)
    reflected = level + np.log2(0.02 + glint * random.uniform(0.1, 1))[..., None] * STOP
    clear = lens * (1 - rim)
    mixed = np.where(rim[..., None] > clear[..., None], colour, reflected)
    share = np.full_like(lens, passes)
    return Sprite(np.asarray(mixed, np.float32), rim, clear, share, random.random() < 0.7)


def _loop(middle: Array, across: Array, down: Array, power: float) -> Array:
    """A superellipse as a polygon, (48, 2), pixels."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = (np.sign(v) * np.abs(v) ** (2 / power / 1.2) for v in (np.cos(angle), np.sin(angle)))
    return np.round(middle + cos[:, None] * across - sin[:, None] * down).astype(np.int32)


def _bow(matte: Array, begin: Array, end: Array, rise: Array, thick: int) -> None:
    middle = (begin + end) / 2 + rise
    points = [np.round(np.stack([begin, middle, end])).astype(np.int32)]
    cv2.polylines(matte, points, False, 1.0, thick, cv2.LINE_AA)


def _look(level: Array, pictures: Sequence[Array], random: Random) -> Array:
    """Colours (S, S, 3), log: skin, other things, or plain, lit from somewhere."""
    kind = random.random()
    tone = random.normal(0, 0.05) + random.normal(0, 0.012, 3)
    if random.random() < 0.3:
        tone = tone + random.normal(0, 0.12) + random.normal(0, 0.03, 3)
    if kind < 0.7:
        picture = patch(pictures[int(random.integers(len(pictures)))], random)
        mean = picture.mean((0, 1))
        nearer = _nearer(level - mean, random) if kind < 0.35 else level - mean
        strength = 1.0 if kind < 0.35 else random.uniform(0.2, 1)
        look = mean + nearer + (picture - mean) * strength + tone
    else:
        amount = random.uniform(0, 0.04) * (random.random() < 0.6)
        hue = random.normal(0, 0.06, 3) * (random.random() < 0.6)
        plain = level + tone + random.normal(-0.06, 0.12) + hue
        look = plain + amount * clouds(random, 2.0)[..., None]
    light = STOP * float(np.exp(random.normal(-0.2, 0.7)))
    return np.asarray(look + (light * (ramp(random) + 0.4 * waves(random)))[..., None], np.float32)


def posed(sprite: Rendered, level: Array, random: Random) -> Sprite:
    """A rendered sprite, turned, moved, enlarged, relit and tinted."""
    scale = float(np.exp(random.uniform(np.log(0.5), np.log(1.6))))
    there = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), random.uniform(-180, 180), scale)
    there = there + np.array([[0, 0, 1]]) * random.normal(0, 0.2, (2, 1)) * SIZE
    rgba = sprite.rgba[:, ::-1] if random.random() < 0.5 else sprite.rgba
    return _relit(cv2.warpAffine(rgba.astype(np.float32), there, (SIZE, SIZE)), level, random)


def _relit(rgba: Array, level: Array, random: Random) -> Sprite:
    alpha = rgba[..., 3].clip(0, 1)
    colour = np.log2(np.maximum(rgba[..., :3] / (alpha[..., None] + 1e-3), 2**-9)) * STOP
    inside = alpha > 0.5
    mean = colour[inside].mean(0) if inside.any() else level
    tone = random.normal(0, 0.06) + random.normal(0, 0.01, 3)
    colour = colour + _nearer(level - mean, random) + tone
    light = STOP * float(np.exp(random.normal(-0.3, 0.7))) * (ramp(random) + 0.3 * waves(random))
    nothing = np.zeros_like(alpha)
    return Sprite(np.asarray(colour + light[..., None], np.float32), alpha, nothing, nothing)


def _nearer(difference: Array, random: Random) -> Array:
    """How far a colour comes nearer to the face's: in brightness, in hue as well, or not at all."""
    kind = random.random()
    if kind < 0.2:
        return np.zeros(3)
    towards = difference if kind < 0.5 else np.full(3, difference.mean())
    return np.asarray(towards * random.uniform(0.3, 1))


def corners(uv: Array, covered: Array) -> Array:
    """The outer and the inner corner of each eye, (4, 2), pixels, by ``uv`` (2, S, S)."""
    found = []
    for point in (33, 133, 362, 263):
        apart = ((uv - atlas().uv[point][:, None, None]) ** 2).sum(0) + 10 * (covered < 0.5)
        y, x = divmod(int(apart.argmin()), uv.shape[-1])
        found.append((x, y))
    return np.asarray(found, np.float32)


def _dot(matte: Array, at: Array, radius: float, random: Random) -> None:
    middle = int(at[0]), int(at[1])
    axes = int(radius) + 1, int(radius * random.uniform(0.6, 1.5)) + 1
    cv2.ellipse(matte, middle, axes, random.uniform(0, 180), 0, 360, 1, -1, cv2.LINE_AA)


def _line(matte: Array, begin: Array, end: Array, thick: float) -> None:
    a, b = (tuple(int(value) for value in point) for point in (begin, end))
    cv2.line(matte, a, b, 1, max(1, round(thick)), cv2.LINE_AA)
