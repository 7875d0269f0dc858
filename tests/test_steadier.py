"""Landmarks steadied along optical flow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.faces.pyramid import picture
from lifemask.nodes.track.steadier import Motion, Steadier, motion


def uniform(step, size=64):
    """The motion of a square that moves by ``step``."""
    flow = np.broadcast_to(np.float32(step), (size, size, 2)).copy()
    return Motion(flow, -flow, np.zeros(2, np.float32), 1.0)


def steadied(frames, motions, radius):
    steadier = Steadier(radius)
    result = []
    for points, since in zip(frames, [None, *motions], strict=True):
        result += steadier.push(points, since if radius else None)
    return [*result, *steadier.flush()]


@given(st.integers(1, 12), st.integers(0, 4))
@settings(max_examples=40)
def test_every_frame_comes_out_once_and_in_order(count, radius):
    grid = np.random.default_rng(0).uniform(0, 60, (20, 3)).astype(np.float32)
    frames = [grid + np.float32([step, 0, step]) for step in range(count)]
    result = steadied(frames, [uniform((1, 0))] * (count - 1), radius)
    assert len(result) == count
    for steady, points in zip(result, frames, strict=True):
        # Motion that the flow explains is neither delayed nor damped.
        assert np.allclose(steady, points, atol=1e-3)


def test_jitter_shrinks():
    rng = np.random.default_rng(1)
    grid = np.float32(rng.uniform(0, 60, (400, 3)))
    truth = [grid + np.float32([2 * step, step, 0]) for step in range(12)]
    noisy = [np.float32(points + rng.normal(0, 0.3, points.shape)) for points in truth]
    result = steadied(noisy, [uniform((2, 1))] * 11, 2)
    before, after = (
        np.std([(a - b)[:, :2] for a, b in zip(frames, truth, strict=True)][3:-3])
        for frames in (noisy, result)
    )
    assert after < 0.6 * before


def test_a_landmark_that_the_flow_loses_is_left_alone():
    frames = [np.float32(np.random.default_rng(2).uniform(0, 60, (50, 3)))] * 5
    broken = uniform((5, 0))
    broken = Motion(broken.forward, broken.forward, broken.origin, 1.0)
    for steady, points in zip(steadied(frames, [broken] * 4, 2), frames, strict=True):
        assert np.allclose(steady, points, atol=0.05)


@pytest.mark.parametrize("shift", [(0, 0), (3, 1), (-2, 4)])
def test_motion_follows_a_picture_that_moves(shift):
    coarse = np.random.default_rng(4).uniform(0.05, 1, (30, 40, 1)).astype(np.float32)
    first = np.kron(coarse, np.ones((8, 8, 3), np.float32))
    first = (first + np.roll(first, 3, 0) + np.roll(first, 3, 1) + np.roll(first, 5, 0)) / 4
    second = np.roll(first, shift[::-1], (0, 1))
    points = np.random.default_rng(5).uniform(90, 150, (60, 3)).astype(np.float32)
    moving = motion(picture(first), picture(second), points, points + np.float32([*shift, 0]))
    there, missed = moving.carry(points[:, :2], ahead=True)
    back, _ = moving.carry(there, ahead=False)
    assert np.median(np.abs(there - points[:, :2] - shift)) < 0.15
    assert np.median(np.abs(back - points[:, :2])) < 0.15
    assert np.median(missed) < 0.2
