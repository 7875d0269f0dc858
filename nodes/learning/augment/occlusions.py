"""Occlusion augmentation: occluders in front of a face, and shadows on it.

Pairs are rendered without. An occluder is other skin, or something darker, in the shape of a hand,
of spectacles, or of ellipses; its matte is as rough as one that a track finds. A shadow has such a
shape, too: it is in the plate and in the truth, and the known light has it without its edges.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lifemask.nodes.learning.data.examples import Batch
from lifemask.nodes.refiner.crop import (
    COVERED,
    FACE,
    LIGHT,
    OCCLUSION,
    PLATE,
    PREDICTED,
    RENDER,
    SHADED,
    TRANSFERRED,
)
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.filters import blur, dilate, erode
from lifemask.nodes.swap.front import near_face

Point = NDArray[np.float64]

OCCLUDED, SHADOWED = 0.4, 0.4  # of the examples
_LIT = (RENDER, SHADED, PREDICTED, LIGHT)  # what knows the light by what is smooth
_CONTRAST = 0.15  # log: the most that an occluder varies
_WIDEST = 4  # pixels that a matte may be too wide


def with_occluder(batch: Batch) -> Batch:
    """Return ``batch``, some with an occluder in front; what that hides has no weight."""
    result = Batch.of(batch.planes.clone(), batch.kind)
    for index, random in _drawn(len(result.shown), OCCLUDED):
        other = batch.shown[int(random.integers(len(batch.shown)))]
        _occlude(result.shown[index], result.weight[index], other, random)
    return result


def with_shadow(batch: Batch) -> Batch:
    """Return ``batch``, some with a shadow on the face."""
    result = Batch.of(batch.planes.clone(), batch.kind)
    for index, random in _drawn(len(result.shown), SHADOWED):
        _shade(result.shown[index], result.truth[index], random)
    return result


def _drawn(count: int, share: float) -> Iterator[tuple[int, np.random.Generator]]:
    """Yield a ``share`` of so many examples, with a generator seeded by torch's random state."""
    random = np.random.default_rng(int(torch.randint(2**31, ())))
    for index in np.flatnonzero(random.random(count) < share):
        yield int(index), random


def _occlude(shown: Tensor, weight: Tensor, other: Tensor, random: np.random.Generator) -> None:
    """Paint an occluder with the skin of the ``other`` over an example, in place."""
    matte = _shape(shown, random, random.uniform(0.4, 1.5))
    found = _found(matte, random)
    change = (_skin(shown, other, random) - shown[PLATE]) * matte
    shown[PLATE] += change
    shown[TRANSFERRED] += change * shown[COVERED]
    shown[OCCLUSION] = torch.maximum(shown[OCCLUSION], found * near_face(shown[FACE]))
    weight *= 1 - dilate(torch.maximum(matte, found)[None], 1)[0]


def _shade(shown: Tensor, truth: Tensor, random: np.random.Generator) -> None:
    """Paint a shadow, or all but a gap of one, on an example, in place."""
    matte = _shape(shown, random, float(np.exp(random.uniform(np.log(0.8), np.log(8)))))
    if random.random() < 0.25:
        matte = 1 - matte
    depth = random.uniform(0.02, 0.14) + random.normal(0, 0.006, (3, 1, 1))
    shade = matte * torch.from_numpy(depth).to(matte)
    for planes in (shown[PLATE], shown[TRANSFERRED], truth):
        planes -= shade
    known = blur(shade[None], random.uniform(2, 7))[0] * random.uniform(0.75, 1)
    for lit in _LIT:
        shown[lit] -= known


def _skin(shown: Tensor, other: Tensor, random: np.random.Generator) -> Tensor:
    """An occluder's colours, (3, H, W), log: near the face's own tone, or darker."""
    turns = tuple(int(turn) for turn in random.integers(-40, 40, 2))
    texture = (other[PLATE] - _mean(other)).clamp(-_CONTRAST, _CONTRAST).roll(turns, (1, 2))
    tone = random.normal(0, 0.05) + random.normal(0, 0.012, (3, 1, 1))
    if random.random() < 0.35:
        tone -= random.uniform(0, 0.25)
    return _mean(shown) + torch.from_numpy(tone).to(shown) + texture * random.uniform(0.3, 1)


