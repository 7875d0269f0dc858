"""Reminders: what the model makes of the shot as it is, so that a rehearsal does not undo it."""

from collections.abc import Iterator

import torch

from lifemask.nodes import progress
from lifemask.nodes.learning.data.examples import Example, Kind, even, picture, scene
from lifemask.nodes.refiner.crop import COVERED, FACE, RENDER, Crop, shown
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.refiner.model import RefinerModel, moved_matte
from lifemask.nodes.swap import Role, Swap
from lifemask.nodes.swap.plan import ShotPlan, planned


def reminders(role: Role, model: RefinerModel, size: int, most: int) -> Iterator[Example]:
    """Yield up to ``most`` frames of the swap itself, with the ``model``'s answer as the truth."""
    plan = planned(Swap(), role)
    count = min(len(role.double), most)
    for index in progress.each(even(len(role.double), most), "remember", count):
        yield _one(plan, index, model, size)


@torch.inference_mode()
def _one(plan: ShotPlan, index: int, model: RefinerModel, size: int) -> Example:
    frame_plan, meshes, window = scene(plan, index)
    passes = FacePasses.of(plan, frame_plan, meshes, window, picture(plan, index), Swap())
    seen = shown(passes, Crop.of_face_space(window.x1, size))
    prediction = model.predict(seen)
    render = seen[:, RENDER]
    matte = moved_matte(seen[:, FACE], prediction.matte)
    planes = torch.cat([seen, render + prediction.residual, seen[:, COVERED], matte], 1)
    return Example.of(planes, Kind.REMEMBERED)
