"""Examples to learn from: faces whose right swap is known."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.errors import FaceError
from lifemask.nodes.learning.data import alignment
from lifemask.nodes.memory import enough_memory, fits_card
from lifemask.nodes.refiner.crop import (
    CANDIDATES,
    CHANNELS,
    COVERED,
    FACE,
    NORMAL,
    RENDER,
    Crop,
    shown,
)
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.render import flow
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import Floats

PLANES = CHANNELS + 3 + 1 + 1
"""Of one example: what is shown, the truth, its weight, the matte."""

_TURN, _ZOOM, _SHIFT = 0.1, 0.06, 0.04  # standard deviations: radians, log, half the side
_BEND = 0.03  # standard deviation, half the side: how far a face may be bent
_PLACES = 16  # across a face where a window of it may be
_KNOTS = 5  # across a crop: between them what is uneven varies smoothly
_EXPOSURE = 0.01  # log: a fifth of a stop, by which textures and plate may disagree


class Kind(IntEnum):
    """Where the right swap is from.

    It was filmed, and whoever plays themselves fits better than somebody else will; it was
    rendered, and with nothing before the face, as in a film there may be; or it is remembered:
    what a model made of it. Only of a render the error is that of a swap.
    """

    FILMED = 0
    RENDERED = 1
    REMEMBERED = 2


@dataclass(frozen=True)
class Example:
    """What the refiner is shown and what it should make of it, planes (N, C, H, W).

    ``shown`` is `crop.shown`; ``truth`` (3) is log; ``weight`` (1) is where the truth counts, and
    ``matte`` (1) the face matte that is right. ``kind`` (N,) holds a `Kind` of each.
    """

    shown: Tensor
    truth: Tensor
    weight: Tensor
    matte: Tensor
    kind: Tensor

    @classmethod
    def of(cls, planes: Tensor, kind: Tensor | Kind = Kind.FILMED) -> "Example":
        """Those of (N, PLANES, H, W), all of one ``kind`` or each of its own."""
        kinds = torch.as_tensor(kind, device=planes.device).expand(len(planes))
        shown, truth, weight, matte = planes.split([CHANNELS, 3, 1, 1], 1)
        return cls(shown, truth, weight, matte, kinds)

    @property
    def planes(self) -> Tensor:
        """All in one."""
        return torch.cat([self.shown, self.truth, self.weight, self.matte], 1)

    @property
    def candidates(self) -> Tensor:
        """Between what the refiner chooses, (N, 3, 3, H, W)."""
        return self.shown[:, CANDIDATES].unflatten(1, (3, 3))  # type: ignore[no-any-return]

    @property
    def face(self) -> Tensor:
        """The render's face matte."""
        return self.shown[:, FACE]

    @property
    def unsure(self) -> Tensor:
        """Which of them tell of a model's doubt, (N, 1, 1, 1): 0 or 1; see `Kind`."""
        return (self.kind == Kind.RENDERED).float().view(-1, 1, 1, 1)

    def but(self, which: Tensor, others: "Example") -> "Example":
        """The same, of which the ``others`` take the place of ``which`` (N,)."""
        planes = self.planes
        planes[which] = others.planes
        return Example.of(planes, self.kind)

    def only(self, which: Tensor) -> "Example":
        """Those of a mask (N,)."""
        return Example.of(self.planes[which], self.kind[which])


@dataclass(frozen=True)
class Examples:
    """Many of them, (N, PLANES, size, size), half floats: on the device where there is room.

    ``kinds`` (N,) are those of `Example`.
    """

    planes: Tensor
    kinds: Tensor

    @classmethod
    def gathered(cls, examples: Iterable[Example], count: int, size: int) -> "Examples":
        """Keep ``count`` of them, or as many as there are, but for any that is not finite.

        Raises FaceError when there is none, KnobError when memory has no room for so many.
        """
        planes, kept, broken = _room(count, size), 0, 0
        kinds = torch.zeros(count, dtype=torch.int64, device=planes.device)
        for example in examples:
            planes[kept], kinds[kept] = example.planes[0], example.kind[0]
            if planes[kept].isfinite().all():
                kept += 1
            else:
                broken += 1
        if broken:
            progress.note("train", f"{broken} examples are not finite and were left out")
        if not kept:
            raise FaceError("there is not one face to learn from; add takes")
        return cls(planes[:kept], kinds[:kept])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.planes)

    def batch(self, chosen: Sequence[int]) -> Example:
        """Those ``chosen``, float32 on the device."""
        which = list(chosen)
        planes, kinds = self.planes[which].to(device()), self.kinds[which].to(device())
        return Example.of(planes.float(), kinds)


def _room(count: int, size: int) -> Tensor:
    """For ``count`` examples; a card that has them in its own memory learns twice as fast."""
    shape = (count, PLANES, size, size)
    at = device() if fits_card(2 * math.prod(shape)) else torch.device("cpu")
    with enough_memory(
        f"max_examples: there is not enough memory for {count} examples of {size} px"
    ):
        return torch.empty(shape, dtype=torch.float16, device=at)


