"""Choose a picture of the likeness for each frame of the plate: a shortest path for each region.

A picture's cost is its distance in expression, pose, appearance, light and visibility. A change of
picture between frames costs, too, or the swap would flicker (Viterbi 1967).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.faces.face_space import CLOSE
from lifemask.nodes.render.atlas import atlas, coarse, openings, regions
from lifemask.nodes.render.descriptors import FaceDescriptors, luminance

FACE = "face"
_EYES = {  # lids and iris; one picture serves both eyes, which look at one thing
    "right_eye": (topology.RIGHT_EYE, topology.RIGHT_IRIS),
    "left_eye": (topology.LEFT_EYE, topology.LEFT_IRIS),
}
POINTS = {
    FACE: tuple(range(topology.MESH_COUNT)),
    "mouth": topology.LIPS + topology.INNER_LIPS,
    **{eye: lids + iris for eye, (lids, iris) in _EYES.items()},
}


@dataclass(frozen=True)
class Costs:
    """The cost of a unit of each difference, in centimetres of expression."""

    turn: float = 0.3
    """A radian between the poses."""

    excess: float = 1.0
    """A centimetre of expression that the picture has and the frame has not."""

    change: float = 0.075
    """Another picture than in the frame before, and as much again for each centimetre."""

    inside: float = 20.0
    """A log unit inside mouth or eyes: teeth, gaze, lids."""

    gaze: float = 3.0
    """A centimetre between the irises, beside the lids."""

    shadows: float = 20.0
    """A log unit of light that the light image does not explain."""

    light: float = 4.0
    """A log unit between the light images."""

    hidden: float = 1.0
    """The whole region."""

    blur: float = 1.0
    """A centimetre along which the picture is blurred and the plate is not."""


_COSTS = dict.fromkeys(POINTS, Costs()) | {FACE: Costs(turn=1.2, change=0.15)}


@dataclass(frozen=True)
class SourceBank:
    """The pictures of a likeness to choose from.

    ``motions`` (52, 478, 3) are those of the coefficients, in centimetres. ``shutter`` is the open
    share of a frame, in the plate and in the takes; ``detail`` is in pixels of the plate across a
    centimetre of the face.
    """

    descriptors: FaceDescriptors
    albedo: Tensor
    motions: Tensor
    shutter: float
    detail: float

    def costs(self, double: FaceDescriptors) -> dict[str, Tensor]:
        """The cost (T, N) of each picture for each frame of the ``double``, by region."""
        # A close-up shows blur that a small face hides.
        blur = self.shutter * (self.descriptors.speed - double.speed[:, None]).clamp(min=0)
        close = max(1, self.detail / CLOSE)
        result = {
            name: self._differences(name, double) + self._faults(name) + cost.blur * close * blur
            for name, cost in _COSTS.items()
        }
        averted = (_gaze(double)[:, None] - _gaze(self.descriptors)).abs()
        for eye in _EYES:
            result[eye] += _COSTS[eye].gaze * averted
        return _of_both_eyes(result)

    def changes(self) -> dict[str, Tensor]:
        """The cost (N, N) of following one picture by another, by region."""
        own = self.descriptors
        result = {}
        for name in POINTS:
            apart = _apart(name, own, own)
            other = 1 - torch.eye(len(apart), device=apart.device)
            result[name] = _COSTS[name].change * (apart + other)
        return _of_both_eyes(result)

    def misfit(self, name: str, double: FaceDescriptors) -> Tensor:
        """The difference inside an opening, (T, N), log: teeth, tongue, gaze."""
        return _unlike_inside(name, double, self.descriptors)

    def _differences(self, name: str, double: FaceDescriptors) -> Tensor:
        own, where = self.descriptors, _where(name).flatten().to(double.colour.device)
        at = where.nonzero()[:, 0]

        def texels(planes: Tensor) -> Tensor:
            return planes.flatten(1)[:, at].double()

        valid, own_valid = texels(double.valid) * where[at], texels(own.valid)
        light, own_light = texels(luminance(double.light)), texels(luminance(own.light))
        uneven = _uneven(valid, light, own_valid, own_light)
        seen = own_valid * where[at]
        visible = torch.stack([torch.minimum(row, seen).sum(1) for row in valid])
        hidden = 1 - visible / (valid.sum(1, keepdim=True) + 1e-3)
        cost = _COSTS[name]
        missed = (cost.light * uneven + cost.hidden * hidden).float()
        return _apart(name, double, own) + cost.excess * self._excess(name, double) + missed

    def _excess(self, name: str, double: FaceDescriptors) -> Tensor:
        """What the pictures' expression adds to the frames': root mean square (T, N), centimetres.

        What a picture lacks, the mesh adds by moving it; what it has too much, stays as folds.
        """
        moved = self.motions[:, list(POINTS[name])].flatten(1)
        stiffness = moved @ moved.T / len(POINTS[name])
        rows = []
        for row in double.coefficients:
            beyond = (self.descriptors.coefficients - row).clamp(min=0)
            rows.append(((beyond @ stiffness) * beyond).sum(1).clamp(min=0).sqrt())
        return torch.stack(rows)

    def _faults(self, name: str) -> Tensor:
        """Cast shadows (N,) in the pictures, which relighting cannot remove."""
        own = self.descriptors
        skin = (_where(name) * _bare()).to(own.colour.device)
        weight = skin * own.valid[:, 0]
        left = luminance(own.colour - own.light - self.albedo)
        mean = (left**2 * weight).sum((1, 2)) / (weight.sum((1, 2)) + 1e-3)
        return _COSTS[name].shadows * mean.sqrt()


def _uneven(weight: Tensor, light: Tensor, own_weight: Tensor, own: Tensor) -> Tensor:
    """Standard deviation (T, N) of the difference of T lights and N ``own`` ones over K texels.

    Weighted by both. Computed as matrix products, so the differences are never all in memory.
    """
    total = weight @ own_weight.T
    mean = weight @ (own_weight * own).T - (weight * light) @ own_weight.T
    square = weight @ (own_weight * own**2).T + (weight * light**2) @ own_weight.T
    square = square - 2 * (weight * light) @ (own_weight * own).T
    mean, square = mean / (total + 1e-3), square / (total + 1e-3)
    return (square - mean**2).clamp(min=0).sqrt()


def _of_both_eyes(costs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The ``costs`` by region, with the mean of both eyes for each of them."""
    return costs | dict.fromkeys(_EYES, torch.stack([costs[eye] for eye in _EYES]).mean(0))


