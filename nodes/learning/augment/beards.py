"""Beard augmentation: beards and make-up on the double, which a swap has to remove.

In the log of linear light a picture is albedo plus light, so another albedo is a sum, and the truth
stays as it is. The solve never finds all of it as albedo: it takes the rest for light.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifemask.nodes.device import device
from lifemask.nodes.render.atlas import REGIONS, SIZE, Floats, atlas, per_atlas
from lifemask.nodes.render.filters import blur
from lifemask.nodes.render.texture import reduced
from lifemask.nodes.render.warp import View

_EDGE = (234, 177, 207, 167, 164, 393, 427, 401, 454)
"""Landmarks along the upper edge of a beard, from ear to ear."""

_DARKEST = 0.2  # log: three and a half stops
_LEAK = 0.5  # share of the change that is taken for light, at most
_LEAK_WIDTH = 3.0  # coarse texels


@dataclass(frozen=True)
class AlbedoChange:
    """``pattern`` (1, 3, SIZE, SIZE) is added to log albedo; a share ``leak`` passes for light."""

    pattern: Tensor
    leak: float

    @classmethod
    def drawn(cls, random: np.random.Generator) -> "AlbedoChange":
        """Draw a beard or a part of one, make-up, both, or nothing."""
        pattern = np.zeros((SIZE, SIZE, 3), np.float32)
        if random.random() < 0.7:
            pattern += _beard(random)
        if random.random() < 0.4:
            tint = random.normal(0, 0.006, 3) + random.normal(0, 0.01)
            pattern += _clouds(random, 24)[..., None] * tint.astype(np.float32)
        planes = torch.from_numpy(np.ascontiguousarray(pattern.transpose(2, 0, 1)))
        return cls(planes[None].to(device()), float(random.uniform(0, _LEAK)))

    def on(self, plate: Tensor, own: View) -> Tensor:
        """Return the plate (1, 3, H, W), log, with the change on the double's face."""
        return plate + own.of(self.pattern, "bilinear") * own.covered

    def known(self) -> tuple[Tensor, Tensor]:
        """Return how much of it a solve finds as albedo, and as light, (3, COARSE, COARSE) each."""
        found = reduced(self.pattern)
        light = self.leak * blur(found, _LEAK_WIDTH)
        return (found - light)[0], light[0]


def _beard(random: np.random.Generator) -> Floats:
    """Hair below a line from ear to ear, but for the lips: (SIZE, SIZE, 3)."""
    inside = _below(float(random.normal(0, 6))) * (1 - _lips())
    kind = random.random()
    if kind < 0.25:  # of a moustache or a goatee only what is near the middle
        inside = inside * _middle(float(random.uniform(25, 55)))
    strands = (1 + 0.6 * _clouds(random, 1.0)).clip(0, 2)
    thick = np.clip(0.75 + 0.5 * _clouds(random, 10), 0, 1.2)
    depth = random.uniform(0.03, _DARKEST) * np.array([1, *random.uniform(0.9, 1.05, 2)])
    return np.asarray(-(inside * strands * thick)[..., None] * depth, np.float32)


@per_atlas
def _lips() -> Floats:
    return atlas().polygon(REGIONS["mouth"], 5, 1.5)


def _below(shift: float) -> Floats:
    line = atlas().uv[list(_EDGE)] * SIZE
    edge = np.interp(np.arange(SIZE), line[:, 0], line[:, 1]) + shift
    rows = np.arange(SIZE, dtype=np.float32)[:, None]
    return np.asarray(1 / (1 + np.exp(-(rows - edge[None]) / 2.5)), np.float32)


def _middle(width: float) -> Floats:
    """One around the middle of the mouth, (1, SIZE)."""
    columns = np.arange(SIZE, dtype=np.float32) - atlas().uv[13, 0] * SIZE
    return np.asarray(np.exp(-((columns / width) ** 4)), np.float32)[None]


def _clouds(random: np.random.Generator, sigma: float) -> NDArray[np.float32]:
    """Smooth noise of unit variance, (SIZE, SIZE)."""
    noise = random.normal(size=(SIZE, SIZE)).astype(np.float32)
    clouds = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.asarray(clouds / clouds.std(), np.float32)
