"""One frame of a swap: render the faces, find what is in front of them, composite."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.confidence import from_doubt
from lifemask.nodes.device import device
from lifemask.nodes.refiner.crop import Crop, sides, worthwhile
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.refiner.model import Refined, RefinerModel, bare
from lifemask.nodes.render.acescct import light_to_log
from lifemask.nodes.render.monochrome import Monochrome, grey
from lifemask.nodes.render.warp import Window
from lifemask.nodes.swap.adjust import adjusted
from lifemask.nodes.swap.header import PlacedFace
from lifemask.nodes.swap.passes import Meshes, render_passes
from lifemask.nodes.swap.pictures import FacePictures
from lifemask.nodes.swap.plan import FramePlan, ShotPlan
from lifemask.ocio.colour.transform import WORKING, convert, finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.swap import Swap

    Floats = NDArray[np.float32]

MOST = 65504  # what half floats hold

Refine = Callable[[FacePasses, ShotPlan, FramePlan, Window], Refined]
"""Makes the face for the plate from the passes of a planned frame."""


@dataclass(frozen=True, eq=False)
class Person:
    """A person in the plate: the plan of their face, and the reader of its pictures."""

    name: str
    plan: ShotPlan
    pictures: FacePictures


@dataclass
class Layers:
    """The result's planes (H, W, C), float32, in the result's colour space, while they are made."""

    comp: "Floats"
    generated: "Floats"
    raw: "Floats"
    alpha: "Floats"
    face: "Floats"
    occlusion: "Floats"
    confidence: "Floats"
    stmap: "Floats"
    broken: "NDArray[np.bool_]"  # (H, W): what around a face was not finite
    faces: list[PlacedFace] = field(default_factory=list)

    @classmethod
    def of(cls, plate: "Floats") -> "Layers":
        """Layers in which nobody is swapped."""
        height, width = plate.shape[:2]
        generated, raw, stmap = (np.zeros((height, width, 3), np.float32) for _ in range(3))
        mattes = (np.zeros((height, width, 1), np.float32) for _ in range(4))
        alpha, face, occlusion, confidence = mattes
        broken = np.zeros((height, width), bool)
        return cls(plate.copy(), generated, raw, alpha, face, occlusion, confidence, stmap, broken)


def refining(model: RefinerModel | None, share: float) -> Refine:
    """Return a function that applies a ``share`` of a model's changes; without one, the render."""
    if model is None:
        return lambda passes, plan, frame, window: bare(passes)

    def refine(passes: FacePasses, plan: ShotPlan, frame: FramePlan, window: Window) -> Refined:
        crops = [
            Crop.of(frame.matrix, plan.size, window, size)
            for size in sides(plan.detail, model.size)
        ]
        return model(passes, worthwhile(crops), share)

    return refine


@torch.inference_mode()
def render_frame(
    people: Sequence[Person], number: int, plate: "Floats", space: str, refine: Refine, swap: "Swap"
) -> Layers:
    """Return the swap of the frame ``number``: the same arguments give the same pixels.

    ``plate`` (H, W, 3) is scene-linear, in the colour space ``space``.
    """
    layers = Layers.of(plate)
    for person in people:
        planned = person.plan.at(number)
        if planned is not None:
            _put(layers, person, adjusted(planned, swap), space, refine, swap)
    return layers


def _put(
    layers: Layers, person: Person, frame: FramePlan, space: str, refine: Refine, swap: "Swap"
) -> None:
    """Put one face into the layers."""
    height, width = layers.comp.shape[:2]
    meshes = Meshes.of(frame)
    window = Window.around([meshes.target, meshes.own], width, height)
    if window is None:
        return
    at = window.slices
    layers.broken[at] |= ~np.isfinite(layers.comp[at]).all(-1)
    # Every filter would spread a NaN.
    plate = _tensor(finite(convert(layers.comp[at], space, WORKING)) + frame.pedestal)
    seen = light_to_log(plate)
    passes = render_passes(person.plan, frame, person.pictures, meshes, window, seen, swap)
    done = refine(passes, person.plan, frame, window)
    raw, alpha, comp = done.over(plate, passes, swap.blend_width)
    confidence = done.face * from_doubt(done.doubt) * frame.confidence
    made = _array(raw) - frame.pedestal, _array(comp) - frame.pedestal
    mattes = alpha, done.face, passes.occlusion, confidence, passes.view.covered
    _store(layers, at, space, *made, mattes)
    layers.faces.append(PlacedFace(person.name, frame.matrix, frame.confidence < 1))
    _st_map(layers.stmap, frame.matrix, person.plan.size)


def _store(
    layers: Layers,
    at: tuple[slice, slice],
    space: str,
    raw: "Floats",
    comp: "Floats",
    mattes: tuple[Tensor, ...],
) -> None:
    """Store the pictures ``raw`` and ``comp`` (h, w, 3) and the mattes of one face."""
    alpha, face, occlusion, confidence, covered = (_array(m)[..., :1] for m in mattes)
    # What the stored matte, a half float, calls outside must not be touched.
    touched = alpha[..., 0].astype(np.float16) > 0
    result, made = (convert(picture, WORKING, space) for picture in (comp, raw))
    plate = finite(layers.comp[at])
    tone = Monochrome.of(plate, (face * (1 - occlusion))[..., 0])
    if tone:
        result = tone.toned(result, np.maximum(alpha, grey(plate)))
        made = tone.toned(made, np.ones_like(alpha))
    made = np.where(covered > 0, made, plate)
    layers.comp[at][touched] = np.clip(result[touched], -MOST, MOST)
    layers.raw[at] = made
    layers.generated[at] = made * alpha + layers.generated[at] * (1 - alpha)
    layers.alpha[at] = np.maximum(layers.alpha[at], alpha)
    layers.face[at] = np.maximum(layers.face[at], face)
    layers.occlusion[at] = np.maximum(layers.occlusion[at], occlusion)
    layers.confidence[at] = np.maximum(layers.confidence[at], confidence)


def _tensor(picture: "Floats") -> Tensor:
    return torch.from_numpy(picture).to(device()).permute(2, 0, 1)[None]


def _array(picture: Tensor) -> "Floats":
    return np.ascontiguousarray(picture[0].permute(1, 2, 0).cpu().numpy())


def _st_map(stmap: "Floats", matrix: "Floats", size: int) -> None:
    """Where each pixel of the plate lies in face space: 0..1 from its lower left; A is 1 inside."""
    (left, top), (right, bottom) = _bounds(matrix, size, stmap.shape[1], stmap.shape[0])
    x, y = (np.arange(*span, dtype=np.float32) + 0.5 for span in ((left, right), (top, bottom)))
    u = (matrix[0, 0] * x[None] + matrix[0, 1] * y[:, None] + matrix[0, 2]) / size
    v = 1 - (matrix[1, 0] * x[None] + matrix[1, 1] * y[:, None] + matrix[1, 2]) / size
    inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    stmap[top:bottom, left:right][inside] = np.stack([u, v, np.ones_like(u)], -1)[inside]


def _bounds(matrix: "Floats", size: int, width: int, height: int) -> "NDArray[np.int64]":
    """Left and top, right and bottom of face space in the plate, with a pixel to spare."""
    offsets = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - matrix[:, 2]
    corners = np.linalg.solve(matrix[:, :2], offsets.T)
    ends = np.stack([np.floor(corners.min(1)) - 1, np.ceil(corners.max(1)) + 1])
    return ends.clip(0, [width, height]).astype(np.int64)
