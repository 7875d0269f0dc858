"""The hands of a plate, from pictures that arrive in order; holds no picture."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from lifemask.nodes.camera import Camera
from lifemask.nodes.faces.photographs import apart
from lifemask.nodes.faces.pyramid import Picture, Tensor
from lifemask.nodes.hands.hand_follower import HandFollower, Scene
from lifemask.nodes.hands.hand_tracklets import HandTracklet, hand_tracks

if TYPE_CHECKING:
    from lifemask.nodes.types import HandTrack

_REMEMBERED = 24
"""Frames in which hands are looked for where a face was lost: a hand may be why it was."""

_FACE = 1.5  # side of a face's rectangle in widths of the face


class HandTracker:
    """Follows the hands of a plate."""

    def __init__(self) -> None:
        self._follower = HandFollower()
        self._tracklets: dict[int, HandTracklet] = {}
        self._faces: dict[int, tuple[int, Tensor]] = {}
        self._place = 0
        self._factor = 1

    def take(self, chunk: list[Picture], faces: Sequence[Mapping[int, Tensor]]) -> None:
        """Follow the hands through some pictures; ``faces`` are each one's rectangles by number."""
        scenes = [
            Scene(seen, self._near(rects, self._place + number))
            for number, (seen, rects) in enumerate(zip(chunk, faces, strict=True))
        ]
        for seen, frame in zip(chunk, self._follower.chunk(scenes), strict=True):
            for number, hand in frame.items():
                self._tracklets.setdefault(number, HandTracklet()).add(self._place, hand)
            self._factor = seen.factor
            self._place += 1

    def tracks(self, frames: tuple[int, ...], camera: Camera) -> "list[HandTrack]":
        """Return the hands of the ``frames`` that the ``camera`` took, the one seen most first."""
        return hand_tracks(list(self._tracklets.values()), frames, camera, self._factor)

    def _near(self, rects: Mapping[int, Tensor], place: int) -> Tensor:
        """Return squares (N, 5) of the width of the faces that are, or lately were, in a frame."""
        self._faces |= {number: (place, rect) for number, rect in rects.items()}
        self._faces = {n: f for n, f in self._faces.items() if place - f[0] <= _REMEMBERED}
        now = [rect for at, rect in self._faces.values() if at == place]
        lost = [rect for at, rect in self._faces.values() if at != place]
        squares = _rows(now)
        squares = torch.cat([squares, _rows(lost)[apart(_rows(lost), squares)]])
        squares[:, 2:4] /= _FACE
        squares[:, 4] = 0
        return squares


def _rows(rects: list[Tensor]) -> Tensor:
    return torch.stack(rects) if rects else torch.zeros(0, 5)
