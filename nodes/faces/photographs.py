"""The faces of single pictures, such as photographs, each on its own."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from lifemask.nodes.faces.detector import find, overlap_ratios
from lifemask.nodes.faces.landmarker import boxes_of, landmarks, rects_of, rects_of_found
from lifemask.nodes.faces.pyramid import Picture, Tensor, picture, reduced, reduction
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING, convert

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PRESENCE = 0.5
"""Least presence of a detected face; one that is followed may go lower for a while."""

# Disagreement of the crops, as a share of the rectangle, that halves the confidence. It is about
# .0016 for a face in full view, .005 for one that is half hidden.
_SPREAD = 0.008


@dataclass(frozen=True)
class Face:
    """One face of one picture: ``landmarks`` (478, 3) as in a FaceTrack, ``confidence`` 0..1."""

    landmarks: "NDArray[np.float32]"
    confidence: float

    @property
    def area(self) -> float:
        """Square pixels of the box around it."""
        width, height = np.ptp(self.landmarks[:, :2], axis=0)
        return float(width * height)


def find_faces(pixels: "NDArray[np.float32]", samples: int = 8) -> list[Face]:
    """Return the faces of ``pixels`` (H, W, 3), ACEScg of any exposure, the largest first.

    Landmarks are the mean over ``samples`` crops.
    """
    factor = reduction(*pixels.shape[:2])
    seen = picture(convert(reduced(pixels, factor), WORKING, LINEAR_SRGB), factor)
    rects = detected(seen)
    if not len(rects):
        return []
    landed = landmarks(seen, rects, samples)
    points = (landed.points * factor).numpy()
    trust = confidence(landed.presence, landed.spread).tolist()
    faces = [Face(*pair) for pair in zip(points, trust, strict=True)]
    return sorted(faces, key=lambda face: face.area, reverse=True)


def landmarks_of(pixels: "NDArray[np.float32]", samples: int = 8) -> Face | None:
    """Return the largest face of ``pixels`` (H, W, 3), ACEScg; None where there is none."""
    return next(iter(find_faces(pixels, samples)), None)


def detected(seen: Picture, tiled: bool = True, known: Tensor | None = None) -> Tensor:
    """Return the rectangle (N, 5) of each face that the detector and the landmarks agree on.

    Those that lie on one of the ``known`` rectangles (M, 5) are left out.
    """
    rects = rects_of_found(find(seen, tiled))
    if known is not None:
        rects = rects[apart(rects, known)]
    # The landmarks place a face better than the detector's box.
    for _ in range(2):
        if not len(rects):
            return rects
        landed = landmarks(seen, rects)
        rects = rects_of(landed.points)[landed.presence >= LEAST_PRESENCE]
    return rects[distinct(boxes_of(landed.points[landed.presence >= LEAST_PRESENCE]))]


def apart(rects: Tensor, known: Tensor) -> Tensor:
    """Return a mask (N,): whether a rectangle (N, 5) lies on none of the known (M, 5)."""
    if not len(rects) or not len(known):
        return torch.ones(len(rects), dtype=torch.bool)
    union, _ = overlap_ratios(_upright(rects), _upright(known))
    return union.amax(1) < 0.3


def _upright(rects: Tensor) -> Tensor:
    half = rects[:, 2:4] / 2
    return torch.cat([rects[:, :2] - half, rects[:, :2] + half], 1)


def distinct(boxes: Tensor) -> Tensor:
    """Return a mask (N,): False for a box that is mostly the same as, or inside, an earlier one."""
    union, inside = overlap_ratios(boxes, boxes)
    same = ((union > 0.5) | (inside > 0.8)).tril(-1)
    return ~same.any(1)


def confidence(presence: Tensor, spread: Tensor) -> Tensor:
    """Return the confidence of each face, 0..1; it is lower where its crops disagree."""
    return presence / (1 + (spread / _SPREAD) ** 2)
