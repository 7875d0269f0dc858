"""The grade, the reposition and the smooth local move that bring a swap onto its ground truth.

A compositor sets the first two with a node each, so they are removed once for the whole shot before
anything is measured, and reported. The third separates misplaced features from soft or wrong ones.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lifemask.nodes.render import flow
from lifemask.nodes.truth.views import Face

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]

MOST_SAMPLES = 8_000_000
SIGMAS = (5.0, 3.0, 2.0, 1.5)
STEPS = 8
OUTLIER = 0.03
"""A log difference of half a stop counts half."""

MOST_STEP = np.array([1, 1, 0.02, 0.02])
MOST_MOVE = np.array([8, 8, 0.08, 0.08])
STIFFNESS = flow.Stiffness(sigma=0.04, longest=0.03, floor=0.02)


def swap_gain(faces: Iterable[Face]) -> "F32":
    """Return the one grade of a shot: the offset to subtract in the log curve, (3,)."""
    return _gain((f.swap - f.truth)[f.weight > 0.5] for f in faces)


def plate_gain(faces: Iterable[Face]) -> "F32":
    """Return the same for the plate."""
    return _gain((f.plate - f.truth)[f.weight > 0.5] for f in faces)


def _gain(differences: "Iterable[F32]") -> "F32":
    """Return the median of the differences (K, 3) of all frames, in bounded memory."""
    kept: list[F32] = []
    for difference in differences:
        kept.append(difference)
        if sum(map(len, kept)) > MOST_SAMPLES:
            kept = [part[::2] for part in kept]
    return np.asarray(np.median(np.concatenate(kept), axis=0), np.float32)


def moved(picture: "F32", move: "F64") -> "F32":
    """Return the picture moved by (x px, y px, log of scale, angle) about its middle."""
    side = len(picture)
    middle, scale = side / 2, np.exp(move[2])
    a, b = scale * np.cos(move[3]), scale * np.sin(move[3])
    x, y = middle - a * middle + b * middle + move[0], middle - b * middle - a * middle + move[1]
    matrix = np.array([[a, -b, x], [b, a, y]])
    cubic, edge = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    whole = cv2.warpAffine(picture, matrix, (side, side), flags=cubic, borderMode=edge)
    return np.asarray(whole, np.float32)


def place(faces: Iterable[Face]) -> "F64":
    """Return the one `moved` of the shot that brings the swap closest to the truth.

    Lucas-Kanade over all frames at once, coarse to fine, robust to what no move explains.
    """
    move = np.zeros(4)
    grade = swap_gain(faces)
    for sigma in SIGMAS:
        for _ in range(STEPS):
            step = _step(faces, move, grade, sigma)
            move = np.clip(move + step, -MOST_MOVE, MOST_MOVE)
            if np.abs(step[:2]).max() < 0.01:
                break
    return move


def _step(faces: Iterable[Face], move: "F64", grade: "F32", sigma: float) -> "F64":
    left, right, weight = np.zeros((4, 4)), np.zeros(4), 0.0
    for face in faces:
        parts = _normal_equations(face, move, grade, sigma)
        left, right, weight = left + parts[0], right + parts[1], weight + parts[2]
    step = np.linalg.solve(left + 1e-9 * weight * np.eye(4), right)
    return np.clip(step, -MOST_STEP, MOST_STEP)


def _normal_equations(
    face: Face, move: "F64", grade: "F32", sigma: float
) -> "tuple[F64, F64, float]":
    soft = cv2.GaussianBlur(moved(face.swap - grade, move).mean(-1), (0, 0), sigma)
    error = cv2.GaussianBlur(face.truth.mean(-1), (0, 0), sigma) - soft
    dy, dx = np.gradient(soft)
    y, x = np.mgrid[: len(soft), : len(soft)] - len(soft) / 2
    slopes = np.stack([-dx, -dy, -(dx * x + dy * y), dx * y - dy * x]).reshape(4, -1)
    weight = (face.weight / (1 + (error / OUTLIER) ** 2)).reshape(-1)
    pulled = slopes * weight
    return pulled @ slopes.T, pulled @ error.reshape(-1), float(weight.sum(dtype=np.float64))


def local_move(picture: "F32", truth: "F32", weight: "F32") -> "tuple[F32, float]":
    """Return the picture carried onto the truth, and the mean move inside weight in % of the side.

    The move is smooth, and at most 3 % of the side.
    """
    exact, own = (_grey(p, truth, weight) for p in (truth, picture))
    move = flow.stiffened(flow.dense_flow(exact, own, at_rest=False), weight, STIFFNESS)
    carried = flow.carried(picture.transpose(2, 0, 1), move).transpose(1, 2, 0)
    mean = (np.linalg.norm(move, axis=-1) * weight).sum() / (weight.sum() + 1e-6)
    return carried, float(mean) / len(picture) * 100


def _grey(picture: "F32", truth: "F32", weight: "F32") -> "NDArray[np.uint8]":
    inside = truth.mean(-1)[weight > 0.5]
    low, high = np.percentile(inside, [1, 99]) if len(inside) else (0.0, 1.0)
    level = (picture.mean(-1) - low) / (high - low + 1e-6)
    return np.asarray(np.clip(level * 200 + 28, 0, 255), np.uint8)
