"""Scene augmentation: a face as the occlusion network sees it, with occluders painted in front.

All that the network is shown changes as it would in a shot: what the statistics of a faceset find
of an occluder, or miss; the light that takes some of it up; the albedo of a face that wears it
throughout.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifemask.nodes.learning.augment.occluder_sprites import (
    Rendered,
    Sprite,
    corners,
    drawn,
    posed,
    spectacles,
)
from lifemask.nodes.learning.augment.painted_faces import Random, ramp, shape, soft, waves
from lifemask.nodes.learning.data.occlusion_scenes import HAIR
from lifemask.nodes.refiner import occlusion_network as seen
from lifemask.nodes.render.acescct import STOP

Array = NDArray[Any]

_EMPTY, _TWICE = 0.3, 0.25  # shares of scenes with nothing, and with two things, in front
_KINDS = {"sprite": 0.45, "glasses": 0.2, "small": 0.2, "drawn": 0.15}
_SHADE, _CAST = 0.5, 0.5  # how often there is a shadow: on the face, and of an occluder
_MISSED, _THROUGHOUT = 0.35, 0.45  # how often statistics miss it, and it is worn throughout
_MISPLACED = 0.5  # how often the track is off, as behind an occluder
_HAND, _NO_HAND = 0.75, 0.03  # how often a hand is tracked, and where there is none
_FOUND = 40.0  # score for a difference of 1, log
_BROADER = 3.0  # pixels: the coarse texels of a score


@dataclass(frozen=True)
class Material:
    """``scenes`` (N, PLANES, S, S); ``pictures`` (S, S, 3), log, and ``sprites`` to paint with."""

    scenes: Array
    pictures: Sequence[Array]
    sprites: Sequence[Rendered]
    by_kind: dict[str, list[Rendered]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for sprite in self.sprites:
            self.by_kind.setdefault(sprite.kind, []).append(sprite)

    def sprite(self, random: Random) -> Rendered:
        """Draw one: every second is a hand, of the others every kind is alike often."""
        others = [kind for kind in self.by_kind if kind != "hand"]
        kind = "hand" if "hand" in self.by_kind and random.random() < 0.5 else random.choice(others)
        many = self.by_kind[kind]
        return many[int(random.integers(len(many)))]


class Example(NamedTuple):
    """What the network is shown (CHANNELS, S, S), and its target (OUTPUTS, S, S), 0..1."""

    shown: Tensor
    target: Tensor


class _Painting:
    """One scene while it is painted."""

    def __init__(self, scene: Array, random: Random) -> None:
        self.planes, self.random = scene, random
        self.plate = np.ascontiguousarray(scene[seen.PLATE].transpose(1, 2, 0))
        self.covered = scene[seen.COVERED][0]
        self.expected = (scene[seen.ALBEDO] + scene[seen.LIGHT]).transpose(1, 2, 0)
        self.before = self.plate.copy()
        size = self.covered.shape
        self.alpha, self.lens, self.passes, self.shadow = (
            np.zeros(size, np.float32) for _ in range(4)
        )
        self.hand = np.zeros(size, np.float32)
        self.throughout = np.zeros(size, np.float32)

    @property
    def level(self) -> Array:
        """The mean colour (3,) of the face."""
        weight = self.covered[..., None]
        return np.asarray((self.plate * weight).sum((0, 1)) / (weight.sum() + 1), np.float32)

    def shade(self) -> None:
        """Put a shadow on everything: a face's own, or one of something out of the picture."""
        softness = float(np.exp(self.random.uniform(-0.5, 2.5)))
        dark = soft(shape(self.random), softness)
        self.plate -= dark[..., None] * (
            self.random.uniform(0.01, 0.16) + self.random.normal(0, 0.006, 3)
        ).astype(np.float32)

    def light(self) -> None:
        """Change the light on the face, as far as a change of light is explained by it."""
        strength = STOP * float(np.exp(self.random.normal(-0.6, 0.6)))
        grey = strength * (self.random.normal() * ramp(self.random) + 0.3 * waves(self.random))
        change = grey[..., None] + self.random.normal(0, 0.3 * strength, 3)
        self.plate += change.astype(np.float32)
        self.planes[seen.LIGHT] += soft(change.astype(np.float32), 8).transpose(2, 0, 1)
        self.expected = (self.planes[seen.ALBEDO] + self.planes[seen.LIGHT]).transpose(1, 2, 0)

    def cover(self, sprite: Sprite, is_hand: bool) -> None:
        """Lay a sprite over what is there, maybe with its shadow beside it."""
        random = self.random
        if random.random() < _CAST:
            self._cast(np.maximum(sprite.alpha, sprite.lens * (1 - sprite.passes)))
        alpha, lens = sprite.alpha[..., None], sprite.lens[..., None]
        through = np.log2(np.maximum(sprite.passes, 0.02))[..., None] * STOP
        added = np.exp2((sprite.colour - self.plate) / STOP).clip(0, 16)
        glass = (
            self.plate + through + np.log2(1 + added * (sprite.passes[..., None] > 0)) * STOP * 0.5
        )
        self.plate += (glass - self.plate) * lens
        self.plate += (sprite.colour - self.plate) * alpha
        self.alpha = np.maximum(self.alpha, sprite.alpha)
        self.lens = np.maximum(self.lens * (1 - sprite.alpha), sprite.lens)
        self.passes = np.where(sprite.lens > 0.01, sprite.passes, self.passes)
        self.shadow *= 1 - sprite.alpha
        if is_hand and random.random() < _HAND:
            self.hand = np.maximum(self.hand, _as_tracked(sprite.alpha, random))
        if sprite.worn and random.random() < _THROUGHOUT:
            self.throughout = np.maximum(
                self.throughout, np.maximum(sprite.alpha, sprite.lens * 0.5)
            )

    def _cast(self, hard: Array) -> None:
        random = self.random
        there = np.array([[1, 0, random.normal(0, 9)], [0, 1, random.normal(4, 9)]])
        moved: Array = cv2.warpAffine(hard, there, hard.shape[::-1])
        dark = soft(moved, float(np.exp(random.uniform(0, 2.4)))) * self.covered
        depth = random.uniform(0.02, 0.16)
        self.plate -= dark[..., None] * (depth + random.normal(0, 0.005, 3)).astype(np.float32)
        self.shadow = np.maximum(self.shadow, dark * min(1.0, depth / 0.06))

    def film(self) -> None:
        """Soften all as a lens does, and add grain."""
        random = self.random
        sigma = float(np.exp(random.uniform(-1.6, 0.9)))
        if sigma > 0.35:
            self.plate = soft(self.plate, sigma)
            for name in ("alpha", "lens", "shadow"):
                setattr(self, name, soft(getattr(self, name), sigma))
        if random.random() < 0.2:
            kernel = _motion(random)
            self.plate = cv2.filter2D(self.plate, -1, kernel)
            for name in ("alpha", "lens"):
                setattr(self, name, cv2.filter2D(getattr(self, name), -1, kernel))
        grain = soft(random.normal(size=self.plate.shape).astype(np.float32), max(0.3, sigma * 0.7))
        self.plate += np.float32(random.uniform(0, 0.008) / max(float(grain.std()), 1e-6)) * grain

    def statistics(self) -> None:
        """Change what a faceset's statistics tell: score and lines, light and albedo."""
        random = self.random
        change = self.plate - self.before
        off = np.abs(self.plate - self.expected).mean(-1)
        front = soft(self.alpha, _BROADER) * (1 - soft(self.throughout, _BROADER))
        found = np.float32(0 if random.random() < _MISSED else random.uniform(0.2, 1))
        score = self.planes[seen.SCORE][0]
        surprise = 1 + _FOUND * soft(off, _BROADER) * found * (
            0.5 + 0.5 * np.clip(waves(random), -1, 1)
        )
        score += front * (np.clip(surprise, 0, 100) - score).clip(0)
        if random.random() < 0.15:
            score += np.clip(waves(random) - 1.2, 0, 1) * random.uniform(1, 6) * self.covered
        narrow = self.alpha * (1 - soft(self.alpha, 4)) * 2
        lines = self.planes[seen.THIN][0]
        if random.random() < 0.4:
            lines += (narrow * random.uniform(0, 1) * (waves(random) > -0.7) - lines).clip(0)
        leaked = soft(
            change * (self.alpha * random.uniform(0, 1))[..., None], random.uniform(8, 30)
        )
        self.planes[seen.LIGHT] += (leaked * random.uniform(0, 1.2)).transpose(2, 0, 1)
        worn = soft(self.throughout, _BROADER)[..., None] * (self.plate - self.expected)
        self.planes[seen.ALBEDO] += (worn * random.uniform(0.5, 1)).transpose(2, 0, 1)

    def finished(self) -> Example:
        """What there is now; one's own hair before one's face is in front as well."""
        planes = self.planes
        planes[seen.PLATE] = self.plate.transpose(2, 0, 1)
        if not self.hand.any() and self.random.random() < _NO_HAND:
            self.hand = _as_tracked(
                (soft(shape(self.random), 2) > 0.5).astype(np.float32), self.random
            )
        planes[seen.HAND] = self.hand[None]
        front = np.maximum(self.alpha, planes[HAIR][0] * self.covered)
        target = np.stack([front, self.lens * (1 - self.alpha), self.passes, self.shadow]).clip(
            0, 1
        )
        shown = planes[: seen.CHANNELS]
        if self.random.random() < 0.5:
            shown, target = _mirrored(shown), target[..., ::-1]
        both = (
            torch.from_numpy(np.ascontiguousarray(part, np.float32)) for part in (shown, target)
        )
        return Example(*both)


