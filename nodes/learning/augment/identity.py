"""Identity augmentation: other complexions in other light, so that few people teach as many do.

In the log of scene-linear light a picture is albedo plus light. What is added to either is added to
every plane that contains it, the truth included, so the truth stays exact.
"""

import torch
from torch import Tensor

from lifemask.nodes.learning.augment.jitter import smooth_noise
from lifemask.nodes.learning.data.examples import Batch
from lifemask.nodes.refiner.crop import (
    COVERED,
    LIGHT,
    PLATE,
    PREDICTED,
    RENDER,
    SHADED,
    TRANSFERRED,
    level,
)

_LIT, _SKIN = 0.02, 0.015  # log, standard deviations: a third of a stop of light, a quarter of skin
_TINT = 0.3  # of these, by which the colours differ
_CONTRAST = 0.25  # standard deviation: how much darker brows are, how much redder lips
_HARD, _VIVID = 0.15, 0.25  # log, standard deviations: how much harder a light is, more in colour

_COLOURS = (RENDER, TRANSFERRED, SHADED, PLATE, PREDICTED, LIGHT)


def vary_identity(batch: Batch) -> Batch:
    """Return ``batch`` as people of other complexions, lit a little differently."""
    result = _graded(batch)
    shown = result.shown
    light = _tinted(shown, _LIT)
    likeness = _tinted(shown, _SKIN) + _features(shown)
    double = _tinted(shown, _SKIN)
    shown[:, LIGHT] += light
    for planes in (PLATE, PREDICTED):
        shown[:, planes] += light + double
    for planes in (RENDER, TRANSFERRED, SHADED):
        shown[:, planes] += light + likeness
    result.truth.add_(light + likeness)
    return result


def _graded(batch: Batch) -> Batch:
    """All colours with more or less contrast and chroma around the light's own colour."""
    result = Batch.of(batch.planes.clone(), batch.kind)
    shown, count = result.shown, len(result.shown)
    light = level(shown[:, LIGHT], shown)
    hard, vivid = (
        torch.exp(spread * torch.randn(count, 1, 1, 1, device=shown.device))
        for spread in (_HARD, _VIVID)
    )
    for planes in (*(shown[:, colours] for colours in _COLOURS), result.truth):
        off = planes - light
        grey = off.mean(1, keepdim=True)
        planes.copy_(light + hard * (grey + vivid * (off - grey)))
    return result


def _tinted(shown: Tensor, spread: float) -> Tensor:
    """Smooth noise of about ``spread``, (N, 3, H, W); the colours differ by less."""
    return spread * (smooth_noise(shown, 1) + _TINT * smooth_noise(shown, 3))


def _features(shown: Tensor) -> Tensor:
    """More or less of the likeness's albedo around its mean, (N, 3, H, W)."""
    covered = shown[:, COVERED]
    albedo = shown[:, SHADED] - shown[:, LIGHT]
    more = _CONTRAST * torch.randn(len(shown), 1, 1, 1, device=shown.device)
    return more * (albedo - level(albedo, shown)) * covered
