"""Solids that may pass before a face, as distance fields: hands, and what hands hold.

Lengths are metres. A hand's fingers point along +y, its thumb is at +x, its back is at +z. The
distance to a tapered capsule follows Inigo Quilez, "Distance functions"; unions are smooth.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Random = np.random.Generator

_BLEND = 0.002  # metres over which the parts of a solid merge
# Each finger: its knuckle, and the lengths of its bones.
_FINGERS = (
    ((0.025, 0.09, 0.0), (0.045, 0.026, 0.02)),
    ((0.005, 0.095, 0.003), (0.05, 0.03, 0.022)),
    ((-0.015, 0.09, 0.002), (0.046, 0.028, 0.021)),
    ((-0.033, 0.08, -0.002), (0.036, 0.021, 0.018)),
)
_BENDS = (0.9, 1.0, 0.6)  # of each joint of a finger, for a curl of 1
_THUMB = (0.045, 0.032, 0.026)
_SKINS = np.array(
    [
        (0.60, 0.40, 0.31),
        (0.52, 0.345, 0.245),
        (0.44, 0.275, 0.18),
        (0.33, 0.19, 0.115),
        (0.22, 0.12, 0.075),
        (0.12, 0.062, 0.038),
    ]
)


@dataclass(frozen=True)
class Part:
    """A tapered capsule from ``begin`` to ``end`` (3,), of two ``radii``; or a rounded slab.

    A slab has ``half`` its sides (3,) around ``begin``, along the axes. ``albedo`` (3,) is linear.
    """

    begin: Array
    end: Array
    radii: tuple[float, float]
    albedo: Array
    gloss: float
    half: Array | None = None


@dataclass(frozen=True)
class Solid:
    """The smooth union of ``parts``."""

    parts: list[Part] = field(default_factory=list)

    def add(
        self,
        begin: Array,
        end: Array,
        radii: tuple[float, float],
        albedo: Array,
        gloss: float = 0.3,
    ) -> Array:
        """Add a capsule and return its ``end``."""
        self.parts.append(Part(begin, end, radii, albedo, gloss))
        return end

    def slab(self, centre: Array, half: Array, albedo: Array, gloss: float) -> None:
        """Add a rounded slab of ``half`` its sides."""
        self.parts.append(Part(centre, centre, (0, 0), albedo, gloss, half))

    def distances(self, points: Tensor) -> Tensor:
        """The distance of ``points`` (N, 3) to each part, (N, P)."""
        begin, along, length, radii = self._capsules
        apart = (points**2).sum(1, True) - 2 * points @ begin.T + (begin**2).sum(1)
        on_axis = points @ along.T - (begin * along).sum(1)
        share = (on_axis / length).clamp(0, 1)
        squared = (apart - 2 * share * on_axis + share**2 * length).clamp(min=0)
        found = squared.sqrt() - (radii[:, 0] + share * (radii[:, 1] - radii[:, 0]))
        for index, part in enumerate(self.parts):
            if part.half is not None:
                found[:, index] = _to_slab(points - begin[index], _tensor(part.half))
        return found

    def distance(self, points: Tensor) -> Tensor:
        """The distance of ``points`` (N, 3) to the surface, (N,), a little too small."""
        return -_BLEND * torch.logsumexp(-self.distances(points) / _BLEND, 1)

    @cached_property
    def looks(self) -> Tensor:
        """Albedo and gloss of each part, (P, 4)."""
        return _tensor([(*part.albedo, part.gloss) for part in self.parts])

    @cached_property
    def _capsules(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        begin, end = (_tensor([getattr(p, name) for p in self.parts]) for name in ("begin", "end"))
        along = end - begin
        return begin, along, (along**2).sum(1) + 1e-12, _tensor([p.radii for p in self.parts])


def _tensor(values: object) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


def _to_slab(points: Tensor, half: Tensor) -> Tensor:
    round_ = half.min() * 0.6
    beyond = points.abs() - (half - round_)
    outside: Tensor = beyond.clamp(min=0).norm(dim=1)
    return outside + beyond.amax(1).clamp(max=0) - round_


def hand(random: Random) -> Solid:
    """A hand and its forearm in some pose, some with polish, a ring, a sleeve, a thing it holds."""
    return _holding(random) if random.random() < 0.35 else _empty_hand(random)


def _empty_hand(random: Random) -> Solid:
    solid, tone = Solid(), _skin(random)
    curl = random.uniform(0, 0.5) if random.random() < 0.6 else random.uniform(0.4, 1.5)
    spread = random.uniform(-0.02, 0.16)
    polished = random.random() < 0.3
    nails = random.uniform(0.02, 0.7, 3) if polished else tone * (1.25, 1.15, 1.15)
    ring = int(random.integers(0, 12))
    for number, (knuckle, bones) in enumerate(_FINGERS):
        turn = (1.5 - number) * spread + random.normal(0, 0.02)
        own = max(0.0, curl + random.normal(0, 0.12 if curl < 0.5 else 0.25))
        _finger(solid, np.array(knuckle), bones, turn, own, (tone, nails), ring == number)
    _thumb(solid, random, tone, nails)
    solid.add(np.zeros(3), np.array([0, -0.3, 0]), (0.027, 0.04), tone)
    if random.random() < 0.5:
        _sleeve(solid, random)
    return solid


def _finger(
    solid: Solid,
    at: Array,
    bones: tuple[float, ...],
    turn: float,
    curl: float,
    looks: tuple[Array, Array],
    ring: bool,
) -> None:
    tone, nail = looks
    solid.add(at * (0.55, 0.12, 1), at, (0.0155, 0.0125), tone)
    bend, wide = 0.0, 0.0098 if bones[0] > 0.04 else 0.0087
    for joint, bone in enumerate(bones):
        bend += curl * _BENDS[joint]
        ahead = np.array([np.sin(turn) * np.cos(bend), np.cos(turn) * np.cos(bend), -np.sin(bend)])
        if ring and joint == 0:
            middle = at + ahead * bone * 0.5
            metal = np.array([0.75, 0.62, 0.35])
            solid.add(middle, middle + ahead * 0.002, (wide * 1.15, wide * 1.15), metal, 1.0)
        at = solid.add(at, at + bone * ahead, (wide, wide * 0.92), tone)
        wide *= 0.92
    back = np.array([np.sin(turn) * np.sin(bend), np.cos(turn) * np.sin(bend), np.cos(bend)])
    bed = at + back * wide * 0.45
    solid.add(bed - ahead * 0.006, bed + ahead * 0.003, (wide * 0.65, wide * 0.65), nail, 0.9)


def _thumb(solid: Solid, random: Random, tone: Array, nail: Array) -> None:
    at, turn = np.array([0.016, 0.015, -0.006]), random.uniform(0.35, 1.1)
    drop, wide = random.uniform(0, 0.7), 0.0145
    for bone in _THUMB:
        ahead = np.array([np.sin(turn), np.cos(turn), -np.sin(drop)])
        ahead /= np.linalg.norm(ahead)
        at = solid.add(at, at + bone * ahead, (wide, wide * 0.85), tone)
        turn, wide = turn - random.uniform(-0.1, 0.4), wide * 0.84
    bed = at + np.array([0.3, 0, 1]) * wide * 0.4
    solid.add(bed - ahead * 0.006, bed + ahead * 0.003, (wide * 0.7, wide * 0.7), nail, 0.9)


def _sleeve(solid: Solid, random: Random) -> None:
    cuff, thick = random.uniform(-0.12, -0.01), random.uniform(0.034, 0.05)
    cloth = random.uniform(0.01, 0.6) * random.uniform(0.5, 1, 3)
    begin, end = np.array([0, cuff, 0]), np.array([0, -0.35, 0])
    solid.add(begin, end, (thick, thick * 1.2), cloth, 0.0)


def cup(random: Random) -> Solid:
    """A mug, a beaker or a glass, some with a handle."""
    solid, colour = Solid(), _paint(random)
    radius, height = random.uniform(0.028, 0.045), random.uniform(0.06, 0.13)
    taper = random.uniform(0.8, 1.15)
    for angle in np.linspace(0, 2 * np.pi, 30, endpoint=False):
        out = np.array([np.cos(angle), 0, np.sin(angle)])
        bottom, top = out * radius * taper, out * radius + np.array([0, height, 0])
        solid.add(bottom, top, (radius * 0.14, radius * 0.14), colour, 0.7)
    base = random.uniform(0.3, 0.95) * height
    filled = np.array([0, base, 0])
    solid.add(np.zeros(3), filled, (radius * 0.8, radius * 0.8), _paint(random), 0.7)
    if random.random() < 0.6:
        loop = np.linspace(-1.3, 1.3, 7)
        out = np.stack([np.cos(loop) * height * 0.4, np.sin(loop) * height * 0.33, 0 * loop], 1)
        points = out + np.array([radius * 0.9, height * 0.5, 0])
        for begin, end in pairwise(points):
            solid.add(begin, end, (0.005, 0.005), colour, 0.7)
    return solid


def microphone(random: Random) -> Solid:
    """A microphone with a round or a long head, or a foam cover."""
    solid, head = Solid(), random.uniform(0.015, 0.035)
    dark = np.full(3, random.uniform(0.01, 0.08))
    grille = random.uniform(0.02, 0.5) * np.ones(3) if random.random() < 0.7 else _paint(random)
    top = np.array([0, head * random.uniform(0.1, 1.2), 0])
    solid.add(np.zeros(3), top, (head, head), grille, random.uniform(0, 0.8))
    thick = head * random.uniform(0.35, 0.8)
    solid.add(np.zeros(3), np.array([0, -random.uniform(0.1, 0.4), 0]), (thick, thick * 0.7), dark)
    return solid


def telephone(random: Random) -> Solid:
    """A telephone, a card, a book: a slab."""
    solid = Solid()
    half = np.array([random.uniform(0.02, 0.06), random.uniform(0.04, 0.1), 0.004])
    solid.slab(np.zeros(3), half, _paint(random), random.uniform(0, 1))
    face = np.array([0, 0, 0.0015])
    solid.slab(face, half * (0.92, 0.9, 0.9), _paint(random), random.uniform(0.3, 1))
    return solid


def stick(random: Random) -> Solid:
    """A pen, a cigarette, a lollipop, a spoon, a brush: something on a stick, or only that."""
    solid, colour = Solid(), _paint(random)
    thin = float(np.exp(random.uniform(np.log(0.0015), np.log(0.008))))
    end = np.array([0, -random.uniform(0.06, 0.3), 0])
    solid.add(np.zeros(3), end, (thin, thin * random.uniform(0.6, 1)), colour, random.random())
    if random.random() < 0.7:
        head = thin + random.uniform(0.002, 0.02)
        tip = np.array([0, random.uniform(0, 0.03), 0])
        solid.add(np.zeros(3), tip, (head, head), _paint(random), random.random())
    return solid


def lump(random: Random) -> Solid:
    """Food, a fist of cloth, a flower, a ball: rounded parts close together."""
    solid, colour = Solid(), _paint(random)
    for _ in range(int(random.integers(1, 9))):
        begin, end = (random.normal(0, 0.02, 3) for _ in range(2))
        size = random.uniform(0.006, 0.03)
        own = colour if random.random() < 0.6 else _paint(random)
        solid.add(begin, end, (size, size * random.uniform(0.5, 1)), own, random.random())
    return solid


def _holding(random: Random) -> Solid:
    things = [thing for kind, thing in SHAPES.items() if kind != "hand"]
    thing = things[int(random.integers(len(things)))](random)
    grip = np.array([random.uniform(-0.03, 0.03), 0.07, -0.035])
    moved = [
        Part(p.begin[[1, 0, 2]] + grip, p.end[[1, 0, 2]] + grip, *_rest(p)) for p in thing.parts
    ]
    return Solid(_empty_hand(random).parts + moved)


def _rest(part: Part) -> tuple[tuple[float, float], Array, float, Array | None]:
    half = None if part.half is None else part.half[[1, 0, 2]]
    return part.radii, part.albedo, part.gloss, half


def _skin(random: Random) -> Array:
    """The albedo of some skin."""
    first, second = _SKINS[random.integers(0, len(_SKINS), 2)]
    tone = first + (second - first) * random.random() * 0.5
    return np.asarray(tone * random.uniform(0.85, 1.15))


def _paint(random: Random) -> Array:
    """The albedo of a thing: white, black, wood or a colour."""
    grey = float(np.exp(random.uniform(np.log(0.02), np.log(0.85))))
    return np.asarray(grey * random.uniform(1 - random.random(), 1, 3))


SHAPES: dict[str, Callable[[Random], Solid]] = {
    "hand": hand,
    "cup": cup,
    "microphone": microphone,
    "telephone": telephone,
    "stick": stick,
    "lump": lump,
}
"""What a sprite can be of, by its kind."""
