"""Self-distillation: the model's own output on the shot, so that cycle pairs do not undo it."""

from collections.abc import Iterator

import torch

from lifemask.nodes import progress
from lifemask.nodes.learning.data.examples import Batch, Kind, evenly_spaced
from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.refiner.crop import COVERED, FACE, RENDER, Crop, shown
from lifemask.nodes.refiner.model import RefinerModel, moved_matte
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.roles import FacesetRole


def distilled(role: FacesetRole, model: RefinerModel, size: int, most: int) -> Iterator[Batch]:
    """Yield up to ``most`` frames of the swap itself, with the ``model``'s output as the truth."""
    planned = PlannedSwap.of(role.likeness, role.double, Swap())
    count = min(len(role.double), most)
    for index in progress.each(evenly_spaced(len(role.double), most), "self-distillation", count):
        yield _one(planned, index, model, size)


@torch.inference_mode()
def _one(planned: PlannedSwap, index: int, model: RefinerModel, size: int) -> Batch:
    frame, meshes, window = planned.in_face_space(index)
    passes = planned.passes(frame, meshes, window, planned.plate_picture(index))
    seen = shown(passes, Crop.of_face_space(window.x1, size))
    prediction = model.predict(seen)
    render = seen[:, RENDER]
    matte = moved_matte(seen[:, FACE], prediction.matte)
    planes = torch.cat([seen, render + prediction.residual, seen[:, COVERED], matte], 1)
    return Batch.of(planes, Kind.DISTILLED)
