"""Motion blur, against waves whose blur is known."""

import numpy as np
import pytest
import torch
from test_warp import front, seen_by

from lifemask.nodes.render.acescct import to_linear, to_log
from lifemask.nodes.render.motion_blur import smeared

INNER = 12  # pixels from the mesh's edge


def view_and_inside():
    view, _ = seen_by(front())
    # Away from the edge by as much as anything here moves.
    outside = 1 - view.covered
    near = torch.nn.functional.max_pool2d(outside, 2 * INNER + 1, 1, INNER)
    return view, near == 0


def waves(view, period, along):
    """A picture whose light is a wave, log, and the wave (H, W)."""
    height, width = view.covered.shape[-2:]
    place = torch.arange(width if along == 0 else height) + 0.5
    wave = torch.sin(2 * torch.pi * place / period)
    wave = wave.expand(height, width) if along == 0 else wave[:, None].expand(height, width)
    return to_log((0.4 + 0.2 * wave).expand(1, 3, -1, -1)), wave


def travelling(x, y):
    return np.tile(np.array([[x, y]], np.float32), (478, 1))


@pytest.mark.parametrize("along", [0, 1])
@pytest.mark.parametrize("length", [2.0, 5.0, 9.5])
def test_a_wave_along_the_way_fades_as_its_mean_does_and_one_across_stays(along, length):
    view, inside = view_and_inside()
    travel = travelling(*((length, 0) if along == 0 else (0, length)))
    for period in (16.0, 30.0):
        log, wave = waves(view, period, along)
        light = to_linear(smeared(view, log, travel))[:, :1]
        left = np.sinc(length / period)  # of numpy: with pi in it
        assert (light - 0.4 - 0.2 * left * wave)[inside].abs().max() < 0.01
        across, _ = waves(view, period, 1 - along)
        assert (smeared(view, across, travel) - across)[:, :1][inside].abs().max() < 0.004


def test_each_part_of_a_face_is_blurred_by_its_own_motion():
    view, inside = view_and_inside()
    log, _ = waves(view, 8.0, 0)
    travel = travelling(0.0, 0.0)
    travel[front()[:, 0] > 100, 0] = 8.0
    change = (smeared(view, log, travel) - log).abs()[:, :1] * inside
    columns = change.amax((0, 1, 2))
    middle = len(columns) // 2
    assert columns[: middle - INNER].max() < 1e-3
    assert columns[middle + INNER :].max() > 0.05


def test_what_stands_still_is_untouched():
    view, _ = seen_by(front())
    log, _ = waves(view, 8.0, 0)
    assert smeared(view, log, travelling(0.3, 0.2)) is log


def test_nothing_from_beside_the_face_is_blurred_into_it():
    view, _ = seen_by(front())
    covered = view.covered.bool().expand(-1, 3, -1, -1)
    log = to_log(torch.where(covered, 0.3, 40.0))
    result = to_linear(smeared(view, log, travelling(11.0, -7.0)))
    assert (result[covered] - 0.3).abs().max() < 1e-4
    assert (result[~covered] - 40).abs().max() < 1e-2