def _mean(shown: Tensor) -> Tensor:
    """Mean colour (3, 1, 1) of the plate where the face is."""
    covered = shown[COVERED]
    return (shown[PLATE] * covered).sum((1, 2), keepdim=True) / (covered.sum() + 1e-3)


def _found(matte: Tensor, random: np.random.Generator) -> Tensor:
    """The ``matte`` (1, H, W) as a track may find it: too wide, too soft, with holes."""
    wider = int(random.integers(1 - _WIDEST, _WIDEST + 1))
    found = matte[None]
    if wider > 0:
        found = dilate(found, wider)
    elif random.random() < 0.4:
        found = erode(found, -wider)
    found = blur(found, random.uniform(0.5, 3))
    if random.random() < 0.25:
        whole = torch.from_numpy(random.random((1, 1, 8, 8)) > 0.3).to(found)
        found = found * blur(functional.interpolate(whole, found.shape[-2:]), 6.0)
    return found[0].clamp(0, 1)


def _shape(shown: Tensor, random: np.random.Generator, softness: float) -> Tensor:
    """An exact matte (1, H, W) whose edge is a Gaussian of ``softness`` pixels."""
    matte = torch.from_numpy(outline(shown.shape[-1], random)).to(shown)
    return blur(matte[None, None], softness)[0].clamp(0, 1)


def outline(side: int, random: np.random.Generator) -> Floats:
    """Draw a matte (side, side) with hard edges: of a hand, of spectacles, or of ellipses."""
    matte = np.zeros((side, side), np.float32)
    kind = random.random()
    draw = _hand if kind < 0.45 else _spectacles if kind < 0.75 else _ellipses
    draw(matte, random)
    return matte


def _hand(matte: Floats, random: np.random.Generator) -> None:
    """One to five fingers, and mostly the hand and arm behind them."""
    side, count = len(matte), int(random.integers(1, 6))
    width, angle = random.uniform(0.05, 0.11) * side, random.uniform(0, 2 * np.pi)
    palm = side / 2 + random.normal(0, 0.16, 2) * side
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    for finger in range(count):
        root = palm + across * (finger - (count - 1) / 2) * width * random.uniform(1.1, 1.5)
        tip = root + along * random.uniform(0.15, 0.35) * side
        tip = tip + across * random.normal(0, 0.04) * side
        _line(matte, root, tip, max(2.0, width * random.uniform(0.7, 1)))
    if random.random() < 0.85:
        thick = width * count * random.uniform(0.8, 1.2) + 2
        _line(matte, palm, palm - along * 0.9 * side, thick)


def _spectacles(matte: Floats, random: np.random.Generator) -> None:
    """Two rims, a bridge and two temples."""
    side, thick = len(matte), float(random.integers(1, 6))
    middle, height = side * (0.5 + random.normal(0, 0.02)), side * random.uniform(0.36, 0.5)
    apart = random.uniform(0.1, 0.15) * side
    axes = int(random.uniform(0.07, 0.12) * side), int(random.uniform(0.05, 0.1) * side)
    turn, drop = random.normal(0, 5), random.normal(0, 0.02) * side
    bridge = np.array([apart - axes[0], 0])
    centre = np.array([middle, height])
    _line(matte, centre - bridge, centre + bridge, thick)
    for sign in (-1, 1):
        rim = int(middle + sign * apart), int(height)
        cv2.ellipse(matte, rim, axes, turn, 0, 360, 1, int(thick), cv2.LINE_AA)
        hinge = centre + np.array([sign * (apart + axes[0]), 0])
        _line(matte, hinge, np.array([middle + sign * 0.45 * side, height + drop]), thick)


def _ellipses(matte: Floats, random: np.random.Generator) -> None:
    """One or two ellipses."""
    side = len(matte)
    for _ in range(int(random.integers(1, 3))):
        at, axes = side / 2 + random.normal(0, 0.2, 2) * side, random.uniform(0.05, 0.22, 2) * side
        middle, radii = (int(at[0]), int(at[1])), (int(axes[0]), int(axes[1]))
        cv2.ellipse(matte, middle, radii, random.uniform(0, 180), 0, 360, 1, -1, cv2.LINE_AA)


def _line(matte: Floats, begin: Point, end: Point, thick: float) -> None:
    a, b = (tuple(int(value) for value in point) for point in (begin, end))
    cv2.line(matte, a, b, 1, max(1, int(thick)), cv2.LINE_AA)
