"""The work behind `Swap`, frame by frame: render, find what is in front, composite, name layers."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.confidence import from_doubt
from lifemask.nodes.device import at_most, device
from lifemask.nodes.refiner.crop import Crop, sides, worthwhile
from lifemask.nodes.refiner.face_passes import FacePasses, Meshes
from lifemask.nodes.refiner.model import Refined, RefinerModel, bare
from lifemask.nodes.render.acescct import light_to_log
from lifemask.nodes.render.monochrome import Monochrome, grey
from lifemask.nodes.render.warp import Window
from lifemask.nodes.swap.header import PlacedFace, Provenance
from lifemask.nodes.swap.plan import FramePlan, ShotPlan, planned
from lifemask.ocio.colour.transform import WORKING, convert, finite, is_scene_linear, result_space
from lifemask.ocio.media.frame import Frame, LayeredFrame
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.swap import Role, Swap
    from lifemask.nodes.types import Model
    from lifemask.ocio.media.source import FrameSource

    Floats = NDArray[np.float32]

_AT_ONCE = 3  # frames, each on its share of the cores: many threads for one frame mostly wait
_MOST = 65504  # what half floats hold


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


class Swapping:
    """One run of the `Swap` node."""

    def __init__(
        self, swap: "Swap", plate: "FrameSource", cast: "list[Role]", model: "Model | None" = None
    ) -> None:
        """Without a ``model`` the render stays as it is."""
        self.swap, self.plate, self.cast = swap, plate, cast
        self.refiner = None if model is None else RefinerModel.load(model.path)
        self.linear = is_scene_linear(plate.colorspace)
        self.space = result_space(plate.colorspace)
        digest = self.refiner.digest if self.refiner else ""
        self.provenance = Provenance.of(cast, digest, self.space)

    def frames(self) -> Iterator[LayeredFrame]:
        """Yield the result, in order, reading ahead."""
        numbers = self.plate.frames
        plans = [planned(self.swap, role) for role in self.cast]
        with (
            at_most(max(1, (os.cpu_count() or 1) // _AT_ONCE)),
            self.plate.open() as reader,
            closing(parallel_map(reader.read, numbers, reader.ahead)) as plates,
            closing(parallel_map(partial(self._swapped, plans), plates, _AT_ONCE)) as results,
        ):
            for result, broken in results:
                # Told from here: nobody listens to the threads.
                if broken:
                    self._tell(result.number, broken)
                yield result

    def _tell(self, frame: int, broken: int) -> None:
        """Tell how many pixels around the faces of a ``frame`` hold no number."""
        progress.note(
            "swap",
            f"{self.plate.name}, frame {frame}: {broken} "
            f"{'pixel' if broken == 1 else 'pixels'} around a face not finite, replaced where the "
            "face is put and left elsewhere",
        )

    @torch.inference_mode()
    def _swapped(self, plans: list[ShotPlan], frame: Frame) -> tuple[LayeredFrame, int]:
        """Return the result, and how many pixels around faces are not finite."""
        plate = frame.rgb if self.linear else convert(frame.rgb, self.plate.colorspace, self.space)
        layers = Layers.of(plate)
        for plan in plans:
            frame_plan = plan.at(frame.number)
            if frame_plan is not None:
                self._put(layers, plan, frame_plan)
        channels = _channels(layers, frame, self.linear)
        header = self.provenance.header(frame.header, frame.identity, layers.faces)
        return LayeredFrame(frame.number, channels, header), int(layers.broken.sum())

    def _put(self, layers: Layers, plan: ShotPlan, frame_plan: FramePlan) -> None:
        """Put one face into the layers."""
        height, width = layers.comp.shape[:2]
        meshes = Meshes.of(frame_plan)
        window = Window.around([meshes.target, meshes.own], width, height)
        if window is None:
            return
        at = window.slices
        layers.broken[at] |= ~np.isfinite(layers.comp[at]).all(-1)
        # Every filter would spread a NaN.
        plate = _tensor(finite(convert(layers.comp[at], self.space, WORKING)) + frame_plan.pedestal)
        seen = light_to_log(plate)
        passes = FacePasses.of(plan, frame_plan, meshes, window, seen, self.swap)
        done = self._finished(passes, plan, frame_plan, window)
        raw, alpha, comp = done.over(plate, passes, self.swap.edge)
        surety = plan.surety(frame_plan)
        confidence = done.face * from_doubt(done.doubt) * surety
        face, occlusion = done.face, passes.occlusion
        made = _array(raw) - frame_plan.pedestal, _array(comp) - frame_plan.pedestal
        mattes = alpha, face, occlusion, confidence, passes.view.covered
        self._store(layers, at, *made, mattes)
        layers.faces.append(PlacedFace(plan.role.track.person, frame_plan.matrix, surety < 1))
        _st_map(layers.stmap, frame_plan.matrix, plan.role.double.size)

    def _finished(
        self, passes: FacePasses, plan: ShotPlan, frame_plan: FramePlan, window: Window
    ) -> Refined:
        """What is put into the plate: the model's picture, or the bare render."""
        if self.refiner is None:
            return bare(passes)
        double = plan.role.double
        crops = [
            Crop.of(frame_plan.matrix, double.size, window, size)
            for size in sides(double, self.refiner.size)
        ]
        return self.refiner(passes, worthwhile(crops), self.swap.refine)

    def _store(
        self,
        layers: Layers,
        at: tuple[slice, slice],
        raw: "Floats",
        comp: "Floats",
        mattes: tuple[Tensor, ...],
    ) -> None:
        alpha, face, occlusion, confidence, covered = (_array(m)[..., :1] for m in mattes)
        # What the stored matte, a half float, calls outside must not be touched.
        touched = alpha[..., 0].astype(np.float16) > 0
        result, made = (convert(picture, WORKING, self.space) for picture in (comp, raw))
        plate = finite(layers.comp[at])
        tone = Monochrome.of(plate, (face * (1 - occlusion))[..., 0])
        if tone:
            result = tone.toned(result, np.maximum(alpha, grey(plate)))
            made = tone.toned(made, np.ones_like(alpha))
        made = np.where(covered > 0, made, plate)
        layers.comp[at][touched] = np.clip(result[touched], -_MOST, _MOST)
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
    (left, top), (right, bottom) = _reach(matrix, size, stmap.shape[1], stmap.shape[0])
    x, y = (np.arange(*span, dtype=np.float32) + 0.5 for span in ((left, right), (top, bottom)))
    u = (matrix[0, 0] * x[None] + matrix[0, 1] * y[:, None] + matrix[0, 2]) / size
    v = 1 - (matrix[1, 0] * x[None] + matrix[1, 1] * y[:, None] + matrix[1, 2]) / size
    inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    stmap[top:bottom, left:right][inside] = np.stack([u, v, np.ones_like(u)], -1)[inside]


