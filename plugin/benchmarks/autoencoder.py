"""The baseline of the training benchmark: a shared encoder with a decoder for each performer.

The plain scheme of face-swapping tools (Perov et al. 2020, DeepFaceLab, section 3): the weights
learn both faces, and an encoded face is decoded as the other performer's. Only the benchmark uses
it.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from copy import deepcopy
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lifemask.nodes.amp import mixed_training
from lifemask.nodes.device import device
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.learning.data.examples import evenly_spaced, log_picture
from lifemask.nodes.learning.losses import ssim_loss
from lifemask.nodes.learning.pytree import Tree
from lifemask.nodes.learning.trainer import Trainer, TrainingConfig, constant
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.refiner.model import Refined
from lifemask.nodes.render.warp import Window
from lifemask.nodes.swap import Role, Swap
from lifemask.nodes.swap.frames import Swapping
from lifemask.nodes.swap.plan import FramePlan, ShotPlan
from lifemask.ocio.media.source import FrameSource
from lifemask.plugin.benchmarks.flops import operations

LIKENESS, DOUBLE = 0, 1
"""The decoders."""

_CODE = 128  # numbers of a face's code, and channels that the decoder starts from
_HALVINGS = 4
_MIDDLE = 0.4  # log: of a face
_WIDTHS = range(8, 129, 8)
_LEARNING_RATE, _WEIGHT_DECAY = 5e-4, 0.01
_TURN, _ZOOM, _MOVE, _BEND = 0.1, 0.05, 0.05, 0.06  # standard deviations, in half sides
_EXPOSURE, _TINT = 0.03, 0.01  # log, standard deviations
_BACKGROUND = 0.1  # weight outside the face
_L1 = 5.0  # weight of the absolute error beside that of structure


class Autoencoder(nn.Module):
    """Decodes pictures (N, 3, size, size), log, as either performer; 16 divides ``size``."""

    def __init__(self, size: int, width: int) -> None:
        """Make one whose largest layers have ``width`` channels."""
        super().__init__()
        side, widths = size >> _HALVINGS, [width << level for level in range(_HALVINGS)]
        inward = zip([3, *widths], widths, strict=False)
        self.encoder = nn.Sequential(
            *(_halving(a, b) for a, b in inward),
            nn.Flatten(),
            nn.Linear(widths[-1] * side**2, _CODE),
            nn.Linear(_CODE, _CODE * side**2),
            nn.Unflatten(1, (_CODE, side, side)),
        )
        self.decoders = nn.ModuleList(_decoder(widths[::-1]) for _ in (LIKENESS, DOUBLE))

    def forward(self, pictures: Tensor, performer: int) -> Tensor:
        """The ``pictures`` as those of a ``performer``, log."""
        code = self.encoder(pictures - _MIDDLE)
        return self.decoders[performer](code) + _MIDDLE  # type: ignore[no-any-return]


def as_costly_as(wanted: int, size: int, batch: int) -> int:
    """Return the width with which a step of ``batch`` pictures each costs ``wanted`` operations."""

    def costs(width: int) -> int:
        return cost(width, size, batch)

    above = bisect_left(_WIDTHS, wanted, key=costs)
    near = _WIDTHS[max(0, above - 1) : above + 1]
    return min(near, key=lambda width: abs(costs(width) - wanted))


@cache
def cost(width: int, size: int, batch: int) -> int:
    """Return the floating-point operations of one step on ``batch`` pictures of each performer."""
    with torch.device("meta"):
        network, pictures = Autoencoder(size, width), torch.empty(batch, 3, size, size)
        return operations(
            lambda: network(pictures, LIKENESS).sum() + network(pictures, DOUBLE).sum()
        )


def pictures(faceset: FaceSet, size: int, most: int) -> Tensor:
    """Return up to ``most`` faces (N, 4, size, size), half: log, and the face's matte.

    They are cropped as for the refiner.
    """
    window = Window(0, 0, faceset.size, faceset.size)
    still = torch.eye(2, 3).numpy()
    crop = Crop.of(still, faceset.size, window, size)
    taken = []
    for index in evenly_spaced(len(faceset), most):
        face = faceset.face(index)
        matte = torch.from_numpy(face[..., 3:].copy()).to(device()).permute(2, 0, 1)[None]
        taken.append(crop.take(torch.cat([log_picture(face[..., :3]), matte], 1)).half().cpu())
    return torch.cat(taken)


class AutoencoderTask:
    """Learns to undo `warped`, with faces of both performers in each step."""

    def __init__(self, faces: tuple[Tensor, Tensor], seed: int) -> None:
        """Learn from ``faces``, the `pictures` of both performers."""
        self.faces = faces
        self.random = torch.Generator().manual_seed(seed)

    def draw(self, count: int, random: np.random.Generator) -> list[tuple[int, int]]:
        """Return the indices of ``count`` faces of each performer."""
        return [
            (int(random.integers(len(likeness))), int(random.integers(len(double))))
            for likeness, double in [self.faces] * count
        ]

    def losses(
        self, network: Autoencoder, examples: list[tuple[int, int]], step: int
    ) -> dict[str, Tensor]:
        """Return the sum of both performers' losses."""
        both = zip(*examples, strict=True)
        parts = [self._loss(network, who, list(own)) for who, own in enumerate(both)]
        return {"loss": torch.stack(parts).sum()}

    def _loss(self, network: Autoencoder, performer: int, chosen: list[int]) -> Tensor:
        faces = self.faces[performer][chosen].to(device()).float()
        bent, straight, matte = warped(faces, self.random)
        with mixed_training():
            made = network(bent.contiguous(memory_format=torch.channels_last), performer)
        weight = _BACKGROUND + (1 - _BACKGROUND) * matte
        l1: Tensor = ((made.float() - straight).abs() * weight).mean()
        return _L1 * l1 + ssim_loss(made.float(), straight, weight)

    def state(self) -> dict[str, Tree]:
        """Return nothing: a benchmark does not resume."""
        return {}

    def resume(self, state: Mapping[str, Tree]) -> None:
        """Draw on."""