def varied(example: Example, bent: Tensor | bool = False) -> Example:
    """The same, moved, some mirrored, some with the likeness exposed otherwise than the plate.

    Faces that are ``bent``, all or those of a mask (N,), are other people's: for what is to hold
    for everybody.
    Exposure and white balance that both have in common mean nothing to the refiner as it is.
    """
    count = len(example.shown)
    off = _EXPOSURE * (torch.randn(count, 3, 1, 1) + torch.randn(count, 1, 1, 1))
    off = off * (torch.rand(count, 1, 1, 1) < 0.5)
    planes = example.planes.clone()
    planes[:, CANDIDATES] += off.repeat(1, 3, 1, 1).to(planes.device)
    mirrored = torch.rand(count) < 0.5
    planes[mirrored] = planes[mirrored].flip(3)
    planes[mirrored, NORMAL.start] *= -1
    return Example.of(_moved(planes, torch.as_tensor(bent)), example.kind)


def uneven(planes: Tensor, channels: int) -> Tensor:
    """Random planes (N, channels, H, W), smooth, with a standard deviation below 1."""
    count, _, height, width = planes.shape
    coarse = torch.randn(count, channels, _KNOTS, _KNOTS, device=planes.device)
    return functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)


def windowed(example: Example, side: int) -> Example:
    """Of each a window of ``side`` pixels, at a place where much is learned; or all of it.

    Any place will do that has half of the weight of the best one, or more.
    """
    size = example.planes.shape[-1]
    if size <= side:
        return example
    step = max(1, (size - side) // _PLACES)
    weights = functional.avg_pool2d(example.weight, side, step)
    fair = weights >= weights.amax((2, 3), True) / 2
    places = torch.multinomial(fair.flatten(1).float().cpu(), 1)[:, 0].tolist()
    corners = [divmod(place, fair.shape[3]) for place in places]
    windows = [
        planes[:, step * row : step * row + side, step * column : step * column + side]
        for planes, (row, column) in zip(example.planes, corners, strict=True)
    ]
    return Example.of(torch.stack(windows), example.kind)


def _moved(planes: Tensor, bent: Tensor) -> Tensor:
    """``planes`` (N, PLANES, H, W) turned, scaled, shifted, maybe bent, each otherwise."""
    count, device_ = len(planes), planes.device
    angle = _TURN * torch.randn(count, device=device_)
    scale = torch.exp(_ZOOM * torch.randn(count, device=device_))
    shift = _SHIFT * torch.randn(count, 2, 1, device=device_)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    shape = [count, 1, *planes.shape[2:]]
    grid = functional.affine_grid(torch.cat([turn, shift], 2), shape, align_corners=False)
    if bent.any():
        how = _BEND * bent.float().view(-1, 1, 1, 1).to(device_)
        grid = grid + how * uneven(planes, 2).permute(0, 2, 3, 1)
    moved = functional.grid_sample(planes, grid, "bilinear", "border", align_corners=False)
    flat = moved[:, NORMAL][:, :2]
    # The grid says where a pixel is from: the picture, and normals with it, turn the other way.
    moved[:, NORMAL][:, :2] = torch.einsum("nji,njhw->nihw", turn / scale.view(-1, 1, 1), flat)
    return moved


def logged(rgb: Floats) -> Tensor:
    """A picture (H, W, 3), linear, as (1, 3, H, W), log."""
    return to_log(torch.from_numpy(np.ascontiguousarray(rgb)).to(device()).permute(2, 0, 1)[None])


def learnable(
    passes: FacePasses,
    crop: Crop,
    truth: Tensor,
    weight: Tensor,
    matte: Tensor,
    kind: Kind = Kind.FILMED,
) -> Example:
    """Passes with their ``truth``, carried onto the render's geometry.

    All are (1, C, S, S) in face space: ``truth`` log, ``weight`` where it is known, and the right
    ``matte``.
    """
    seen = shown(passes, crop)
    taken = crop.take(torch.cat([truth, weight, matte], 1))[0].cpu().numpy()
    covered = seen[:, COVERED].clamp(0, 1)  # a cubic filter runs over
    trust = taken[3].clip(0, 1) * covered[0, 0].cpu().numpy()
    render = seen[0, RENDER].cpu().numpy()
    move = alignment.move(render, taken[:3], trust)
    carried = torch.from_numpy(flow.carried(taken[:4], move)).to(seen.device)[None]
    known = carried[:, 3:].clamp(0, 1) * covered
    right = torch.from_numpy(taken[4:]).to(seen.device)[None].clamp(0, 1)
    return Example.of(torch.cat([seen, carried[:, :3], known, right], 1), kind)


def even(total: int, most: int) -> Iterator[int]:
    """``most`` of ``total`` numbers, evenly spread; all when there are fewer."""
    step = max(1.0, total / most)
    return (int(i * step) for i in range(min(total, most)))
