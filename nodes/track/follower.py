"""Follow faces from frame to frame, a chunk of frames at a time.

Each face is searched where it was in the previous frame. The detector runs on the last frame of a
chunk, and while a face is missing; a face that it finds is followed back through the chunk, so
nobody appears late. A face followed without a break is a tracklet; `people` joins those of one
person.
"""

from dataclasses import dataclass

import torch

from lifemask.nodes.faces.detector import overlap_ratios
from lifemask.nodes.faces.landmarker import Landed, boxes_of, landmarks, rects_of
from lifemask.nodes.faces.photographs import LEAST_PRESENCE, apart, detected
from lifemask.nodes.faces.pyramid import Picture, Tensor, crops, display, face_gains

THUMB = 32
# A face less like its usual thumbnail, and less like its last, than this is somebody else's.
_OTHER = 0.4
_LEARN = 0.05
_PATIENCE = 12
"""Frames after a loss in which the detector runs on every frame."""


@dataclass(frozen=True)
class Sighting:
    """One face in one frame: its tracklet, rectangle (5,), and its present and usual thumbnail."""

    tracklet: int
    rect: Tensor
    thumbnail: Tensor
    usual: Tensor


Sightings = dict[int, Sighting]
"""The sightings of one frame by tracklet."""


class Follower:
    """Follows every face; keeps no picture between chunks."""

    def __init__(self, small_faces: bool = True) -> None:
        self._small_faces = small_faces
        self._active: Sightings = {}
        self._count = 0
        self._missed = 0
        self._started = False

    @torch.inference_mode()
    def chunk(self, pictures: list[Picture]) -> list[Sightings]:
        """Return the sightings of each picture; the next chunk goes on where this one ends."""
        frames: list[Sightings] = []
        for number, seen in enumerate(pictures):
            before = set(self._active)
            self._active = advance(seen, self._active)
            self._missed = _PATIENCE if before - set(self._active) else self._missed - 1
            frames.append(dict(self._active))
            if number == len(pictures) - 1 or self._missed > 0 or not self._started:
                self._detect(pictures[: number + 1], frames)
            self._started = True
        return frames

    def _detect(self, pictures: list[Picture], frames: list[Sightings]) -> None:
        """Detect in the last of ``pictures``; add new faces to it and to the frames before it."""
        born = self._newborn(pictures[-1], frames[-1])
        self._active |= born
        for seen, frame in zip(reversed(pictures), reversed(frames), strict=True):
            if frame is not frames[-1]:
                born = _apart(advance(seen, born), frame, seen)
            frame |= born
            if not born:
                return

    def _newborn(self, seen: Picture, known: Sightings) -> Sightings:
        """Return the detected faces that are not followed yet."""
        rects = detected(seen, self._small_faces, _rects(known, seen))
        found = {
            self._count + number: Sighting(self._count + number, rect, own, own)
            for number, (rect, own) in enumerate(zip(rects, thumbnails(seen, rects), strict=True))
        }
        self._count += len(found)
        return _apart(found, known, seen)


def advance(seen: Picture, faces: Sightings) -> Sightings:
    """Return the ``faces`` of a neighbouring frame as they are in this one; some may be lost."""
    if not faces:
        return {}
    old = list(faces.values())
    landed = landmarks(seen, torch.stack([face.rect for face in old]))
    rects = rects_of(landed.points)
    now = thumbnails(seen, rects)
    usual = torch.stack([face.usual for face in old])
    alike = (now * usual).sum(1)
    steady = (now * torch.stack([face.thumbnail for face in old])).sum(1)
    learnt = torch.nn.functional.normalize(usual * (1 - _LEARN) + now * _LEARN, dim=1)
    kept = _kept(landed, alike, steady).tolist()
    return {
        face.tracklet: Sighting(face.tracklet, rect, thumbnail, mean)
        for face, rect, thumbnail, mean, keep in zip(old, rects, now, learnt, kept, strict=True)
        if keep
    }


def _kept(landed: Landed, alike: Tensor, steady: Tensor) -> Tensor:
    """Return which faces are still there; of two in one place, the less similar is dropped."""
    union, _ = overlap_ratios(*[boxes_of(landed.points)] * 2)
    rival = (union > 0.6) & (alike[:, None] < alike[None])
    same = torch.maximum(alike, steady) > _OTHER
    return (landed.presence >= LEAST_PRESENCE) & same & ~rival.any(1)


def _apart(faces: Sightings, known: Sightings, seen: Picture) -> Sightings:
    """Return those of ``faces`` that overlap none of the ``known``."""
    free = apart(_rects(faces, seen), _rects(known, seen)).tolist()
    return {number: face for (number, face), ok in zip(faces.items(), free, strict=True) if ok}


def _rects(faces: Sightings, seen: Picture) -> Tensor:
    """Return the rectangles (N, 5)."""
    none = seen.levels[0].new_zeros(0, 5)
    return torch.cat([none, *(face.rect[None] for face in faces.values())])


def thumbnails(seen: Picture, rects: Tensor) -> Tensor:
    """Return the aligned thumbnails of faces as unit vectors (N, D)."""
    if not len(rects):
        return rects.new_zeros(0, 4 * THUMB**2)
    tight = rects.clone()
    tight[:, 2:4] *= 1.1 / 1.5
    shown = display(crops(seen, tight, THUMB), face_gains(seen, rects))
    # Luminance is added to the colours: shape identifies better than complexion.
    flat = torch.cat([shown, shown.mean(1, keepdim=True)], 1).flatten(1)
    return torch.nn.functional.normalize(flat - flat.mean(1, keepdim=True), dim=1)
