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

    ``projection``, ``fine_projection`` (3,), see `projection_sums`; ``energy`` and ``recall`` (3,),
    see `band_sums`; ``error`` (4,): sum of |swap - truth|, of the same after the local move, of
    |plate - truth|, and the number of values; ``temporal`` (2,), see `temporal_sums`; ``means``
    (3,): SSIM, the same after the move, and the displacement in percent, which are averaged over
    frames (NaN: the frame has none).
    """

    projection: "F64"
    fine_projection: "F64"
    energy: "F64"
    recall: "F64"
    error: "F64"
    temporal: "F64"
    means: "F64"


def measure(face: Face, before: Face | None) -> Measured:
    """Return the measures of a frame, and of its change since the last frame."""
    swap, plate, truth, weight = face.swap, face.plate, face.truth, face.weight
    carried, displaced = local_move(swap, truth, weight)
    fine = [features(picture, weight) for picture in (swap, plate, truth)]
    errors = [absolute(picture - truth, weight) for picture in (swap, carried, plate)]
    return Measured(
        projection=projection_sums(swap, plate, truth, weight),
        fine_projection=projection_sums(fine[0], fine[1], fine[2], weight),
        energy=band_sums(swap, truth, weight),
        recall=band_sums(carried, truth, weight),
        error=np.array([*errors, 3 * total(weight)]),
        temporal=temporal_sums(face, before) if before else np.zeros(2),
        means=np.array([*(mean_ssim(p, truth, weight) for p in (swap, carried)), displaced]),
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
    if not whole.projection[0]:
        raise MediaError("the ground truth equals the plate: there is no swap to measure")
    left, moved_left, untouched, count = whole.error
    change, truth_change = whole.temporal
    own, exact, _ = whole.energy
    numbers = {
        **dict(zip(("ssim", "aligned_ssim", "displacement_percent"), whole.means, strict=True)),
        **_projected("identity", whole.projection),
        **_projected("fine_identity", whole.fine_projection),
        "relative_l1": left / untouched,
        "aligned_l1": moved_left / untouched,
        "l1": left / count,
        "detail_energy": np.sqrt(own / exact),
        "detail_recall": whole.recall[2] / whole.recall[1],
    }
    figures: dict[str, float | None] = {name: float(number) for name, number in numbers.items()}
    return figures | {"temporal_error": float(change / truth_change) if truth_change else None}


def _projected(name: str, sums: "F64") -> dict[str, float]:
    along, beside = projection(sums)
    return {f"{name}_projection": along, f"{name}_residual": beside}


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


def projection_sums(swap: "F32", plate: "F32", truth: "F32", weight: "F32") -> "F64":
    """Return (goal . goal, goal . gone, gone . gone) of truth - plate and swap - plate."""
    goal = ((truth - plate) * weight[..., None]).ravel().astype(np.float64)
    gone = ((swap - plate) * weight[..., None]).ravel().astype(np.float64)
    return np.array([goal @ goal, goal @ gone, gone @ gone])


def projection(sums: "F64") -> tuple[float, float]:
    """Return how far swap - plate reaches along truth - plate, and the length of the rest.

    Both are shares of the length of truth - plate: (1, 0) is the perfect swap, (0, 0) the plate.
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


def temporal_sums(face: Face, before: Face) -> "F64":
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
