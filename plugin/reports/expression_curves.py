"""Curves of a swap's expression beside its plate's, which show where a performance is lost."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from lifemask.nodes.errors import FaceError
from lifemask.nodes.faces.face_shape import MEASURES
from lifemask.nodes.html.plots import timeline
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.tracks import plate_tracks
from lifemask.nodes.track import Track
from lifemask.nodes.truth.expression import TrackPair, nearest
from lifemask.ocio.media.footage import Footage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_LEAST_SPAN = 0.04  # of the eyes' distance: a curve that moves less is drawn flat


def curves(shot: Shot, swap: Footage, people: Sequence[str]) -> str:
    """Return the plots of all measures for each of the ``people``, whose tracks the shot has.

    Empty where nobody is swapped. It tracks the swap.
    """
    if not people:
        return ""
    tracks = plate_tracks(shot)
    try:
        swapped = Track(min_frames=1)(swap)
    except FaceError:
        return ""
    pairs = {name: TrackPair.of(nearest(swapped, tracks[name]), tracks[name]) for name in people}
    return "".join(part for name, pair in pairs.items() for part in _person(name, pair))


def _person(name: str, pair: TrackPair) -> Iterator[str]:
    figures = pair.figures
    if figures is None:
        return
    error = f"mean difference of the coefficients {figures.expression_error:.3f}"
    yield f"<p>{escape(name)}: {error}</p>"
    for measure, doc in MEASURES.items():
        offset, alike, _ = getattr(figures, measure)
        together = "" if alike is None else f", correlation {alike:.2f}"
        title = f"{measure.replace('_', ' ')} ({doc}): offset {offset:+.3f}{together}"
        yield timeline(title, pair.frames.tolist(), _lines(measure, pair))


def _lines(measure: str, pair: TrackPair) -> list[tuple[str, list[float]]]:
    """Both curves, each its style and its values, 0..1."""
    both: Mapping[str, Floats] = {"plate": pair.other[measure], "swap": pair.own[measure]}
    low = min(float(values.min()) for values in both.values())
    span = max(max(float(values.max()) for values in both.values()) - low, _LEAST_SPAN)
    return [(style, ((values - low) / span).tolist()) for style, values in both.items()]