def paint_picture(material: Material, random: Random) -> Example:
    """Draw a scene, mostly with something in front."""
    scene = material.scenes[int(random.integers(len(material.scenes)))].astype(np.float32)
    if random.random() < _MISPLACED:
        _misplace(scene, random)
    painting = _Painting(scene, random)
    if random.random() < 0.5:
        painting.light()
    if random.random() < _SHADE:
        painting.shade()
    painting.before = painting.plate.copy()
    if random.random() >= _EMPTY:
        for _ in range(2 if random.random() < _TWICE else 1):
            painting.cover(*_drawn(painting, material, random))
    painting.film()
    painting.statistics()
    return painting.finished()


def _misplace(scene: Array, random: Random) -> None:
    """Move all that lies at the mesh by some pixels, the plate and its hair stay."""
    scale, turn = float(np.exp(random.normal(0, 0.015))), random.normal(0, 1.2)
    side = scene.shape[-1]
    there = cv2.getRotationMatrix2D((side / 2, side / 2), turn, scale)
    there = there + np.array([[0, 0, 1]]) * random.normal(0, 2, (2, 1))
    at_mesh = slice(seen.ALBEDO.start, seen.HAND.start)
    planes = np.ascontiguousarray(scene[at_mesh].transpose(1, 2, 0))
    # OpenCV warps four planes at a time.
    parts = [
        cv2.warpAffine(planes[..., first : first + 4], there, (side, side))
        for first in range(0, planes.shape[-1], 4)
    ]
    moved = [part.reshape(side, side, -1) for part in parts]
    scene[at_mesh] = np.concatenate(moved, -1).transpose(2, 0, 1)


