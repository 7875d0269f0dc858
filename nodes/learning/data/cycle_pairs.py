"""Rehearsal: examples out of a shot's own facesets, whose right swap is a frame that was filmed.

Who is in the frame is swapped for the other one, as well as is known so far; to swap that back is
the exercise, and the frame is what it must give. The other pictures of the same performer are what
it is made of, so nothing can be copied. One half is learned under the plate's light with the
double's face, the other with the likeness's face under the light of the takes. As in a swap, the
light that is known has the `relief` of whoever is in the frame, not of who is to be there.
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
from lifemask.nodes.faceset.provider import FacesetRole, performance_of
from lifemask.nodes.learning.data.examples import Example, even, learnable
from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.refiner.face_passes import FacePasses, Meshes
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.refiner.shading_residual import relief
from lifemask.nodes.render.acescct import to_linear, to_log
from lifemask.nodes.render.filters import shrink
from lifemask.nodes.render.source_bank import FACE
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.plan import FramePlan
from lifemask.ocio.system.parallel import parallel_map

Bools = NDArray[np.bool_]

_NEAR = 8
"""Frames around one that may not serve it: they are all but the same picture."""

_LEAST = 3  # pictures that must be left to choose from


@dataclass(frozen=True)
class Rehearsal:
    """One performer (`own`) whose frames are played by the `other` and swapped back.

    ``sound`` says by faceset which pictures can be used.
    """

    own: FaceSet
    other: FaceSet
    model: RefinerModel
    sound: Mapping[Path, Bools]

    def examples(self, size: int, most: int) -> Iterator[Example]:
        """Yield an example of each of up to ``most`` frames, in crops of ``size`` pixels."""
        holes = np.tile(~self.sound[self.other.folder], (len(self.own), 1))
        there = PlannedSwap.of(self.other, self.own, Swap(), holes)
        back = PlannedSwap.of(self.own, self.own, Swap(), self.barred())
        chosen = [i for i in even(len(self.own), most) if self._fair(there, back, i)]
        for index in progress.each(chosen, f"rehearse {self.own.performer}", len(chosen)):
            yield self._one(there, back, index, size)

    def _fair(self, there: PlannedSwap, back: PlannedSwap, index: int) -> bool:
        """Whether a frame and all that serves it are sound, and it does not serve itself."""
        sound, others = self.sound[self.own.folder], self.sound[self.other.folder]
        served, own = (sorted(one.plan.frames[index].used) for one in (there, back))
        whole = sound[[index, *own]].all() and others[served].all()
        return bool(whole) and index not in own

    @torch.inference_mode()
    def _one(self, there: PlannedSwap, back: PlannedSwap, index: int, size: int) -> Example:
        filmed = there.picture(index)
        frame, meshes, window = there.scene(index)
        passes = there.passes(frame, meshes, window, filmed)
        crop = Crop.of_face_space(window.x1, size)
        other = self._relief(index, frame)
        bare = passes.face * (1 - passes.occlusion)
        played = self._played(passes, filmed, crop) + passes.view.of(other) * bare
        complexion = there.plan.albedo + frame.tone[:, None, None]
        frame, same, _ = back.scene(index)
        lit = replace(frame, light=frame.light + other[0].cpu().numpy())
        both = Meshes(same.likeness, meshes.likeness)
        again = back.with_subject(complexion).passes(lit, both, window, played)
        trust = shrink(passes.face, max(1, round(0.02 * passes.width))) * (1 - passes.occlusion)
        return learnable(again, crop, filmed, trust, again.face)

    def _relief(self, index: int, frame: FramePlan) -> Tensor:
        """By how much the other one's relief differs from that of frame ``index``, (1, 3, 64, 64).

        The light of a plate that somebody else is in has theirs.
        """
        served = max(frame.pictures[FACE], key=frame.pictures[FACE].__getitem__)
        own, seen = relief(self.own, [index])
        other, also = relief(self.other, [served])
        return (other - own) * torch.minimum(seen, also)

    def _played(self, passes: FacePasses, filmed: Tensor, crop: Crop) -> Tensor:
        """The frame with the other one in it, log."""
        swap = Swap()
        finished = self.model(passes, [crop], swap.refine_strength)
        _, _, played = finished.over(to_linear(filmed), passes, swap.blend_width)
        return to_log(played)

    def barred(self) -> Bools:
        """What may not serve each frame: those around it, of a short take the nearer half.

        Its whole take when enough others are left.
        """
        take, frame = self.own.faces.take, self.own.faces.frame
        sound = self.sound[self.own.folder]
        same = take[:, None] == take[None]
        apart = np.abs(frame[:, None] - frame[None])
        farthest = np.where(same & sound, apart, 0).max(1, keepdims=True)
        near = same & (apart <= np.minimum(_NEAR, farthest / 2))
        enough = (~same & sound).sum(1, keepdims=True) >= _LEAST
        return np.asarray(np.where(enough, same, near) | ~sound, bool)


def rehearsals(cast: list[FacesetRole], model: RefinerModel) -> list[Rehearsal]:
    """Every likeness as double and every double as likeness, with everybody they meet."""
    facesets = {
        faceset.folder: faceset for role in cast for faceset in (role.likeness, role.double)
    }
    sound = {folder: _sound(faceset) for folder, faceset in facesets.items()}
    return [
        Rehearsal(own, other, model, sound)
        for role in cast
        for own, other in ((role.double, role.likeness), (role.likeness, role.double))
    ]


def _sound(faceset: FaceSet) -> Bools:
    """Which pictures (N,) show the face and hold numbers only; tells of those that hold others."""
    with closing(parallel_map(faceset.face, range(len(faceset)))) as faces:
        sound = np.array([np.isfinite(face).all() for face in faces])
    broken = [f"face.{index + 1:04d}.exr" for index in np.flatnonzero(~sound)]
    if broken:
        names = ", ".join(broken)
        progress.note("train", f"{faceset.folder}: {len(broken)} not finite, left out: {names}")
    return np.asarray(sound & ~performance_of(faceset).hidden, bool)
