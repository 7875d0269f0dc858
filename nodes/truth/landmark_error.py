"""The error of landmarks detected on a swap against those detected on the perfect swap."""

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes import progress
from lifemask.nodes.faces.photographs import find_faces
from lifemask.nodes.faces.topology import LEFT_CORNER, RIGHT_CORNER
from lifemask.nodes.truth import ground_truth as renders
from lifemask.ocio.colour import transform
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.truth import GroundTruth

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]


def landmark_error(
    swap: FrameSource, ground: "GroundTruth", every: int
) -> tuple[float | None, int]:
    """Return the mean error in % of the outer eye corners' distance, and the frames lost.

    The same networks look at both pictures of every ``every``-th frame, so that their own bias does
    not count. A frame is lost when they find the face in the truth and not in the swap. The error
    is None when no frame has the face in both.
    """
    frames = swap.frames[::every]
    errors = list(progress.each(_errors(swap, ground, frames), "landmarks", len(frames)))
    found = [error for error in errors if error not in (None, inf)]
    return (float(np.mean(found)) if found else None), errors.count(inf)


def _errors(
    swap: FrameSource, ground: "GroundTruth", frames: tuple[int, ...]
) -> Iterator[float | None]:
    """Yield the error of each frame: infinite where it is lost, None where the truth has none."""
    with swap.open() as reader:
        for number in frames:
            middle = renders.landmarks(ground.plate, number)[renders.INNER].mean(0)
            exact = _points(renders.picture(ground.truth, number), ground.colorspace, middle)
            own = _points(reader.read(number).rgb, swap.colorspace, middle)
            yield None if exact is None else _error(own, exact)


def _points(rgb: "F32", colorspace: str, middle: "F64") -> "F32 | None":
    """Return the landmarks (478, 2) of the face around ``middle``."""
    for face in find_faces(transform.convert(rgb, colorspace, transform.WORKING)):
        points = face.landmarks[:, :2]
        if ((points.min(0) < middle) & (middle < points.max(0))).all():
            return points
    return None


def _error(own: "F32 | None", exact: "F32") -> float:
    if own is None:
        return inf
    eyes = np.linalg.norm(exact[RIGHT_CORNER] - exact[LEFT_CORNER])
    return float(np.linalg.norm(own - exact, axis=1).mean() / eyes * 100)