def _drawn(painting: _Painting, material: Material, random: Random) -> tuple[Sprite, bool]:
    """Draw an occluder, and whether it is a hand."""
    kind = str(random.choice(list(_KINDS), p=list(_KINDS.values())))
    if kind == "sprite" and material.sprites:
        chosen = material.sprite(random)
        return posed(chosen, painting.level, random), chosen.kind == "hand"
    if kind == "glasses":
        eyes = corners(painting.planes[seen.UV], painting.covered)
        turn = float(painting.planes[seen.NORMAL][0][painting.covered > 0.5].mean())
        return spectacles(eyes, turn, painting.level, random), False
    return drawn(painting.level, material.pictures, random, kind == "small"), False


def _as_tracked(alpha: Array, random: Random) -> Array:
    """How a tracker of hands covers one: about there, about as large, without its fine shape."""
    there = np.array([[1, 0, random.normal(0, 4)], [0, 1, random.normal(0, 4)]])
    moved = cv2.warpAffine(soft(alpha, random.uniform(2, 5)), there, alpha.shape[::-1])
    return np.asarray((moved > random.uniform(0.25, 0.75)), np.float32)


def _motion(random: Random) -> Array:
    """A kernel that smears along a line."""
    length = int(random.integers(3, 14))
    kernel = np.zeros((15, 15), np.float32)
    angle = random.uniform(0, np.pi)
    away = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(round(v) for v in 7 + sign * away) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA)
    return np.asarray(kernel / kernel.sum())


def _mirrored(planes: Array) -> Array:
    flipped = planes[..., ::-1].copy()
    flipped[seen.NORMAL.start] *= -1
    flipped[seen.UV.start] = 1 - flipped[seen.UV.start]
    return flipped
