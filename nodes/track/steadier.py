"""Steady landmarks without lag, by averaging those of neighbouring frames along optical flow.

Each landmark of the frames t-k..t+k is carried to t and averaged, with less weight where forward
and backward flow disagree, or where the carried point strays from the network's own.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from lifemask.nodes.faces.pyramid import Picture, crops, display, face_gains
from lifemask.nodes.render.flow import dense_flow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]


@dataclass(frozen=True)
class Steadying:
    """What flow is computed on, and how far a landmark that it carries is trusted."""

    side: int = 320
    """Pixels of the picture for the flow, at most."""

    margin: float = 1.25
    """Side of that picture, in sizes of the face."""

    round_trip: float = 0.012
    """Share of the face's size by which forward and backward flow may differ: it counts a third."""

    stray: float = 0.03
    """The same for how far it lies from the landmark that the network finds."""


_STEADYING = Steadying()


@dataclass(frozen=True)
class Motion:
    """A face's motion between two frames: flows (S, S, 2) in both directions, in the same square.

    ``origin`` (2,) and ``scale`` map picture pixels to those of the square.
    """

    forward: "Array"
    backward: "Array"
    origin: "Array"
    scale: float

    def carry(self, points: "Array", ahead: bool) -> "tuple[Array, Array]":
        """Return ``points`` (K, 2) a frame later, or earlier, and the round trip's error."""
        out, back = (self.forward, self.backward) if ahead else (self.backward, self.forward)
        moved = self._moved(points, out)
        missed = np.linalg.norm(self._moved(moved, back) - points, axis=1)
        return moved, missed.astype(np.float32)

    def _moved(self, points: "Array", flow: "Array") -> "Array":
        # OpenCV counts pixels from their centres, Lifemask from the corner.
        at = (points - self.origin) * self.scale - 0.5
        x, y = at.T.astype(np.float32)[:, None]
        step = cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(points + step[0] / self.scale, np.float32)


def motion(first: Picture, second: Picture, before: "Array", after: "Array") -> Motion:
    """Return the motion of the face whose landmarks (K, >=2) are ``before`` and ``after``."""
    points = np.concatenate([before[:, :2], after[:, :2]])
    low, high = points.min(0), points.max(0)
    side = float((high - low).max()) * _STEADYING.margin
    middle = (low + high) / 2
    size = int(np.clip(side, 128, _STEADYING.side))
    rect = torch.tensor([[*middle.tolist(), side, side, 0.0]])
    # Each frame has its own exposure, so that a flash is no motion.
    pair = [_grey(seen, rect, face_gains(seen, rect), size) for seen in (first, second)]
    return Motion(
        forward=dense_flow(pair[0], pair[1], fast=True),
        backward=dense_flow(pair[1], pair[0], fast=True),
        origin=np.asarray(middle - side / 2, np.float32),
        scale=size / side,
    )


def _grey(seen: Picture, rect: torch.Tensor, gain: torch.Tensor, size: int) -> "NDArray[np.uint8]":
    """Return the rectangle in 8 bits, as the flow needs it."""
    shown = display(crops(seen, rect, size), gain)[0].mean(0)
    return np.asarray((shown * 255).round().to(torch.uint8).numpy())


class Steadier:
    """Steadies the landmarks of one tracklet frame by frame, with a delay of ``radius`` frames.

    Holds 2 * radius + 1 frames at most.
    """

    def __init__(self, radius: int) -> None:
        self._radius = radius
        self._points: deque[Array] = deque()
        self._motions: deque[Motion] = deque()
        self._next = 0

    def push(self, points: "Array", since: Motion | None) -> "Iterator[Array]":
        """Add landmarks (K, 3) and the motion since the last frame; yield the frames now ready."""
        self._points.append(points)
        if since:
            self._motions.append(since)
        if len(self._points) > self._next + self._radius:
            yield self._steady()
            self._forget()

    def flush(self) -> "Iterator[Array]":
        """Yield the frames that are still held, at the end of the tracklet."""
        while self._next < len(self._points):
            yield self._steady()
            self._next += 1

    def _forget(self) -> None:
        if self._next < self._radius:
            self._next += 1
            return
        self._points.popleft()
        if self._motions:
            self._motions.popleft()

    def _steady(self) -> "Array":
        """Return the landmarks of frame ``_next``, averaged with its neighbours'."""
        here = self._next
        own = self._points[here]
        size = float(np.ptp(own[:, :2], axis=0).max())
        total, weights = own[:, :2].astype(np.float64), np.ones((len(own), 1))
        for other in range(
            max(0, here - self._radius), min(len(self._points), here + self._radius + 1)
        ):
            if other == here:
                continue
            carried, missed = self._carried(other, here)
            stray = np.linalg.norm(carried - own[:, :2], axis=1)
            apart = (missed / size / _STEADYING.round_trip) ** 2
            weight = np.exp(-apart - (stray / size / _STEADYING.stray) ** 2)
            total += weight[:, None] * carried
            weights += weight[:, None]
        result = own.copy()
        result[:, :2] = total / weights
        return result

    def _carried(self, start: int, end: int) -> "tuple[Array, Array]":
        """Return the landmarks of one frame carried to another, and the round trip's error."""
        points = self._points[start][:, :2]
        missed = np.zeros(len(points), np.float32)
        ahead = start < end
        for number in range(start, end) if ahead else range(start - 1, end - 1, -1):
            points, error = self._motions[number].carry(points, ahead)
            missed += error
        return points, missed
