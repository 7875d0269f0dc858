"""Join tracklets to people, once the whole plate has been followed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]


@dataclass(frozen=True)
class Matching:
    """When two tracklets are of one person."""

    correlation: float = 0.6
    """Of their thumbnails: .63 or more in 95 of 100 pairs of one person, in 5 of 100 of two."""

    place_bonus: float = 0.15
    """Added to the correlation where a face comes back to the place where it was lost."""

    place_frames: int = 30
    """Frames after which a third of that bonus is left."""

    thumbnail_every: int = 4
    """Frames between two thumbnails that are kept."""


_MATCHING = Matching()


@dataclass
class Tracklet:
    """One face followed without a break: landmarks and confidence by index of the frame."""

    places: list[int] = field(default_factory=list)
    landmarks: "list[Array]" = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    thumbnails: "list[Array]" = field(default_factory=list)

    def add(self, place: int, confidence: float, thumbnail: "Array") -> None:
        """Add a frame; its landmarks follow when they are steadied. Keeps every 4th thumbnail."""
        if len(self.places) % _MATCHING.thumbnail_every == 0:
            self.thumbnails.append(thumbnail)
        self.places.append(place)
        self.confidence.append(confidence)


@dataclass
class Person:
    """Tracklets of one person, none at the same time as another."""

    tracklets: list[Tracklet]

    @property
    def places(self) -> set[int]:
        """Indices of the frames that show the person."""
        return {place for tracklet in self.tracklets for place in tracklet.places}

    @property
    def area(self) -> float:
        """Area of the face's box in square pixels, summed over all frames."""
        return sum(_area(points) for tracklet in self.tracklets for points in tracklet.landmarks)

    @property
    def surety(self) -> float:
        """The median confidence."""
        return float(np.median([c for tracklet in self.tracklets for c in tracklet.confidence]))


def people(tracklets: list[Tracklet], least: int) -> list[Person]:
    """Return the people in at least ``least`` frames, the largest on screen first.

    Tracklets that do not overlap in time are joined, the most alike first.
    """
    found = [Person([tracklet]) for tracklet in tracklets]
    while True:
        pairs = [
            (likeness(a, b), i, j)
            for i, a in enumerate(found)
            for j, b in enumerate(found[:i])
            if not a.places & b.places
        ]
        best, first, second = max(pairs, default=(0.0, 0, 0))
        if best < _MATCHING.correlation:
            break
        found[second].tracklets += found[first].tracklets
        del found[first]
    kept = [one for one in found if len(one.places) >= least and one.surety > 0.5]
    return sorted(kept, key=lambda one: one.area, reverse=True)


def likeness(a: Person, b: Person) -> float:
    """Return how similar two people look, -1..1; more if one appears where the other was lost."""
    return max(_likeness(one, other) for one in a.tracklets for other in b.tracklets)


def _likeness(a: Tracklet, b: Tracklet) -> float:
    alike = float((np.array(a.thumbnails) @ np.array(b.thumbnails).T).max())
    first, last = (a, b) if a.places[0] < b.places[0] else (b, a)
    gap = last.places[0] - first.places[-1]
    near = _overlap(first.landmarks[-1], last.landmarks[0]) > 0.2
    bonus = _MATCHING.place_bonus * float(np.exp(-gap / _MATCHING.place_frames))
    return alike + bonus if near else alike


def _box(points: "Array") -> "tuple[Array, Array]":
    return points[:, :2].min(0), points[:, :2].max(0)


def _area(points: "Array") -> float:
    low, high = _box(points)
    return float(np.prod(high - low))


def _overlap(a: "Array", b: "Array") -> float:
    """Return intersection over union of the boxes around two faces."""
    (low_a, high_a), (low_b, high_b) = _box(a), _box(b)
    common = np.minimum(high_a, high_b) - np.maximum(low_a, low_b)
    inner = float(np.prod(np.maximum(common, 0)))
    return inner / (_area(a) + _area(b) - inner)
