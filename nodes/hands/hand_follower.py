"""Follow hands from frame to frame by their landmarks; one followed without a break is a tracklet.

They are detected by their palms, and beside that where hands lie on faces: there the palm is often
hidden, or outside of the picture.
"""

from dataclasses import dataclass

import torch

from lifemask.nodes.faces.chunk_follower import ChunkFollower
from lifemask.nodes.faces.pyramid import Picture, Tensor
from lifemask.nodes.hands.hand_landmarker import LandedHands, hand_landmarks, hand_rects
from lifemask.nodes.hands.palm_detector import palms

_PLACES = ((-0.3, 0.5, 1.6, 0.4), (0.3, 0.5, 1.6, -0.4))
"""Where hands lie on faces: the middle from the face's and the side, in its widths; the angle."""

_LEAST, _BORN = 0.5, 0.8  # presence of a hand that is followed, and of one that is new
_SAME = 0.25  # of the rectangle's side: how far apart the middles of one hand may lie
_AROUND = 1.35  # the size of the second rectangle in which a hand is looked for
_RIVAL = 0.15  # the same for the landmarks, on average


@dataclass(frozen=True)
class Scene:
    """A frame, and the upright squares (N, 5) of the width of its faces."""

    seen: Picture
    faces: Tensor


@dataclass(frozen=True)
class HandSighting:
    """One hand in one frame: where to look for it in the next, and its row of LandedHands."""

    rect: Tensor
    points: Tensor
    presence: Tensor
    right: Tensor
    world: Tensor


HandSightings = dict[int, HandSighting]
"""The hands of one frame by tracklet."""


class HandFollower(ChunkFollower[Scene, HandSighting]):
    """Follows every hand."""

    interval, patience = 4, 4

    def __init__(self) -> None:
        super().__init__()
        self._turn = -1

    def advance(self, seen: Scene, known: HandSightings) -> HandSightings:
        """Return the ``known`` hands of a neighbouring frame as they are here."""
        if not known:
            return {}
        return _sightings(_followed(seen.seen, _rects(known)), list(known), _LEAST)

    def detect(self, seen: Scene, known: HandSightings, first: int) -> HandSightings:
        """Return the hands that palms or places on faces show, numbered from ``first``."""
        rects = self._searched(seen, bool(known))
        rects = rects[_distance(rects, _rects(known)).amin(1) > _SAME] if known else rects
        if not len(rects):
            return {}
        # A rectangle from landmarks frames the hand better than the one that found it.
        landed = hand_landmarks(seen.seen, rects)
        rects = hand_rects(landed.points)[landed.presence >= _LEAST]
        if not len(rects):
            return {}
        numbers = list(range(first, first + len(rects)))
        return _sightings(hand_landmarks(seen.seen, rects), numbers, _BORN)

    def _searched(self, seen: Scene, known: bool) -> Tensor:
        """Return the rectangles (N, 5) that may frame hands: palms and places in turn, for speed.

        Half as often where a hand is ``known`` already.
        """
        self._turn = (self._turn + 1) % (4 if known else 2)
        if self._turn == 0:
            return palms(seen.seen, seen.faces)
        return _on_faces(seen.faces) if self._turn == 1 else seen.faces[:0]

    def apart(self, seen: Scene, found: HandSightings, known: HandSightings) -> HandSightings:
        """Return those of the ``found`` hands that are none of the ``known``."""
        if not found or not known:
            return found
        free = (_distance(_rects(found), _rects(known)).amin(1) > _SAME).tolist()
        return {number: hand for (number, hand), ok in zip(found.items(), free, strict=True) if ok}


def _followed(seen: Picture, rects: Tensor) -> LandedHands:
    """Return the hands in ``rects``, or a little around them where there are none."""
    landed = hand_landmarks(seen, rects)
    lost = landed.presence < _LEAST
    if not lost.any():
        return landed
    around = rects[lost]
    around[:, 2:4] *= _AROUND
    again = hand_landmarks(seen, around)
    for own, other in zip(vars(landed).values(), vars(again).values(), strict=True):
        own[lost] = other
    return landed


def _on_faces(faces: Tensor) -> Tensor:
    """Return the rectangles (N, 5) where hands lie on the faces."""
    dx, dy, size, angle = faces.new_tensor(_PLACES).T[:, None]
    x, y, width = faces[:, :3, None].unbind(1)
    side, turn = size * width, angle.expand(len(faces), -1)
    parts = [x + dx * width, y + dy * width, side, side, turn]
    return torch.stack(parts, -1).flatten(0, 1)


def _sightings(landed: LandedHands, numbers: list[int], least: float) -> HandSightings:
    """Return the hands that are there; of two in one place the surer one."""
    rects = hand_rects(landed.points)
    apart = (landed.points[:, None, :, :2] - landed.points[None, :, :, :2]).norm(dim=-1).mean(-1)
    rival = (apart < _RIVAL * rects[:, 2]) & _surer(landed.presence)
    kept = (landed.presence >= least) & ~rival.any(1)
    rows = zip(rects, landed.points, landed.presence, landed.right, landed.world, strict=True)
    pairs = zip(numbers, rows, kept.tolist(), strict=True)
    return {number: HandSighting(*row) for number, row, keep in pairs if keep}


def _surer(presence: Tensor) -> Tensor:
    """Return (N, N): whether the second hand is surer; of two alike the first one is."""
    order = torch.arange(len(presence))
    same = (presence[:, None] == presence[None]) & (order[:, None] > order[None])
    return (presence[:, None] < presence[None]) | same


def _distance(rects: Tensor, others: Tensor) -> Tensor:
    """Return how far apart the middles are (N, M), in sides of the smaller rectangle."""
    apart = (rects[:, None, :2] - others[None, :, :2]).norm(dim=-1)
    smaller = torch.minimum(rects[:, None, 2], others[None, :, 2])
    ratio: Tensor = apart / smaller
    return ratio


def _rects(hands: HandSightings) -> Tensor:
    return torch.stack([hand.rect for hand in hands.values()])
