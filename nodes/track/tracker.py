"""The tracklets of a plate, in bounded memory for a plate of any length."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import torch

from lifemask.nodes.faces.landmarker import landmarks
from lifemask.nodes.faces.photographs import confidence
from lifemask.nodes.faces.pyramid import Picture, picture, reduced, reduction
from lifemask.nodes.hands.hand_tracker import HandTracker
from lifemask.nodes.track.follower import CHUNK, Follower, Sightings
from lifemask.nodes.track.people import Tracklet
from lifemask.nodes.track.steadier import Steadier, motion
from lifemask.ocio.colour.transform import LINEAR_SRGB, convert, is_scene_linear
from lifemask.ocio.media.source import FrameSource
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def pictures(plate: FrameSource) -> Iterator[Picture]:
    """Yield the plate's frames as the networks need them, read ahead."""
    linear = is_scene_linear(plate.colorspace)
    with plate.open() as reader:

        def load(number: int) -> "tuple[NDArray[np.float32], int]":
            pixels = reader.read(number).rgb
            factor = reduction(*pixels.shape[:2])
            # Averaging is only right in linear light, and cheaper before the conversion.
            if linear:
                return convert(reduced(pixels, factor), plate.colorspace, LINEAR_SRGB), factor
            return reduced(convert(pixels, plate.colorspace, LINEAR_SRGB), factor), factor

        with closing(parallel_map(load, plate.frames, reader.ahead)) as loaded:
            for pixels, factor in loaded:
                yield picture(pixels, factor)


class Tracker:
    """Makes tracklets from pictures that arrive in order."""

    def __init__(
        self, samples: int, radius: int, small_faces: bool, hands: HandTracker | None = None
    ) -> None:
        self._samples, self._radius, self._hands = samples, radius, hands
        self._follower = Follower(small_faces)
        self._tracklets: dict[int, Tracklet] = {}
        self._steadiers: dict[int, Steadier] = {}
        self._last: dict[int, NDArray[np.float32]] = {}
        self._before: Picture | None = None
        self._place = 0

    def track(self, pictures: Iterable[Picture]) -> list[Tracklet]:
        """Return all tracklets, landmarks in plate pixels; ``hands`` follows the hands along."""
        chunk: list[Picture] = []
        for seen in pictures:
            chunk.append(seen)
            if len(chunk) == CHUNK:
                self._take(chunk)
                chunk = []
        self._take(chunk)
        for number in list(self._steadiers):
            self._end(number)
        return list(self._tracklets.values())

    def _take(self, chunk: list[Picture]) -> None:
        frames = self._follower.chunk(chunk)
        if self._hands:
            rects = [{number: face.rect for number, face in frame.items()} for frame in frames]
            self._hands.take(chunk, rects)
        for seen, frame in zip(chunk, frames, strict=True):
            for number in set(self._last) - set(frame):
                self._end(number)
            if frame:
                self._refine(seen, frame)
            self._before = seen
            self._place += 1

    @torch.inference_mode()
    def _refine(self, seen: Picture, frame: Sightings) -> None:
        """Find the landmarks of every face in a frame, averaged over many crops around it."""
        rects = torch.stack([face.rect for face in frame.values()])
        landed = landmarks(seen, rects, self._samples)
        sure = confidence(landed.presence, landed.spread).tolist()
        points = landed.points.numpy()
        for face, own, trust in zip(frame.values(), points, sure, strict=True):
            tracklet = self._tracklets.setdefault(face.tracklet, Tracklet())
            tracklet.add(self._place, trust, face.thumbnail.numpy())
            self._steady(seen, face.tracklet, own)

    def _steady(self, seen: Picture, number: int, points: "NDArray[np.float32]") -> None:
        since = None
        last = self._last.get(number)
        if last is not None and self._before is not None and self._radius:
            since = motion(self._before, seen, last, points)
        steadier = self._steadiers.setdefault(number, Steadier(self._radius))
        for steady in steadier.push(points, since):
            self._tracklets[number].landmarks.append(steady * seen.factor)
        self._last[number] = points

    def _end(self, number: int) -> None:
        factor = self._before.factor if self._before else 1
        for steady in self._steadiers.pop(number).flush():
            self._tracklets[number].landmarks.append(steady * factor)
        del self._last[number]
