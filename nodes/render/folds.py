"""Folds of the skin that an expression makes: taken off one face, put on another.

Light images already carry what is broad. Finer relief is the ratio of a face now to the same face
at rest (the expression ratio image of Liu, Shan and Zhang 2001): a difference in the log curve,
after the light is taken off, in texture space.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import COARSE, SIZE, Floats, atlas, per_atlas
from lifemask.nodes.render.descriptors import luminance
from lifemask.nodes.render.filters import masked_blur
from lifemask.nodes.render.texture import averaged


@dataclass(frozen=True)
class FoldBand:
    """What counts as a fold, in texels of SIZE a side: a texel is .8 mm of a face."""

    fine: float = 0.8
    """Sigma below which it is grain and pores."""

    broad: float = 6.0
    """Sigma above which it is light."""

    beard: tuple[float, float] = (0.02, 0.08)
    """Log albedo below the skin's from which it may be hair, and from which it is."""

    noise: float = 2.0
    """Mean deviations of a calm face within which nothing is a fold."""

    least: float = 0.002
    """Log: a thirtieth of a stop is no fold either."""


BAND = FoldBand()

FOLDING = ("forehead", "cheeks", "chin")
"""The regions of the skin that fold each for itself."""

_SOFT = 0.03  # of texture space: how a region fades into the next
_BROW, _CHIN = (52, 282), (17,)  # landmarks at whose height the regions meet


@dataclass(frozen=True, eq=False)
class Calm:
    """A face at rest, (SIZE, SIZE) each: its ``relief``, and the mean deviation from it; log."""

    relief: Floats
    deviation: Floats

    @classmethod
    def of(cls, reliefs: Tensor, weights: Tensor) -> "Calm":
        """From reliefs (N, 1, SIZE, SIZE), weighted (N, 1, SIZE, SIZE) by how calm each is."""
        total = weights.sum(0) + 1e-4
        relief = (reliefs * weights).sum(0) / total
        apart = ((reliefs - relief).abs() * weights).sum(0) / total
        return cls(*(part[0].cpu().numpy() for part in (relief, apart)))


@per_atlas
def fold_regions() -> dict[str, Floats]:
    """Soft maps (SIZE, SIZE) of the bare skin of the `FOLDING` regions."""
    height = torch.linspace(0.5 / SIZE, 1 - 0.5 / SIZE, SIZE)[:, None]
    brow, chin = (
        torch.sigmoid((height - float(atlas().uv[list(points), 1].mean())) / _SOFT)
        for points in (_BROW, _CHIN)
    )
    skin = torch.from_numpy(atlas().skin)
    parts = (1 - brow, brow * (1 - chin), brow * chin)
    return {name: (part * skin).numpy() for name, part in zip(FOLDING, parts, strict=True)}


def relief(texture: Tensor) -> Tensor:
    """The relief (1, 1, SIZE, SIZE), log, of a face as `FaceTextures.read` gives it, on the device.

    0 where nothing is seen.
    """
    planes = texture.permute(2, 0, 1)[None]
    valid = (planes[:, 3:4] * (1 - planes[:, 8:9])).clamp(0, 1)
    flat = luminance(to_log(planes[:, :3]) - to_log(planes[:, 4:7]))[:, None]
    fine = masked_blur(flat, valid, BAND.fine)
    # What is broad is as well made from fewer texels, at a twentieth of the cost.
    colour, seen = averaged(flat, valid)
    few = masked_blur(colour, seen, BAND.broad * COARSE / SIZE)
    broad = torch.nn.functional.interpolate(few, size=(SIZE, SIZE), mode="bilinear")
    return (fine - broad) * valid


def folds(found: Tensor, calm: Calm, amounts: Mapping[str, float]) -> Tensor:
    """The folds (1, 1, SIZE, SIZE), log, that a `relief` has beyond the ``calm`` face.

    ``amounts`` are the shares of each of the `fold_regions` to give.
    """
    rest, deviation = (
        torch.from_numpy(part).to(found)[None, None] for part in (calm.relief, calm.deviation)
    )
    apart = found - rest
    # What a calm face does as well is no fold (coring).
    least = BAND.noise * deviation + BAND.least
    kept = (1 - least / (apart.abs() + 1e-6)).clamp(min=0)
    seen = (found != 0).to(found)
    return apart * kept * seen * _amounts(amounts).to(found)


def _amounts(amounts: Mapping[str, float]) -> Tensor:
    maps = fold_regions()
    return sum(
        (amount * torch.from_numpy(maps[name]) for name, amount in amounts.items()),
        start=torch.zeros(SIZE, SIZE),
    )[None, None]


def bare(albedo: Floats) -> Tensor:
    """Where a face has no beard, (1, 1, SIZE, SIZE), by its ``albedo`` (3, 64, 64), log."""
    low, high = BAND.beard
    darker = -torch.from_numpy(albedo).mean(0)[None, None]
    free = ((high - darker) / (high - low)).clamp(0, 1)
    return torch.nn.functional.interpolate(free, size=(SIZE, SIZE), mode="bilinear")
