"""The figures of a swap of a person on themself, against the plate."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from lifemask.nodes import progress
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.truth import registration
from lifemask.nodes.truth.figures import measure, summed
from lifemask.nodes.truth.views import SIDE, Changed, Face, Spool, straightened
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.colour.transform import convert
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]

DOCS = {
    "frames": "frames with a swapped face",
    "occlusion": "share of the face that something is in front of, as the swap has it",
    "aligned_ssim": "SSIM after a smooth local move of at most 3 %",
    "aligned_l1": "mean difference in the log curve after that move (a stop is .057)",
    "displacement_percent": "that move, mean, % of the side",
    "detail_energy": "finest band over the plate's: <1 soft, >1 harsh",
    "detail_recall": "the plate's finest band that is there, in place",
    "temporal_error": "change of the error over the plate's change",
}

_STEADY = [33, 133, 362, 263, 1, 61, 291, 168, 2, 17, 0]  # corners of eyes and mouth, nose, lips
_FACE = 0.55  # of the side: the width of the face
_MIDDLE = (0.5, 0.45)  # of the side: where the middle of the landmarks is
_MUCH = 0.8  # of its size: a face that is larger is not averaged
_SPACE = "Linear Rec.709 (sRGB)"  # in whose primaries the ground truth is measured, too


def self_figures(swap: Footage, plate: Footage, track: FaceTrack, exact: bool) -> dict[str, Any]:
    """Return the figures by the names of `DOCS`.

    Those of pictures are among them if the plate is the ``exact`` answer.
    """
    fronts: list[float] = []
    with Spool() as faces:
        for face, front in _faces(swap, plate, track):
            faces.append(face)
            fronts.append(front)
        found = {"frames": len(faces), "occlusion": float(np.mean(fronts or [0.0]))}
        return found | (_of_pictures(faces) if exact and len(faces) else {})


def _of_pictures(faces: Spool) -> dict[str, float]:
    grade = registration.swap_gain(faces)
    before, measured = None, []
    for face in Changed(faces, lambda f: Face(f.swap - grade, f.plate, f.truth, f.weight)):
        measured.append(measure(face, before))
        before = face
    whole = summed(measured)
    own, finest, _ = whole.energy
    change, plates = whole.temporal
    return {
        "aligned_ssim": float(whole.means[1]),
        "aligned_l1": float(whole.error[1] / whole.error[3]),
        "displacement_percent": float(whole.means[2]),
        "detail_energy": float(np.sqrt(own / finest)),
        "detail_recall": float(whole.recall[2] / whole.recall[1]),
        "temporal_error": float(change / plates) if plates else 0.0,
    }


def _faces(swap: Footage, plate: Footage, track: FaceTrack) -> Iterator[tuple[Face, float]]:
    """Yield the swapped faces, each with the share of it that is hidden."""
    rows = {int(n): row for row, n in enumerate(track.frames) if track.confidence[row] > 0}
    target = _target(track)
    with swap.open() as swapped, plate.open() as reader:

        def read(number: int) -> tuple[Face, float] | None:
            frame = swapped.read(number, layers=True)
            matte, front = (frame.layers[name] for name in ("facematte.V", "occlusion.V"))
            if number not in rows or matte.max() < 0.5:
                return None
            matrix = _matrix(track.landmarks[rows[number]], target)
            own = _seen(convert(frame.rgb, swap.colorspace, _SPACE), matrix)
            exact = _seen(convert(reader.read(number).rgb, plate.colorspace, _SPACE), matrix)
            inside = (straightened(matte, matrix) > 0.5).astype(np.float32)
            weight = cv2.erode(inside, np.ones((3, 3)))
            hidden = float((front * matte).sum() / matte.sum())
            return Face(own, exact, exact, np.asarray(weight, np.float32)), hidden

        with closing(parallel_map(read, swap.frames, swapped.ahead)) as found:
            for one in progress.each(found, "figures", len(swap.frames)):
                if one:
                    yield one


def _target(track: FaceTrack) -> "NDArray[np.float64]":
    """Where the first face's steady landmarks (K, 2) lie in the square."""
    first = track.landmarks[track.confidence > 0][0].astype(np.float64)
    points = first[_STEADY, :2]
    scale = _FACE * SIDE / np.ptp(first[:468, 0])
    return np.asarray((points - points.mean(0)) * scale + np.array(_MIDDLE) * SIDE)


def _matrix(landmarks: "F32", target: "NDArray[np.float64]") -> "F32":
    """The matrix (2, 3) from the plate to the square."""
    points = landmarks[_STEADY, :2].astype(np.float64)
    (scale,), (rotation,), (move,) = similarity(points[None], target[None], np.ones(len(points)))
    return np.hstack([scale * rotation, move[:, None]]).astype(np.float32)


def _seen(linear: "F32", matrix: "F32") -> "F32":
    """A picture (H, W, 3) in the square, log; averaged where the face is reduced much."""
    scale = float(np.linalg.norm(matrix[0, :2]))
    if scale < _MUCH:
        linear = np.asarray(cv2.GaussianBlur(linear, (0, 0), 0.3 / scale - 0.3), np.float32)
    return np.asarray(to_log(torch.from_numpy(straightened(linear, matrix))).numpy(), np.float32)
