"""Optical flow, and pictures that are carried along it."""

import cv2
import numpy as np
import pytest

from lifemask.nodes.render.flow import Stiffness, carried, dense_flow, stiffened

SIDE = 96


@pytest.fixture
def texture():
    noise = np.random.default_rng(2).normal(size=(SIDE, SIDE)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2)
    return (128 + 110 * soft / np.abs(soft).max()).astype(np.uint8)


@pytest.mark.parametrize("at_rest", [True, False])
@pytest.mark.parametrize("fast", [True, False])
def test_a_shift_is_found(texture, fast, at_rest):
    flow = dense_flow(texture, np.roll(texture, (2, -3), (0, 1)), fast, at_rest)
    assert np.median(flow[16:-16, 16:-16], (0, 1)) == pytest.approx([-3, 2], abs=0.1)


def test_a_move_is_kept_short(texture):
    limits = Stiffness(sigma=0.04, longest=1 / SIDE, floor=0.02)
    other, weight = np.roll(texture, 3, 1), np.ones((SIDE, SIDE), np.float32)
    move = stiffened(dense_flow(texture, other), weight, limits)
    length = np.linalg.norm(move, axis=-1)
    assert length[16:-16, 16:-16] == pytest.approx(1, abs=0.05)
    assert length.max() <= 1


def test_a_picture_is_carried_by_whole_pixels():
    planes = np.random.default_rng(4).random((2, 24, 32)).astype(np.float32)
    there = carried(planes, np.broadcast_to(np.float32([3, -2]), (24, 32, 2)))
    np.testing.assert_allclose(there[:, 2:, :-3], planes[:, :-2, 3:], atol=1e-6)
