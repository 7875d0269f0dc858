"""Reminders: what the model makes of the shot as it is, so that a rehearsal does not undo it."""

from collections.abc import Iterator

import torch

from lifemask.nodes import progress
from lifemask.nodes.faceset.provider import FacesetRole
from lifemask.nodes.learning.data.examples import Example, Kind, even
from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.refiner.crop import COVERED, FACE, RENDER, Crop, shown
from lifemask.nodes.refiner.model import RefinerModel, moved_matte
from lifemask.nodes.swap import Swap


def reminders(role: FacesetRole, model: RefinerModel, size: int, most: int) -> Iterator[Example]:
    """Yield up to ``most`` frames of the swap itself, with the ``model``'s answer as the truth."""
    planned = PlannedSwap.of(role.likeness, role.double, Swap())
    count = min(len(role.double), most)
    for index in progress.each(even(len(role.double), most), "remember", count):
        yield _one(planned, index, model, size)


@torch.inference_mode()
def _one(planned: PlannedSwap, index: int, model: RefinerModel, size: int) -> Example:
    frame, meshes, window = planned.scene(index)
    passes = planned.passes(frame, meshes, window, planned.picture(index))
    seen = shown(passes, Crop.of_face_space(window.x1, size))
    prediction = model.predict(seen)
    render = seen[:, RENDER]
    matte = moved_matte(seen[:, FACE], prediction.matte)
    planes = torch.cat([seen, render + prediction.residual, seen[:, COVERED], matte], 1)
    return Example.of(planes, Kind.REMEMBERED)