def _reach(matrix: "Floats", size: int, width: int, height: int) -> "NDArray[np.int64]":
    """Left and top, right and bottom of face space in the plate, with a pixel to spare."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - matrix[:, 2]
    there = np.linalg.solve(matrix[:, :2], corners.T)
    ends = np.stack([np.floor(there.min(1)) - 1, np.ceil(there.max(1)) + 1])
    return ends.clip(0, [width, height]).astype(np.int64)


def _half(plane: "Floats") -> "NDArray[np.float16]":
    """A plane of ours as half float; what is too bright for it stays finite."""
    half: NDArray[np.float16] = torch.from_numpy(plane).clamp(-_MOST, _MOST).half().numpy()
    return half


def _channels(layers: Layers, frame: Frame, kept: bool) -> "dict[str, NDArray[Any]]":
    """The planes by the names and in the types that hosts read rightly."""
    height, width = layers.comp.shape[:2]
    alpha = np.ones((height, width), np.float32) if frame.alpha is None else frame.alpha
    # What is the plate's own stays exact: rounding it to half would touch every pixel.
    colour = np.float32 if kept and not frame.half else np.float16
    types = [colour] * 3 + [colour if frame.alpha is None or frame.half else np.float32]
    half = {
        "raw": ("RGB", layers.raw),
        "swap": ("RGBA", np.concatenate([layers.generated, layers.alpha], -1)),
    }
    comp = zip("RGBA", [*np.moveaxis(layers.comp, -1, 0), alpha], types, strict=True)
    named = {name: plane.astype(kind) for name, plane, kind in comp}
    for layer, (letters, planes) in half.items():
        for i, letter in enumerate(letters):
            named[f"{layer}.{letter}"] = _half(planes[..., i])
    for name, plane in (
        ("facematte", layers.face),
        ("occlusion", layers.occlusion),
        ("confidence", layers.confidence),
    ):
        named[f"{name}.V"] = _half(plane[..., 0])
    for i, letter in enumerate("UVA"):
        named[f"stmap.{letter}"] = layers.stmap[..., i]
    return named