def autoencoder_trainer(
    network: Autoencoder, faces: tuple[Tensor, Tensor], batch: int, seed: int = 0
) -> Trainer[Autoencoder]:
    """Return a trainer of ``network`` on ``batch`` of the `pictures` of each performer a step."""
    network.to(device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    config = TrainingConfig(
        minutes=math.inf,
        batch=batch,
        learning_rate=_LEARNING_RATE,
        seed=seed,
        weight_decay=_WEIGHT_DECAY,
        max_gradient_norm=math.inf,
        schedule=constant,
    )
    return Trainer(network, deepcopy(network), AutoencoderTask(faces, seed), config)


def warped(faces: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return the input, the target and the target's matte of faces (N, 4, S, S).

    All are rotated, moved, scaled and exposed at random; the input is also bent.
    """
    count, side = len(faces), faces.shape[-1]

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=random)

    turn, zoom = _TURN * normal(), 1 + _ZOOM * normal()
    cos, sin, (x, y) = zoom * turn.cos(), zoom * turn.sin(), _MOVE * normal(2).T
    placed = torch.stack([cos, -sin, x, sin, cos, y], 1).view(count, 2, 3)
    grid = functional.affine_grid(placed, [count, 3, side, side], align_corners=False)
    bend = functional.interpolate(_BEND * normal(2, 5, 5), (side, side), mode="bicubic")
    bent, straight = (
        functional.grid_sample(
            faces, where.to(faces.device), padding_mode="border", align_corners=False
        )
        for where in (grid + bend.permute(0, 2, 3, 1), grid)
    )
    light = (_EXPOSURE * normal(1, 1, 1) + _TINT * normal(3, 1, 1)).to(faces.device)
    return bent[:, :3] + light, straight[:, :3] + light, straight[:, 3:].clamp(0, 1)


class Pasting(Swapping):
    """A swap whose faces an autoencoder makes, with the matrix, matte and blend of any swap."""

    def __init__(
        self, swap: Swap, plate: FrameSource, role: Role, network: Autoencoder, size: int
    ) -> None:
        """``size`` is the side of a crop in pixels."""
        super().__init__(swap, plate, [role], swap.plan([role]))
        self.network, self.size, self.refine = network, size, self._pasted

    def _pasted(
        self, passes: FacePasses, plan: ShotPlan, frame: FramePlan, window: Window
    ) -> Refined:
        """The subject's face decoded as the likeness's, at the plate's mean brightness."""
        crop = Crop.of(frame.matrix, plan.size, window, self.size)
        matte = passes.face * (1 - passes.occlusion)
        plate, inside = crop.take(torch.cat([passes.plate, matte], 1)).split([3, 1], 1)
        made = self.network(plate, LIKENESS)
        total = inside.sum().clamp(min=1e-3)
        made = made + ((plate - made) * inside).sum((2, 3), keepdim=True) / total
        picture = crop.give(made, *passes.plate.shape[-2:])
        return Refined(picture, passes.face, torch.zeros_like(passes.face))


def _halving(inward: int, outward: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inward, outward, 5, 2, 2), nn.LeakyReLU(0.1))


def _doubling(inward: int, outward: int) -> nn.Sequential:
    wide = nn.Conv2d(inward, 4 * outward, 3, padding=1)
    return nn.Sequential(wide, nn.LeakyReLU(0.1), nn.PixelShuffle(2))


def _decoder(widths: list[int]) -> nn.Sequential:
    grown = (_doubling(a, b) for a, b in zip([_CODE, *widths], widths, strict=False))
    return nn.Sequential(*grown, nn.Conv2d(widths[-1], 3, 3, padding=1))
