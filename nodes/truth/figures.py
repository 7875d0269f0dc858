"""The measures of a frame as sums, which add up over a shot, and the figures made from them."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import nan
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from lifemask.nodes.errors import MediaError
from lifemask.nodes.render.ssim import ssim
from lifemask.nodes.truth.registration import local_move
from lifemask.nodes.truth.views import Face

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]

_LEVEL, _TEXTURE = 1e-4, 9e-4  # of structural similarity, in the log curve squared
LEAST_WEIGHT = 20
"""Pixels of the face below which a frame has no SSIM."""


@dataclass(frozen=True)
class Measured:
    """The measures of one frame, or of several frames, stacked.

    ``way``, ``fine_way`` (3,), see `way_sums`; ``detail`` and ``kept`` (3,), see `band_sums`;
    ``error`` (4,): sum of |swap - truth|, of the same after the local move, of |plate - truth|, and
    the number of values; ``flicker`` (2,), see `flicker_sums`; ``means`` (3,): SSIM, structure
    and misplaced, which are averaged over frames (NaN: the frame has none).
    """

    way: "F64"
    fine_way: "F64"
    detail: "F64"
    kept: "F64"
    error: "F64"
    flicker: "F64"
    means: "F64"


def measure(face: Face, before: Face | None) -> Measured:
    """Return the measures of a frame, and of its change since the last frame."""
    swap, plate, truth, weight = face.swap, face.plate, face.truth, face.weight
    carried, misplaced = local_move(swap, truth, weight)
    fine = [features(picture, weight) for picture in (swap, plate, truth)]
    errors = [absolute(picture - truth, weight) for picture in (swap, carried, plate)]
    return Measured(
        way=way_sums(swap, plate, truth, weight),
        fine_way=way_sums(fine[0], fine[1], fine[2], weight),
        detail=band_sums(swap, truth, weight),
        kept=band_sums(carried, truth, weight),
        error=np.array([*errors, 3 * total(weight)]),
        flicker=flicker_sums(face, before) if before else np.zeros(2),
        means=np.array([*(mean_ssim(p, truth, weight) for p in (swap, carried)), misplaced]),
    )


def ratios(faces: Iterable[Face]) -> dict[str, float | None]:
    """Return by name the figures of a shot, whose swap has been placed and graded.

    Raises MediaError where plate and truth are the same, so that there is nothing to measure.
    """
    frames, before = [], None
    for face in faces:
        frames.append(measure(face, before))
        before = face
    whole = summed(frames)
    if not whole.way[0]:
        raise MediaError("the ground truth equals the plate: there is no swap to measure")
    left, moved_left, untouched, count = whole.error
    change, truth_change = whole.flicker
    own, exact, _ = whole.detail
    numbers = {
        **dict(zip(("ssim", "structure", "misplaced"), whole.means, strict=True)),
        **dict(zip(("way", "rest"), way(whole.way), strict=True)),
        **dict(zip(("fine_way", "fine_rest"), way(whole.fine_way), strict=True)),
        "distance": left / untouched,
        "residue": moved_left / untouched,
        "l1": left / count,
        "detail": np.sqrt(own / exact),
        "kept": whole.kept[2] / whole.kept[1],
    }
    figures: dict[str, float | None] = {name: float(number) for name, number in numbers.items()}
    return figures | {"flicker": float(change / truth_change) if truth_change else None}


def summed(frames: list[Measured]) -> Measured:
    """Return the measures of a whole shot: ``means`` averaged, everything else added up."""
    columns = {f.name: np.array([getattr(m, f.name) for m in frames]) for f in fields(Measured)}
    means = [column[np.isfinite(column)] for column in columns.pop("means").T]
    sums = {name: column.sum(0) for name, column in columns.items()}
    return Measured(**sums, means=np.array([m.mean() if len(m) else nan for m in means]))


def total(values: "F32") -> float:
    """Return the sum, added up in double precision."""
    return float(values.sum(dtype=np.float64))


def absolute(difference: "F32", weight: "F32") -> float:
    """Return the sum of the absolute values of a difference (S, S, 3) inside weight."""
    return total(np.abs(difference) * weight[..., None])


def way_sums(swap: "F32", plate: "F32", truth: "F32", weight: "F32") -> "F64":
    """Return (goal . goal, goal . gone, gone . gone) of truth - plate and swap - plate."""
    goal = ((truth - plate) * weight[..., None]).ravel().astype(np.float64)
    gone = ((swap - plate) * weight[..., None]).ravel().astype(np.float64)
    return np.array([goal @ goal, goal @ gone, gone @ gone])


def way(sums: "F64") -> tuple[float, float]:
    """Return the share of the way from plate to truth that was covered, and the error beside it.

    (1, 0) is the perfect swap and (0, 0) the plate.
    """
    goal, along, gone = sums
    share = along / goal
    return float(share), float(np.sqrt(max(0.0, gone / goal - share**2)))


def band_sums(picture: "F32", truth: "F32", weight: "F32") -> "F64":
    """Return (own . own, exact . exact, own . exact) of the finest band, up to 2.5 px."""
    inside = cv2.erode(weight, np.ones((7, 7)))[..., None]
    a, b = (
        ((p - cv2.GaussianBlur(p, (0, 0), 2.5)) * inside).ravel().astype(np.float64)
        for p in (picture, truth)
    )
    return np.array([a @ a, b @ b, a @ b])


def flicker_sums(face: Face, before: Face) -> "F64":
    """Return the change since the last frame of swap - truth, and of the truth itself."""
    weight = face.weight * before.weight
    error = (face.swap - face.truth) - (before.swap - before.truth)
    return np.array([absolute(error, weight), absolute(face.truth - before.truth, weight)])


def features(picture: "F32", weight: "F32") -> "F32":
    """Return the band between about 2 and 8 pixels: features, neither light nor noise."""
    under = cv2.GaussianBlur(weight, (0, 0), 7)[..., None] + 1e-3
    light = cv2.GaussianBlur(picture * weight[..., None], (0, 0), 7) / under
    return np.asarray(cv2.GaussianBlur(picture - light, (0, 0), 1.2))


def mean_ssim(picture: "F32", truth: "F32", weight: "F32") -> float:
    """Return the mean structural similarity inside weight, at most 1."""
    if weight.sum() < LEAST_WEIGHT:
        return nan
    a, b = (torch.from_numpy(p.transpose(2, 0, 1)[None].astype(float)) for p in (picture, truth))
    alike = ssim(a, b, _LEVEL, _TEXTURE)[0].mean(0).numpy()
    return total(alike * weight) / total(weight)
