"""A likeness in the place of a faceset's performer, in face space: what examples are made of."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from lifemask.nodes.camera import Camera
from lifemask.nodes.faces.face_space import moved
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.faceset.provider import likeness_of, occlusion_of, subject_of
from lifemask.nodes.head.performed import performance_of
from lifemask.nodes.learning.data.examples import log_picture
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.warp import Window
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.adjust import adjusted
from lifemask.nodes.swap.passes import Meshes, render_passes
from lifemask.nodes.swap.pictures import FacePictures
from lifemask.nodes.swap.plan import FramePlan, ShotPlan
from lifemask.nodes.swap.planner import WholeShotPlanner

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PlannedSwap:
    """The swap of all faces of a ``double``, with the knobs of ``swap``."""

    double: FaceSet
    swap: Swap
    plan: ShotPlan
    pictures: FacePictures

    @classmethod
    def of(
        cls,
        likeness: FaceSet,
        double: FaceSet,
        swap: Swap,
        excluded: "NDArray[np.bool_] | None" = None,
    ) -> "PlannedSwap":
        """Plan it; ``excluded`` (doubles, likenesses): which pictures may not serve which face."""
        who, planner = likeness_of(likeness), WholeShotPlanner(swap.shutter_angle, excluded)
        subject = subject_of(double)
        played = performance_of(subject.posed, Camera.of(double.size, double.size), subject.source)
        plan = planner(played, subject, who)
        return cls(double, swap, plan, FacePictures(who, occlusion_of(double)))

    def in_face_space(self, index: int) -> tuple[FramePlan, Meshes, Window]:
        """The double's face ``index`` as face space sees it, instead of the plate."""
        frame = adjusted(self.plan.frames[index], self.swap)
        target, own = (
            moved(points[None], frame.matrix[None])[0]
            for points in (frame.landmarks, frame.subject)
        )
        zoom = float(np.linalg.norm(frame.matrix[0, :2]))
        seen = replace(
            frame,
            landmarks=target,
            subject=own,
            motion=frame.motion @ frame.matrix[:, :2].T,
            matrix=np.eye(2, 3, dtype=np.float32),
            reduction=frame.reduction / zoom,
        )
        return seen, Meshes.of(seen), Window(0, 0, self.plan.size, self.plan.size)

    def plate_picture(self, index: int) -> Tensor:
        """The plate in face space, (1, 3, S, S), log."""
        return log_picture(self.double.face(index)[..., :3])

    def passes(self, frame: FramePlan, meshes: Meshes, window: Window, plate: Tensor) -> FacePasses:
        """The passes of a face `in_face_space`, in a ``plate`` (1, 3, S, S), log."""
        return render_passes(self.plan, frame, self.pictures, meshes, window, plate, self.swap)

    def with_subject(self, albedo: Floats) -> "PlannedSwap":
        """The same with another ``albedo`` (3, 64, 64), log, of whom the plate shows."""
        return replace(self, plan=replace(self.plan, subject_albedo=albedo))
