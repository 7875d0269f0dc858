"""Follow faces from frame to frame; one followed without a break is a tracklet.

`people` joins the tracklets of one person.
"""

from dataclasses import dataclass

import torch

from lifemask.nodes.faces.chunk_follower import ChunkFollower
from lifemask.nodes.faces.detector import overlap_ratios
from lifemask.nodes.faces.landmarker import Landed, boxes_of, landmarks, rects_of
from lifemask.nodes.faces.photographs import LEAST_PRESENCE, apart, detected
from lifemask.nodes.faces.pyramid import Picture, Tensor, crops, display, face_gains

CHUNK = 8
"""Frames between two runs of the detector, and pictures in memory at a time."""

THUMB = 32
# A face less like its usual thumbnail, and less like its last, than this is somebody else's.
_OTHER = 0.4
_LEARN = 0.05


@dataclass(frozen=True)
class Sighting:
    """One face in one frame: its tracklet, rectangle (5,), and its present and usual thumbnail."""

    tracklet: int
    rect: Tensor
    thumbnail: Tensor
    usual: Tensor


Sightings = dict[int, Sighting]
"""The sightings of one frame by tracklet."""


class Follower(ChunkFollower[Picture, Sighting]):
    """Follows every face."""

    interval, patience = CHUNK, 12

    def __init__(self, small_faces: bool = True) -> None:
        super().__init__()
        self._small_faces = small_faces

    def advance(self, seen: Picture, known: Sightings) -> Sightings:
        """Return the ``known`` faces of a neighbouring frame as they are here; some may be lost."""
        return _advanced(seen, list(known.values())) if known else {}

    def detect(self, seen: Picture, known: Sightings, first: int) -> Sightings:
        """Return the detected faces, numbered from ``first``."""
        rects = detected(seen, self._small_faces, _rects(known, seen))
        pairs = zip(rects, thumbnails(seen, rects), strict=True)
        return {
            number: Sighting(number, rect, own, own)
            for number, (rect, own) in enumerate(pairs, first)
        }

    def apart(self, seen: Picture, found: Sightings, known: Sightings) -> Sightings:
        """Return those of the ``found`` faces that overlap none of the ``known``."""
        free = apart(_rects(found, seen), _rects(known, seen)).tolist()
        return {number: face for (number, face), ok in zip(found.items(), free, strict=True) if ok}


def _advanced(seen: Picture, old: list[Sighting]) -> Sightings:
    """Return the faces ``old`` of a neighbouring frame as they are in this one."""
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
