"""The expression of a swap beside its plate's: both are tracked, so that a loss is seen."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.faces.blendshapes import NAMES
from lifemask.nodes.faces.face_shape import MEASURES, face_shape
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_MOUTH = [place for place, name in enumerate(NAMES) if name.startswith(("mouth", "jaw"))]
_LEAST_DEVIATION = 1e-6

Compared = tuple[float, float | None, float]
"""Mean difference, correlation in time, and the plate's own standard deviation."""


def _about(measure: str) -> dict[str, object]:
    doc = f"{MEASURES[measure]}: offset, correlation, the plate's deviation"
    return {"doc": doc, "perfect": None}


@dataclass(frozen=True, kw_only=True)
class ExpressionFigures:
    """How a face plays beside another that should play the same.

    Errors are mean differences of the coefficients of `faces.blendshapes`; the others compare the
    measures of `faces.face_shape`, over the distance of the eyes' outer corners.
    """

    expression_error: float = field(
        metadata={"doc": "mean difference of the 52 coefficients", "perfect": 0}
    )
    mouth_expression_error: float = field(
        metadata={"doc": "the same of mouth and jaw", "perfect": 0}
    )
    lip_opening: Compared = field(metadata=_about("lip_opening"))
    mouth_width: Compared = field(metadata=_about("mouth_width"))
    corner_height: Compared = field(metadata=_about("corner_height"))
    brow_height: Compared = field(metadata=_about("brow_height"))
    lid_opening: Compared = field(metadata=_about("lid_opening"))
    gaze_across: Compared = field(metadata=_about("gaze_across"))
    gaze_down: Compared = field(metadata=_about("gaze_down"))


@dataclass(frozen=True, eq=False)
class TrackPair:
    """Two tracks in the N frames that both show a face: ``own`` should play what ``other`` does."""

    frames: "NDArray[np.int64]"
    own: "dict[str, NDArray[np.float64]]"
    other: "dict[str, NDArray[np.float64]]"
    apart: "Floats"

    @classmethod
    def of(cls, own: FaceTrack, other: FaceTrack) -> "TrackPair":
        """Compare two tracks: ``apart`` (N, 52) is the difference of their coefficients."""
        frames, i, j = np.intersect1d(
            own.frames[own.confidence > 0], other.frames[other.confidence > 0], return_indices=True
        )
        i, j = (
            np.flatnonzero(track.confidence > 0)[rows] for track, rows in ((own, i), (other, j))
        )
        return cls(
            frames=frames,
            own=face_shape(own.landmarks[i]),
            other=face_shape(other.landmarks[j]),
            apart=np.abs(own.expression[i] - other.expression[j]),
        )

    @property
    def figures(self) -> ExpressionFigures | None:
        """The figures over all frames; None when no frame shows both."""
        if not len(self.frames):
            return None
        measures = {name: _compared(self.own[name], self.other[name]) for name in MEASURES}
        return ExpressionFigures(
            expression_error=float(self.apart.mean()),
            mouth_expression_error=float(self.apart[:, _MOUTH].mean()),
            **measures,
        )


def _compared(own: "Floats", other: "Floats") -> Compared:
    moves = min(own.std(), other.std()) > _LEAST_DEVIATION
    alike = float(np.corrcoef(own, other)[0, 1]) if moves else None
    return float((own - other).mean()), alike, float(other.std())


def tracked_again(source: FrameSource, beside: FaceTrack) -> FaceTrack:
    """Track ``source``, which shows the person of the track ``beside``, perhaps with another face.

    Raises FaceError when it has no face.
    """
    return nearest(Track(min_frames=1)(source), beside)


def nearest(tracks: Iterable[FaceTrack], beside: FaceTrack) -> FaceTrack:
    """Return the track whose face is nearest to the one of the track ``beside``."""
    return min(tracks, key=lambda track: _distance(track, beside))


def _distance(track: FaceTrack, other: FaceTrack) -> float:
    _, i, j = np.intersect1d(track.frames, other.frames, return_indices=True)
    apart = track.landmarks[i, :, :2].mean(1) - other.landmarks[j, :, :2].mean(1)
    known = np.isfinite(apart).all(1)
    return float(np.linalg.norm(apart[known], axis=-1).mean()) if known.any() else np.inf
