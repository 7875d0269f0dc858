"""The worker's files in the node group: the frames that are there, and the plate for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .input_render import spans
from .tree import MADE, READ, connect

if TYPE_CHECKING:
    from bpy.types import ActionChannelbagFCurves, Image, NodeTree

    from ..common.results import Pattern

    Keys = dict[int, tuple[float, str]]  # by frame, the value and how it goes on from there
    Runs = list[tuple[int, int]]  # first and last of frames without a gap

_START = -100_000
"""Before any frame: an Image node counts from its first frame, and holds it before."""


def show(
    tree: NodeTree, pattern: Pattern, frames: list[int], space: str, anew: bool = True
) -> None:
    """Let the group read these ``frames`` of a result; all others are the plate.

    ``space`` is Blender's name for what the files hold; ``anew`` forgets what was read of them
    before. Keys say which frames are made; they are part of the scene, which therefore renders
    without the extension, too.
    """
    read, made = tree.nodes[READ], tree.nodes[MADE]
    read.image = _image(read.image, pattern.file(frames[0]), space, anew) if frames else None
    read.frame_start, read.frame_duration = _START, 10**6
    made.outputs[0].default_value = 0.0
    connect(tree)
    runs = spans(frames)
    _key(tree, f'nodes["{READ}"].frame_offset', _offsets(runs), "LINEAR")
    _key(tree, f'nodes["{MADE}"].outputs[0].default_value', _made(runs), "CONSTANT")
    tree.update_tag()


def _image(image: Image | None, path: str, space: str, anew: bool) -> Image:
    """Return the sequence. Whatever is set, Blender reads the file again, so only what differs."""
    if image is None:
        image, anew = bpy.data.images.load(path), False
    for owner, name, value in (
        (image, "filepath", path),
        (image, "source", "SEQUENCE"),
        (image.colorspace_settings, "name", space),
        (image, "alpha_mode", "PREMUL"),
    ):
        if getattr(owner, name) != value:
            setattr(owner, name, value)
    if anew:
        image.reload()
    return image


def _made(runs: Runs) -> Keys:
    """Return the keys of a value that is 1 in the runs and 0 elsewhere."""
    keys: Keys = {runs[0][0] - 1: (0.0, "CONSTANT")} if runs else {}
    for first, last in runs:
        keys.update({first: (1.0, "CONSTANT"), last + 1: (0.0, "CONSTANT")})
    return keys


def _offsets(runs: Runs) -> Keys:
    """Return the keys of the offset from a frame to the file that is read for it.

    Where none is made that is the file of a frame beside, which is not seen: Blender 5 makes no
    picture at all of a frame whose file is missing.
    """
    if not runs:
        return {}
    first, last = runs[0][0], runs[-1][1]
    keys: Keys = {first - 2: (2.0, "LINEAR"), first - 1: (1.0, "CONSTANT")}
    ends = [following - 1 for following, _ in runs[1:]] + [last + 1]
    for (begin, end), gap_end in zip(runs, ends):
        keys[begin] = (0.0, "CONSTANT")
        keys[end] = (0.0, "LINEAR")
        keys[gap_end] = (float(end - gap_end), "CONSTANT")
    return {frame: (_START - 1 + shift, how) for frame, (shift, how) in keys.items()}


def _key(tree: NodeTree, path: str, keys: Keys, extrapolation: str) -> None:
    """Let ``path`` of the tree follow ``keys``, and nothing else."""
    curves = _curves(tree)
    old = curves.find(path)
    if old:
        curves.remove(old)
    if not keys:
        return
    curve = curves.new(path)
    curve.extrapolation = extrapolation
    for frame, (value, how) in sorted(keys.items()):
        curve.keyframe_points.insert(frame, value).interpolation = how
    curve.update()


def _curves(tree: NodeTree) -> ActionChannelbagFCurves:
    """Return the curves by which the tree is animated; from Blender 4.4 they lie in a slot."""
    data = tree.animation_data_create()
    if data.action is None:
        data.action = bpy.data.actions.new(tree.name)
        data.action_slot = data.action.slots.new(tree.id_type, tree.name)
        data.action.layers.new("Made").strips.new(type="KEYFRAME")
    elif data.action.users > 1:  # the tree, or what it was copied from, has keys of its own
        slot = data.action_slot.identifier
        data.action = data.action.copy()
        data.action_slot = data.action.slots[slot]
    strip = data.action.layers[0].strips[0]
    return strip.channelbag(data.action_slot, ensure=True).fcurves
