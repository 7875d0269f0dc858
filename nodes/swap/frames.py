"""The frames of a swap, one after the other: read ahead, rendered, and named as hosts read them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lifemask.nodes import progress
from lifemask.nodes.device import at_most
from lifemask.nodes.refiner.model import loaded
from lifemask.nodes.swap.header import Provenance
from lifemask.nodes.swap.pictures import FacePictures
from lifemask.nodes.swap.plan import ShotPlan
from lifemask.nodes.swap.render import MOST, Layers, Person, Refine, refining, render_frame
from lifemask.ocio.colour.transform import convert, is_scene_linear, result_space
from lifemask.ocio.media.frame import Frame, LayeredFrame
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.swap import Role, Swap
    from lifemask.nodes.types import Model
    from lifemask.ocio.media.source import FrameSource

    Floats = NDArray[np.float32]

_AT_ONCE = 3  # frames, each on its share of the cores: many threads for one frame mostly wait


def threads_a_frame() -> int:
    """Return how many threads compute one frame."""
    return max(1, (os.cpu_count() or 1) // _AT_ONCE)


class Swapping:
    """One run of the `Swap` node."""

    def __init__(
        self,
        swap: "Swap",
        plate: "FrameSource",
        cast: "Sequence[Role]",
        plans: Sequence[ShotPlan],
        model: "Model | None" = None,
    ) -> None:
        """``plans`` are those of the ``cast``; without a ``model`` the render stays as it is."""
        self.swap, self.plate, self.cast = swap, plate, cast
        self.model = None if model is None else loaded(model.path)
        self.refine: Refine = refining(self.model, swap.refine_strength)
        self.people = [
            Person(role.track.person, plan, FacePictures(role.likeness, role.occlusion))
            for role, plan in zip(cast, plans, strict=True)
        ]
        self.linear = is_scene_linear(plate.colorspace)
        self.space = result_space(plate.colorspace)
        digest = self.model.digest if self.model else ""
        self.provenance = Provenance.of(cast, digest, self.space)

    def frames(self) -> Iterator[LayeredFrame]:
        """Yield the result, in order, reading ahead."""
        numbers = self.plate.frames
        with (
            at_most(threads_a_frame()),
            self.plate.open() as reader,
            closing(parallel_map(reader.read, numbers, reader.ahead)) as plates,
            closing(parallel_map(self.result, plates, _AT_ONCE)) as results,
        ):
            for result, broken in results:
                # Noted here: notes from threads reach nobody.
                if broken:
                    self._note_broken(result.number, broken)
                yield result

    def _note_broken(self, frame: int, broken: int) -> None:
        """Note how many pixels around the faces of a ``frame`` are not finite."""
        progress.note(
            "swap",
            f"{self.plate.name}, frame {frame}: {broken} "
            f"{'pixel' if broken == 1 else 'pixels'} around a face not finite, replaced where the "
            "face is put and left elsewhere",
        )

    def result(self, frame: Frame) -> tuple[LayeredFrame, int]:
        """Return the swap of a plate frame, and how many pixels around faces are not finite."""
        plate = frame.rgb if self.linear else convert(frame.rgb, self.plate.colorspace, self.space)
        number, space = frame.number, self.space
        layers = render_frame(self.people, number, plate, space, self.refine, self.swap)
        channels = _channels(layers, frame, self.linear)
        header = self.provenance.header(frame.header, frame.identity, layers.faces)
        return LayeredFrame(number, channels, header), int(layers.broken.sum())


def _half(plane: "Floats") -> "NDArray[np.float16]":
    """A plane of ours as half float; what is too bright for it stays finite."""
    half: NDArray[np.float16] = torch.from_numpy(plane).clamp(-MOST, MOST).half().numpy()
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