def _gaze(descriptors: FaceDescriptors) -> Tensor:
    """Sideways gaze (N,): the irises' offset from their lids, mean of both eyes, centimetres."""
    across = descriptors.motion[..., 0]
    pairs = [[across[:, list(part)].mean(1) for part in eye] for eye in _EYES.values()]
    return torch.stack([iris - lids for lids, iris in pairs]).mean(0)


def _where(name: str) -> Tensor:
    return coarse(atlas().skin if name == FACE else regions()[name])[0, 0]


def _bare() -> Tensor:
    opened = torch.stack([coarse(map_)[0, 0] for map_ in openings().values()]).sum(0)
    return (1 - opened).clamp(0, 1)


def _apart(name: str, a: FaceDescriptors, b: FaceDescriptors) -> Tensor:
    """The distance in expression, pose and, of openings, appearance: (A, B)."""
    points = list(POINTS[name])
    moved = torch.stack(
        [(row - b.motion[:, points]).norm(dim=-1).mean(-1) for row in a.motion[:, points]]
    )
    cosine = (torch.einsum("aij,bij->ab", a.rotation, b.rotation) - 1) / 2
    result = moved + _COSTS[name].turn * torch.arccos(cosine.clamp(-1, 1))
    if name == FACE:
        return result
    return result + _COSTS[name].inside * _unlike_inside(name, a, b) * a.clear[:, None] * b.clear


def _unlike_inside(name: str, a: FaceDescriptors, b: FaceDescriptors) -> Tensor:
    """The difference of openings, less their light: root mean square, (A, B), log."""
    inside = coarse(openings()[name])[0, 0].to(a.colour.device)
    weight = inside / inside.sum()
    return torch.stack([((row - b.flat) ** 2 * weight).sum((1, 2)).sqrt() for row in a.flat])


def shortest_path(costs: Tensor, changes: Tensor) -> Tensor:
    """The cheapest choice (T,) given ``costs`` (T, N) and ``changes`` (N, N)."""
    total, came_from = costs[0], []
    for row in costs[1:]:
        best, index = (total[:, None] + changes).min(0)
        came_from.append(index)
        total = best + row
    path = [total.argmin()]
    for index in reversed(came_from):
        path.append(index[path[-1]])
    return torch.stack(path[::-1])
