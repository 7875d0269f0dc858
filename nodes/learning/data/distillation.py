"""Reminders: what the model makes of the shot as it is, so that a rehearsal does not undo it."""

from collections.abc import Iterator

import torch

from lifemask.nodes import progress
from lifemask.nodes.learning.data.examples import Example, Kind, even, picture, scene
from lifemask.nodes.refiner.crop import COVERED, FACE, RENDER, Crop, shown
from lifemask.nodes.refiner.face_passes import Stage
from lifemask.nodes.refiner.model import Finisher, moved_matte
from lifemask.nodes.swap import Role, Swap
from lifemask.nodes.swap.part import Part, planned


def reminders(role: Role, model: Finisher, size: int, most: int) -> Iterator[Example]:
    """Yield up to ``most`` frames of the swap itself, with the ``model``'s answer as the truth."""
    part = planned(Swap(), role)
    count = min(len(role.double), most)
    for index in progress.each(even(len(role.double), most), "remember", count):
        yield _one(part, index, model, size)


@torch.inference_mode()
def _one(part: Part, index: int, model: Finisher, size: int) -> Example:
    cue, meshes, window = scene(part, index)
    stage = Stage.of(part, cue, meshes, window, picture(part, index), Swap())
    seen = shown(stage, Crop.of_face_space(window.x1, size))
    answer = model.network(seen)
    render = seen[:, RENDER]
    matte = moved_matte(seen[:, FACE], answer.matte)
    planes = torch.cat([seen, render + answer.change, seen[:, COVERED], matte], 1)
    return Example.of(planes, Kind.REMEMBERED)
