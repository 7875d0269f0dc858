"""Fill the gaps of a track, in which a face is lost between two frames that show it well.

A hand that crosses hides most of a face for a second. The part that still shows gives its place;
the hidden part's expression fades to the usual one.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.faces.blendshapes import expression
from lifemask.nodes.faces.face_space import Placed, moved
from lifemask.nodes.faces.pose import rotations
from lifemask.nodes.faces.runs import split
from lifemask.nodes.faceset.cropping import cut_out
from lifemask.nodes.head.fit import fitted
from lifemask.nodes.render.acescct import light_to_log
from lifemask.nodes.render.atlas import atlas, openings
from lifemask.nodes.render.texture import on_texels, unwrap
from lifemask.nodes.render.texture_alignment import WIDTH, Stretch
from lifemask.nodes.types import LEAST_CONFIDENCE, FaceTrack
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SURE = 0.86  # confidence of a frame that can be the end of a gap
_LEAST_SEEN = 0.05  # of the face: less does not give its place
_FADES = 4.0  # frames after which a third of an expression is left
_EVERY = 6  # texels between two points
_ROOM = 0.5  # of the face's width, on each side of it


def bridged(plate: FrameSource, track: FaceTrack, most: int) -> FaceTrack:
    """Return the ``track`` with the face carried over gaps of at most ``most`` frames.

    A gap is a run of lost frames, with the unsure ones beside them. Its frames get a confidence
    below LEAST_CONFIDENCE; frames in which nothing of the face is found stay lost.
    """
    gaps = list(_gaps(track.confidence, most))
    if not gaps:
        return track
    # Of frames that are read in parallel, whichever came first would count as the right one.
    plate.size()
    sure = np.flatnonzero(track.confidence >= _SURE)
    placed = fitted(
        track.landmarks[sure],
        track.expression[sure],
        track.confidence[sure],
        split(np.diff(sure) > 1),
        np.full(len(sure), track.camera.known_focal, np.float32),
    ).placed
    landmarks, confidence = track.landmarks.copy(), track.confidence.copy()
    for first, last in progress.each(gaps, "bridge", len(gaps)):
        gap = Gap(plate, track, placed, {int(at): i for i, at in enumerate(sure)}, first, last)
        found, seen = gap.bridge()
        inner = slice(first + 1, last)
        known = seen >= _LEAST_SEEN
        landmarks[inner][known] = found[known]
        confidence[inner][known] = LEAST_CONFIDENCE * seen[known].clip(0, 0.99)
    return replace(
        track,
        landmarks=landmarks,
        confidence=confidence,
        rotation=rotations(landmarks),
        expression=expression(landmarks),
    )


def faded(table: torch.Tensor, rest: torch.Tensor, hidden: "NDArray[np.bool_]") -> torch.Tensor:
    """``table`` (T, C) faded to ``rest`` where a face is ``hidden`` (T,).

    It fades like the expression, from the nearest face that shows.
    """
    (place,), (seen,) = hidden.nonzero(), (~hidden).nonzero()
    if not len(place):
        return table
    if not len(seen):
        return rest
    apart = np.abs(place[:, None] - seen)
    fade = torch.from_numpy(np.exp(-apart.min(1) / _FADES)).to(table)
    at, nearest = (torch.from_numpy(i).to(table.device) for i in (place, seen[apart.argmin(1)]))
    result = table.clone()
    result[at] = torch.lerp(rest[at], table[nearest], fade[:, None])
    return result


def _gaps(confidence: "Floats", most: int) -> Iterator[tuple[int, int]]:
    """The indices of the sure frames before and after each gap."""
    sure = np.flatnonzero(confidence >= _SURE)
    for before, after in zip(sure[:-1].tolist(), sure[1:].tolist(), strict=True):
        if after - before - 1 <= most and (confidence[before + 1 : after] <= 0).any():
            yield before, after


@dataclass(frozen=True)
class Gap:
    """One gap of a track, between the indices ``first`` and ``last``.

    ``placed`` has the shapes and poses of the sure frames, ``at`` their place in it.
    """

    plate: FrameSource
    track: FaceTrack
    placed: Placed
    at: dict[int, int]
    first: int
    last: int

    @torch.inference_mode()
    def bridge(self) -> "tuple[Floats, Floats]":
        """Landmarks (T, 478, 3) in plate pixels, and the visible share (T,); without the ends."""
        matrix, size = self._square()
        shapes = self._shapes()
        pictures = torch.cat(list(self._pictures(matrix, size)))
        rotation = torch.from_numpy(self.placed.rotation[self.at[self.first]]).to(device())
        mesh = torch.from_numpy(atlas().mesh(shapes)).to(device())
        valid = self._valid(pictures, matrix)
        used = valid.amax(0) > 0
        points = on_texels(mesh, _EVERY).flatten(1, 2)[:, used]
        ends = torch.from_numpy(self._ends(matrix)).to(device())
        stretch = Stretch(pictures, points, valid[:, used], ends, rotation)
        poses, seen = stretch.aligned()
        landmarks = poses.put(torch.from_numpy(shapes).to(device())).cpu().numpy()
        back = np.array([[1, 0, -matrix[0, 2]], [0, 1, -matrix[1, 2]]]) / matrix[0, 0]
        many = np.repeat(back[None].astype(np.float32), len(landmarks), 0)
        return moved(landmarks, many)[1:-1], seen[1:-1].cpu().numpy()

    def _square(self) -> "tuple[Floats, int]":
        """The matrix (2, 3) from the plate to a square around the face, and its side."""
        points = self.track.landmarks[[self.first, self.last], :, :2]
        wide = np.ptp(points[..., 0], axis=1).mean()
        low, high = points.min((0, 1)) - _ROOM * wide, points.max((0, 1)) + _ROOM * wide
        scale = WIDTH / wide
        size = int(np.ceil((high - low).max() * scale))
        return np.array(
            [[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]], np.float32
        ), size

    def _pictures(self, matrix: "Floats", size: int) -> Iterator[torch.Tensor]:
        """The frames from ``first`` to ``last``, log, (1, 3, size, size) each."""
        frames = self.track.frames[self.first : self.last + 1].tolist()
        with closing(cut_out(self.plate, ((f, matrix) for f in frames), size)) as pictures:
            for linear in pictures:
                yield light_to_log(torch.from_numpy(linear).to(device()).permute(2, 0, 1)[None])

    def _shapes(self) -> "Floats":
        """Shapes (T, 478, 3): those of the ends, faded to the usual one."""
        usual = np.median(self.placed.shape, axis=0)
        step = np.arange(self.last - self.first + 1)[:, None, None]
        after, before = np.exp(-step / _FADES), np.exp(-step[::-1] / _FADES)
        start, end = (
            self.placed.shape[self.at[place]] - usual for place in (self.first, self.last)
        )
        return np.asarray(usual + after * start + before * end, np.float32)

    def _ends(self, matrix: "Floats") -> "Floats":
        """The numbers (4, 6) of `Stretch.ends`."""
        around = (
            self.first - 1 if self.first - 1 in self.at else self.first,
            self.first,
            self.last,
            self.last + 1 if self.last + 1 in self.at else self.last,
        )
        return np.stack([self._numbers(place, matrix) for place in around])

    def _numbers(self, place: int, matrix: "Floats") -> "Floats":
        import cv2

        index, base = self.at[place], self.placed.rotation[self.at[self.first]]
        turn = cv2.Rodrigues((self.placed.rotation[index] @ base.T).astype(np.float64))[0][:, 0]
        scale = np.log(self.placed.scale[index] * matrix[0, 0])
        centre = self.placed.centre[index, :2] * matrix[0, 0] + matrix[:, 2]
        return np.concatenate([turn, [scale], centre / WIDTH]).astype(np.float32)

    def _valid(self, pictures: torch.Tensor, matrix: "Floats") -> torch.Tensor:
        """How well the two ends see each point, (2, K); eyes and mouth move, so they count 0."""
        ends = self.track.landmarks[[self.first, self.last]]
        mesh = torch.from_numpy(atlas().mesh(moved(ends, np.stack([matrix, matrix]))))
        seen = unwrap(pictures[[0, -1]], mesh.to(pictures.device)).valid[:, 0, ::_EVERY, ::_EVERY]
        moving = torch.from_numpy(sum(openings().values())).to(seen)
        return (seen * (1 - moving[::_EVERY, ::_EVERY]).clamp(0, 1)).flatten(1)
