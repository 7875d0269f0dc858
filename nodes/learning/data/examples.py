"""Examples to learn from: faces with the true swap."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

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
    RENDER,
    Crop,
    shown,
)
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.render import flow
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import Floats

PLANES = CHANNELS + 3 + 1 + 1
"""Planes of an example: those shown, the truth, its weight, the matte."""


class Kind(IntEnum):
    """Where the truth is from.

    It was filmed: a performer who is swapped for themselves, which fits better than somebody else
    will. It was rendered, with nothing in front of the face. It is distilled: what a model made of
    the face. Only a rendered one has the error of a real swap.
    """

    FILMED = 0
    RENDERED = 1
    DISTILLED = 2


@dataclass(frozen=True)
class Batch:
    """Examples: what the refiner is shown, and the truth; planes (N, C, H, W).

    ``shown`` is `crop.shown`; ``truth`` (3) is log; ``weight`` (1) is how much the truth counts,
    and ``matte`` (1) the true face matte. ``kind`` (N,) holds the `Kind` of each.
    """

    shown: Tensor
    truth: Tensor
    weight: Tensor
    matte: Tensor
    kind: Tensor

    @classmethod
    def of(cls, planes: Tensor, kind: Tensor | Kind = Kind.FILMED) -> "Batch":
        """The examples of ``planes`` (N, PLANES, H, W), all of one ``kind`` or each of its own."""
        kinds = torch.as_tensor(kind, device=planes.device).expand(len(planes))
        shown, truth, weight, matte = planes.split([CHANNELS, 3, 1, 1], 1)
        return cls(shown, truth, weight, matte, kinds)

    @property
    def planes(self) -> Tensor:
        """All planes, (N, PLANES, H, W)."""
        return torch.cat([self.shown, self.truth, self.weight, self.matte], 1)

    @property
    def candidates(self) -> Tensor:
        """The renders that the refiner blends, (N, 3, 3, H, W)."""
        return self.shown[:, CANDIDATES].unflatten(1, (3, 3))  # type: ignore[no-any-return]

    @property
    def face(self) -> Tensor:
        """The render's face matte."""
        return self.shown[:, FACE]

    @property
    def teaches_uncertainty(self) -> Tensor:
        """Whether an example has the error of a real swap, (N, 1, 1, 1): 0 or 1; see `Kind`."""
        return (self.kind == Kind.RENDERED).float().view(-1, 1, 1, 1)

    def with_replaced(self, which: Tensor, others: "Batch") -> "Batch":
        """These, with the ``others`` in the place of ``which`` (N,)."""
        planes = self.planes
        planes[which] = others.planes
        return Batch.of(planes, self.kind)

    def select(self, which: Tensor) -> "Batch":
        """Those of the mask ``which`` (N,)."""
        return Batch.of(self.planes[which], self.kind[which])


@dataclass(frozen=True)
class ExampleSet:
    """All examples of a training, half floats (N, PLANES, size, size), on a card with room for it.

    ``kinds`` (N,) are those of `Batch`.
    """

    planes: Tensor
    kinds: Tensor

    @classmethod
    def collect(cls, examples: Iterable[Batch], count: int, size: int) -> "ExampleSet":
        """Collect up to ``count`` examples, without those that are not finite.

        Raises FaceError when none is left, KnobError when they do not fit in memory.
        """
        planes, kept, broken = _allocated(count, size), 0, 0
        kinds = torch.zeros(count, dtype=torch.int64, device=planes.device)
        for example in examples:
            planes[kept], kinds[kept] = example.planes[0], example.kind[0]
            if planes[kept].isfinite().all():
                kept += 1
            else:
                broken += 1
        if broken:
            progress.note("train", f"skipped {broken} examples that are not finite")
        if not kept:
            raise FaceError("there is not one face to learn from; add takes")
        return cls(planes[:kept], kinds[:kept])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.planes)

    def batch(self, chosen: Sequence[int]) -> Batch:
        """The examples ``chosen``, float32 on the device."""
        which = list(chosen)
        planes, kinds = self.planes[which].to(device()), self.kinds[which].to(device())
        return Batch.of(planes.float(), kinds)


def _allocated(count: int, size: int) -> Tensor:
    """Memory for ``count`` examples; a card with them in its own memory trains twice as fast."""
    shape = (count, PLANES, size, size)
    at = device() if fits_card(2 * math.prod(shape)) else torch.device("cpu")
    with enough_memory(
        f"max_examples: there is not enough memory for {count} examples of {size} px"
    ):
        return torch.empty(shape, dtype=torch.float16, device=at)


def log_picture(rgb: Floats) -> Tensor:
    """Return a picture (H, W, 3), linear, as (1, 3, H, W), log."""
    return to_log(torch.from_numpy(np.ascontiguousarray(rgb)).to(device()).permute(2, 0, 1)[None])


def aligned_example(
    passes: FacePasses,
    crop: Crop,
    truth: Tensor,
    weight: Tensor,
    matte: Tensor,
    kind: Kind = Kind.FILMED,
) -> Batch:
    """Return an example of the ``passes``, its truth warped onto the render's geometry.

    All are (1, C, S, S) in face space: ``truth``, log, its ``weight``, and the true ``matte``.
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
    return Batch.of(torch.cat([seen, carried[:, :3], known, right], 1), kind)


def evenly_spaced(total: int, most: int) -> Iterator[int]:
    """Return up to ``most`` of the indices below ``total``, evenly spaced."""
    step = max(1.0, total / most)
    return (int(i * step) for i in range(min(total, most)))
