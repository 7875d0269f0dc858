"""Numbers and light of a shot, steady in time within each run of its frames."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.device import device
from lifemask.nodes.faces.temporal_filter import smoothed
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import Floats

_STEADY = 1.5  # frames: sigma of what smooths openings and mouths
_LIGHT_SHARES = (0.5, 0.25, 0.25)  # of a frame, the one before, the one after
_OTHER_LIGHT = 0.3 * STOP  # between neighbours: from where on a light is no longer the same

Runs = Sequence[slice]
"""Frames that follow on each other: see `faces.runs`."""


def beside(runs: Runs, index: int, offset: int) -> int:
    """The face ``offset`` frames on from ``index``, as far as its run goes."""
    run = next(run for run in runs if run.start <= index < run.stop)
    return int(min(max(index + offset, run.start), run.stop - 1))


def steady(table: Tensor, runs: Runs) -> Tensor:
    """``table`` (T, C) smoothed in time, each run on its own."""
    return torch.cat([smoothed(table[run], _STEADY) for run in runs])


def steady_light(lights: Floats, runs: Runs) -> Floats:
    """Light images (T, 3, 64, 64), log, each steadied by those of its neighbours.

    A neighbour in another light, as beside a flash, has no say.
    """
    around = ([beside(runs, i, offset) for offset in (0, -1, 1)] for i in range(len(lights)))
    return np.stack([_light_of(torch.from_numpy(lights[near]).to(device())) for near in around])


def _light_of(lights: Tensor) -> Floats:
    """The first of ``lights`` (3, 3, 64, 64), steadied by the others."""
    apart = (lights - lights[0]).abs().mean((1, 2, 3)) / _OTHER_LIGHT
    shares = torch.tensor(_LIGHT_SHARES).to(lights) / (1 + apart**4)
    light = torch.einsum("f,fchw->chw", shares / shares.sum(), lights)
    return np.asarray(light.cpu().numpy(), np.float32)
