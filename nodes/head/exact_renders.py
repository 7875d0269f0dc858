"""Renders of synthetic people as a tracker sees them, beside their exact pose, expression and gaze.

A corpus holds a folder ``TAKE/PERSON`` for each take of a person: a scene-linear
``beauty/beauty.####.exr`` with its primaries in the header, and ``gt/gt.####.json`` with

- ``K`` (3, 3), ``camera_to_world`` (4, 4): a camera that looks down its -z, y up;
- ``people``, of which the first counts: ``head_to_world`` (4, 4) of a head in metres that looks
  down -y, z up; ``expression``, the kit's coefficients above 0 by name; ``gaze_deg``, to the
  person's left and up.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, FaceError
from lifemask.nodes.faces.blendshapes import expression
from lifemask.nodes.faces.photographs import landmarks_of
from lifemask.nodes.head.face_kit import arkit_coefficients
from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING, convert
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

Floats = NDArray[np.float32]

_LEAST_CONFIDENCE = 0.4
# The kit's axes and centimetres (x left, y up, z forwards) to the renders' (x left, z up, metres).
_TO_RENDER = np.array([[0.01, 0, 0, 0], [0, 0, -0.01, 0], [0, 0.01, 0, 0], [0, 0, 0, 1]])


@dataclass(frozen=True)
class ExactRenders:
    """N renders, of which each shows one person."""

    person: NDArray[np.str_]  # (N,) the folder's name
    take: NDArray[np.str_]  # (N,) the name of the folder that it is in
    landmarks: Floats  # (N, 478, 3) as tracked, in pixels
    expression: Floats  # (N, 52) of `faces.blendshapes`, as tracked
    confidence: Floats  # (N,)
    coefficients: Floats  # (N, 52) of `arkit.NAMES`, exact
    gaze: Floats  # (N, 2) degrees, exact
    camera: NDArray[np.float64]  # (N, 3, 4) from the kit's axes to pixels times depth in metres

    def __len__(self) -> int:
        return len(self.person)

    @property
    def focal(self) -> Floats:
        """The focal lengths (N,) in pixels."""
        across, ahead = self.camera[:, 0, :3], self.camera[:, 2, :3]
        squares = np.square(ahead).sum(1)
        return np.asarray(np.linalg.norm(np.cross(across, ahead), axis=1) / squares, np.float32)

    def project(self, number: int, points: Floats) -> tuple[Floats, Floats]:
        """Return where ``points`` (V, 3) of a head lie in a picture (V, 2), and how deep (V,)."""
        seen = points @ self.camera[number, :, :3].T + self.camera[number, :, 3]
        return (seen[:, :2] / seen[:, 2:]).astype(np.float32), seen[:, 2].astype(np.float32)


def tracked(corpora: list[Path], people: frozenset[str]) -> ExactRenders:
    """Track every render that shows one of the ``people``.

    Raises FaceError when none does.
    """
    found = sorted(folder.parent for corpus in corpora for folder in corpus.glob("*/*/beauty"))
    takes = [take for take in found if take.name in people]
    rows = [row for take in progress.each(takes, "landmarks", len(takes)) for row in _of(take)]
    if not rows:
        raise FaceError(f"{corpora[0]}: no TAKE/PERSON/beauty/beauty.####.exr shows one of them")
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return ExactRenders(expression=expression(columns["landmarks"]), **columns)


def _of(take: Path) -> Iterator[dict[str, Any]]:
    beauty = Sequence.find(take / "beauty" / "beauty.####.exr")
    space = tagged_space(beauty) or LINEAR_SRGB
    for frame in beauty.frames:
        face = landmarks_of(convert(read(beauty, frame).rgb, space, WORKING))
        if face and face.confidence > _LEAST_CONFIDENCE:
            exact = _exact(take / "gt" / f"gt.{frame:04d}.json")
            confidence = np.float32(face.confidence)
            yield {
                "person": take.name,
                "take": take.parent.name,
                "landmarks": face.landmarks,
                "confidence": confidence,
                **exact,
            }


def _exact(file: Path) -> dict[str, Any]:
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        person = about["people"][0]
        head, camera = np.array(person["head_to_world"]), np.array(about["camera_to_world"])
        lens = np.array(about["K"]) * ((1, 1, -1), (1, -1, -1), (1, 1, -1))
        return {
            "coefficients": arkit_coefficients(person["expression"]),
            "gaze": np.array(person["gaze_deg"], np.float32),
            "camera": lens @ (np.linalg.inv(camera) @ head @ _TO_RENDER)[:3],
        }
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise BrokenFileError(f"{file}: holds no ground truth of a render ({error})") from error
