"""Cycle pairs: examples from a shot's own facesets, whose truth is a frame that was filmed.

The performer in a frame is swapped for the other one by the model so far, and the example is to
swap that back; the frame is the truth. It is rendered from other pictures of the same performer, so
nothing can be copied. Half of the examples are the double's face in the plate's light, the other
half the likeness's face in the light of the takes. As in a swap, the known light has the
`shading_residual` of whoever is in the frame.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.faceset.provider import posed_faces_of
from lifemask.nodes.learning.data.examples import Batch, aligned_example, evenly_spaced
from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.refiner.shading_residual import shading_residual
from lifemask.nodes.render.acescct import to_linear, to_log
from lifemask.nodes.render.filters import erode
from lifemask.nodes.render.source_bank import FACE
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.passes import Meshes
from lifemask.nodes.swap.plan import FramePlan
from lifemask.nodes.swap.roles import FacesetRole
from lifemask.ocio.system.parallel import parallel_map

Bools = NDArray[np.bool_]

_NEAR = 8
"""Frames on either side that may not serve a frame: they are nearly the same picture."""

_MIN_SOURCES = 3  # pictures of other takes from which on its own take is left out


@dataclass(frozen=True)
class CyclePairs:
    """Frames of a performer (``own``) that are swapped for the ``other`` and back.

    ``usable`` says by faceset folder which pictures can be used.
    """

    own: FaceSet
    other: FaceSet
    model: RefinerModel
    usable: Mapping[Path, Bools]

    def examples(self, size: int, most: int) -> Iterator[Batch]:
        """Yield an example of each of up to ``most`` frames, in crops of ``size`` pixels."""
        holes = np.tile(~self.usable[self.other.folder], (len(self.own), 1))
        forward = PlannedSwap.of(self.other, self.own, Swap(), holes)
        backward = PlannedSwap.of(self.own, self.own, Swap(), self.excluded())
        chosen = [
            i for i in evenly_spaced(len(self.own), most) if self._usable(forward, backward, i)
        ]
        for index in progress.each(chosen, f"cycle pairs of {self.own.performer}", len(chosen)):
            yield self._one(forward, backward, index, size)

    def _usable(self, forward: PlannedSwap, backward: PlannedSwap, index: int) -> bool:
        """Whether a frame and all its sources can be used, and it is none of its own sources."""
        usable, others = self.usable[self.own.folder], self.usable[self.other.folder]
        other, own = (sorted(one.plan.frames[index].used) for one in (forward, backward))
        whole = usable[[index, *own]].all() and others[other].all()
        return bool(whole) and index not in own

    @torch.inference_mode()
    def _one(self, forward: PlannedSwap, backward: PlannedSwap, index: int, size: int) -> Batch:
        filmed = forward.plate_picture(index)
        frame, meshes, window = forward.in_face_space(index)
        passes = forward.passes(frame, meshes, window, filmed)
        crop = Crop.of_face_space(window.x1, size)
        other = self._residual(index, frame)
        bare = passes.face * (1 - passes.occlusion)
        swapped = self._swapped(passes, filmed, crop) + passes.view.of(other) * bare
        complexion = forward.plan.albedo + frame.tone[:, None, None]
        frame, same, _ = backward.in_face_space(index)
        lit = replace(frame, light=frame.light + other[0].cpu().numpy())
        both = Meshes(same.likeness, meshes.likeness)
        again = backward.with_subject(complexion).passes(lit, both, window, swapped)
        trust = erode(passes.face, max(1, round(0.02 * passes.width))) * (1 - passes.occlusion)
        return aligned_example(again, crop, filmed, trust, again.face)

    def _residual(self, index: int, frame: FramePlan) -> Tensor:
        """The other one's shading residual less that of frame ``index``, (1, 3, 64, 64), log."""
        source = max(frame.pictures[FACE], key=frame.pictures[FACE].__getitem__)
        own, seen = shading_residual(self.own, [index])
        other, also = shading_residual(self.other, [source])
        return (other - own) * torch.minimum(seen, also)

    def _swapped(self, passes: FacePasses, filmed: Tensor, crop: Crop) -> Tensor:
        """The frame with the other performer's face, log."""
        swap = Swap()
        refined = self.model(passes, [crop], swap.refine_strength)
        _, _, swapped = refined.over(to_linear(filmed), passes, swap.blend_width)
        return to_log(swapped)

    def excluded(self) -> Bools:
        """Return which pictures may not serve which frame.

        Its whole take where enough others are left; else the frames around it, of a short take the
        nearer half.
        """
        take, frame = self.own.faces.take, self.own.faces.frame
        usable = self.usable[self.own.folder]
        same = take[:, None] == take[None]
        apart = np.abs(frame[:, None] - frame[None])
        farthest = np.where(same & usable, apart, 0).max(1, keepdims=True)
        near = same & (apart <= np.minimum(_NEAR, farthest / 2))
        enough = (~same & usable).sum(1, keepdims=True) >= _MIN_SOURCES
        return np.asarray(np.where(enough, same, near) | ~usable, bool)


def cycle_pairs(cast: list[FacesetRole], model: RefinerModel) -> list[CyclePairs]:
    """Return those of every likeness and every double of the ``cast``."""
    facesets = {
        faceset.folder: faceset for role in cast for faceset in (role.likeness, role.double)
    }
    usable = {folder: _usable(faceset) for folder, faceset in facesets.items()}
    return [
        CyclePairs(own, other, model, usable)
        for role in cast
        for own, other in ((role.double, role.likeness), (role.likeness, role.double))
    ]


def _usable(faceset: FaceSet) -> Bools:
    """Which pictures (N,) show the face and are finite; reports those that are not."""
    with closing(parallel_map(faceset.face, range(len(faceset)))) as faces:
        finite = np.array([np.isfinite(face).all() for face in faces])
    broken = [f"face.{index + 1:04d}.exr" for index in np.flatnonzero(~finite)]
    if broken:
        names = ", ".join(broken)
        progress.note("train", f"{faceset.folder}: {len(broken)} not finite, skipped: {names}")
    return np.asarray(finite & ~posed_faces_of(faceset).hidden, bool)
