"""Follow things from frame to frame, a chunk of frames at a time.

Each is searched where it was in the previous frame. The detector runs at intervals, on the last
frame of a chunk, and while one is missing; what it finds is followed back through the chunk, so
nothing appears late.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

import torch

F = TypeVar("F")
S = TypeVar("S")


class ChunkFollower(ABC, Generic[F, S]):
    """Follows all things, each a sighting ``S`` in every frame ``F``; keeps no frame of a chunk."""

    interval: ClassVar[int]
    """Frames of a chunk between two runs of the detector."""

    patience: ClassVar[int]
    """Frames after a loss in which the detector runs on every frame."""

    def __init__(self) -> None:
        self._active: dict[int, S] = {}
        self._count = 0
        self._missed = 0
        self._started = False

    @abstractmethod
    def advance(self, seen: F, known: dict[int, S]) -> dict[int, S]:
        """Return what is ``known`` of a neighbouring frame as it is here; some may be lost."""

    @abstractmethod
    def detect(self, seen: F, known: dict[int, S], first: int) -> dict[int, S]:
        """Return what is detected, numbered from ``first``; it may lie on what is ``known``."""

    @abstractmethod
    def apart(self, seen: F, found: dict[int, S], known: dict[int, S]) -> dict[int, S]:
        """Return those of the ``found`` that lie on none of the ``known``."""

    @torch.inference_mode()
    def chunk(self, chunk: list[F]) -> list[dict[int, S]]:
        """Return the sightings of each frame; the next chunk goes on where this one ends."""
        frames: list[dict[int, S]] = []
        for number, seen in enumerate(chunk):
            before = set(self._active)
            self._active = self.advance(seen, self._active)
            self._missed = self.patience if before - set(self._active) else self._missed - 1
            frames.append(dict(self._active))
            due = number == len(chunk) - 1 or (number + 1) % self.interval == 0
            if due or self._missed > 0 or not self._started:
                self._find(chunk[: number + 1], frames)
            self._started = True
        return frames

    def _find(self, chunk: list[F], frames: list[dict[int, S]]) -> None:
        """Detect in the last frame of ``chunk``; add what is new to it and to those before it."""
        born = self._newborn(chunk[-1], frames[-1])
        self._active |= born
        for seen, frame in zip(reversed(chunk), reversed(frames), strict=True):
            if frame is not frames[-1]:
                born = self.apart(seen, self.advance(seen, born), frame)
            frame |= born
            if not born:
                return

    def _newborn(self, seen: F, known: dict[int, S]) -> dict[int, S]:
        """Return what is detected and not followed yet."""
        found = self.detect(seen, known, self._count)
        self._count += len(found)
        return self.apart(seen, found, known)
