"""Join tracklets to hands by their place, once the whole plate has been followed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from lifemask.nodes.camera import Camera
from lifemask.nodes.faces.runs import split
from lifemask.nodes.faces.temporal_filter import smoothed
from lifemask.nodes.hands.hand_follower import HandSighting
from lifemask.nodes.hands.skeleton import COUNT
from lifemask.nodes.types import HandTrack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_LEAST_FRAMES, _SURE = 3, 0.75  # of a tracklet: what is less is no hand
_NEAR, _GAP = 1.5, 48  # lengths of a hand, and frames, between two tracklets of one hand
_SIGMA = 0.7  # frames of the Gaussian that smooths: less than the network's own noise lasts


@dataclass
class HandTracklet:
    """One hand followed without a break: what each frame shows, by the frame's index."""

    places: list[int] = field(default_factory=list)
    rows: "list[Array]" = field(default_factory=list)

    def add(self, place: int, hand: HandSighting) -> None:
        """Add a frame."""
        parts = [hand.points.flatten(), hand.world.flatten(), hand.presence[None], hand.right[None]]
        self.places.append(place)
        self.rows.append(torch.cat(parts).numpy())

    @property
    def sure(self) -> bool:
        """Whether it is a hand, and no part of a picture that looked like one for a moment."""
        return float(np.mean([row[-2] for row in self.rows])) >= _SURE

    def ends(self) -> "tuple[Array, Array]":
        """Return its first and last landmarks (21, 3)."""
        first, last = (self.rows[number][: 3 * COUNT].reshape(COUNT, 3) for number in (0, -1))
        return first, last


def hand_tracks(
    tracklets: list[HandTracklet], frames: tuple[int, ...], camera: Camera, factor: int
) -> list[HandTrack]:
    """Return the hands of a plate that the ``camera`` took, the one seen most first.

    ``factor`` times a place in a tracklet is the place in the plate.
    """
    least = min(_LEAST_FRAMES, len(frames))
    hands = [_table(hand, len(frames)) for hand in _joined([t for t in tracklets if t.sure])]
    seen = [(int(np.isfinite(table[:, 0]).sum()), table) for table in hands]
    kept = sorted((pair for pair in seen if pair[0] >= least), key=lambda pair: -pair[0])
    return [
        _track(f"hand_{number}", table, frames, camera, factor)
        for number, (_, table) in enumerate(kept, 1)
    ]


def _joined(tracklets: list[HandTracklet]) -> list[list[HandTracklet]]:
    """Return the tracklets of each hand: one that begins where a hand was lost is the same."""
    hands: list[list[HandTracklet]] = []
    for new in sorted(tracklets, key=lambda tracklet: tracklet.places[0]):
        apart = [(_apart(hand[-1], new), number) for number, hand in enumerate(hands)]
        nearest, number = min(apart, default=(np.inf, 0))
        if nearest < _NEAR:
            hands[number].append(new)
        else:
            hands.append([new])
    return hands


def _apart(first: HandTracklet, second: HandTracklet) -> float:
    """Return how far one tracklet begins from where another ended, in lengths of the hand.

    Infinite where they cannot be one hand.
    """
    gap = second.places[0] - first.places[-1]
    if not 0 < gap <= _GAP:
        return np.inf
    last, begin = first.ends()[1][:, :2], second.ends()[0][:, :2]
    length = max(np.ptp(last, axis=0).max(), np.ptp(begin, axis=0).max())
    return float(np.linalg.norm(last.mean(0) - begin.mean(0)) / length)


def _table(hand: list[HandTracklet], count: int) -> "Array":
    """Return what each of ``count`` frames shows of a hand, smoothed; NaN where it is lost."""
    table = np.full((count, 6 * COUNT + 2), np.nan, np.float32)
    for tracklet in hand:
        table[tracklet.places] = tracklet.rows
    places = np.flatnonzero(np.isfinite(table[:, 0]))
    for run in split(np.diff(places) > 1):
        rows = places[run]
        points = torch.from_numpy(table[rows, : 6 * COUNT])
        table[rows, : 6 * COUNT] = smoothed(points, _SIGMA, trend=True).numpy()
    return table


def _track(
    name: str, table: "Array", frames: tuple[int, ...], camera: Camera, factor: int
) -> HandTrack:
    landmarks, world = table[:, : 6 * COUNT].reshape(-1, 2, COUNT, 3).swapaxes(0, 1)
    presence, right = np.nan_to_num(table[:, -2]), table[:, -1]
    return HandTrack(
        hand=name,
        camera=camera,
        frames=np.array(frames, np.int64),
        landmarks=landmarks * np.float32(factor),
        world=world,
        presence=presence,
        handedness=right,
    )
