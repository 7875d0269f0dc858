"""What the networks are shown of a frame."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.faces.landmarker import around
from lifemask.nodes.faces.pyramid import (
    crops,
    display,
    gains,
    picture,
    reduced,
    reduction,
    to_picture,
)

_STEP = 3e-5  # of the curve's table, where it is steepest


def scene(height=96, width=128, seed=3):
    return np.random.default_rng(seed).uniform(0.01, 2, (height, width, 3)).astype(np.float32)


def test_a_crop_of_the_whole_is_the_whole():
    seen = picture(scene(64, 64))
    whole = crops(seen, torch.tensor([[32.0, 32, 64, 64, 0]]), 64)
    torch.testing.assert_close(whole, seen.levels[0], rtol=1e-4, atol=1e-5)


@given(st.floats(10, 90), st.floats(10, 90), st.floats(5, 60), st.floats(-3, 3), st.integers(0, 9))
@settings(max_examples=40)
def test_points_of_a_crop_are_found_in_the_picture_where_it_was_cut(x, y, side, angle, seed):
    # A picture whose colour is its position says where each pixel of a crop comes from.
    rows, columns = np.mgrid[:128, :128] + 0.5
    ramp = np.stack([columns, rows, rows], -1).astype(np.float32)
    seen = picture(ramp)
    rect = torch.tensor([[x, y, side, side, angle]])
    shown = crops(seen, rect, 64)[0]
    u, v = np.random.default_rng(seed).integers(0, 64, 2)
    points = torch.tensor([[[(u + 0.5) / 64, (v + 0.5) / 64, 0.0]]]).float()
    there = to_picture(points, rect)[0, 0, :2]
    if ((there > 1) & (there < 127)).all():
        torch.testing.assert_close(shown[:2, v, u], there, rtol=1e-3, atol=2e-2)


@given(st.integers(-12, 12))
@settings(max_examples=25)
def test_exposure_is_taken_away(stops):
    bright = torch.from_numpy(scene()).permute(2, 0, 1)[None]
    dark = bright * 2.0**stops
    shown = [display(light, gains(light)) for light in (dark, bright)]
    torch.testing.assert_close(*shown, rtol=0, atol=2 * _STEP)


@given(st.integers(0, 80), st.sampled_from([0.0, 1e-9, 1e-7]), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_black_around_a_picture_says_nothing_of_its_exposure(width, black, seed):
    inner = torch.from_numpy(scene(seed=seed)).permute(2, 0, 1)[None]
    framed = torch.nn.functional.pad(inner, (width, width, width, width), value=black)
    torch.testing.assert_close(gains(framed), gains(inner))
    assert gains(torch.zeros(1, 3, 8, 8)).isfinite().all()


def test_the_curve_is_that_of_srgb_up_to_the_shoulder():
    light = torch.linspace(0, 0.8, 4001).double().expand(1, 3, 1, -1)
    srgb = torch.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    shown = display(light.float(), torch.ones(1)).double()
    torch.testing.assert_close(shown, srgb, rtol=0, atol=_STEP)


def test_display_keeps_order_and_range():
    light = torch.linspace(0, 50, 1000).expand(1, 3, 1, -1)
    shown = display(light, torch.ones(1))
    assert shown.min() == 0
    assert shown.max() <= 1
    assert (shown.diff(dim=-1) >= -1e-6).all()


@given(st.floats(0.01, 0.2), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_a_picture_whose_black_is_below_zero_is_seen_as_if_it_was_not(below, seed):
    light = scene(seed=seed)
    light[:32, :32] = 0
    seen = picture(light - np.float32(below)).levels[0]
    torch.testing.assert_close(seen, picture(light).levels[0], rtol=0, atol=1e-5)


def test_colours_that_the_gamut_has_not_raise_nothing():
    light = scene()
    light[:32, :32] = [-0.05, 0.4, -0.02]
    assert torch.equal(
        picture(light).levels[0][0, :, 40:, 40:], picture(scene()).levels[0][0, :, 40:, 40:]
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e30, 1e30])
def test_values_that_mean_nothing_are_replaced(value):
    pixels = scene()
    pixels[10:20, 10:20] = value
    seen = picture(pixels)
    assert all(level.isfinite().all() and (level >= 0).all() for level in seen.levels)


@pytest.mark.parametrize(
    ("size", "factor"), [((360, 640), 1), ((858, 2048), 1), ((2160, 4096), 2), ((4320, 7680), 4)]
)
def test_large_plates_are_made_smaller_by_a_whole_number(size, factor):
    assert reduction(*size) == factor


def test_reduction_averages_blocks_and_keeps_the_edge():
    pixels = scene(5, 7)
    small = reduced(pixels, 2)
    assert small.shape == (3, 4, 3)
    assert np.allclose(small[1, 2], pixels[2:4, 4:6].mean((0, 1)), rtol=1e-6)
    assert np.allclose(small[2, 3], pixels[4, 6], rtol=1e-6)


def test_crops_of_one_face_surround_its_rectangle():
    rects = torch.tensor([[100.0, 80, 50, 50, 0.1], [300, 200, 90, 90, -0.4]])
    many = around(rects, 8).reshape(8, 2, 5)
    torch.testing.assert_close(many[0], rects)
    assert len(many[:, 0].unique(dim=0)) == 8
    assert ((many[..., :2] - rects[:, :2]).abs() <= 0.0301 * rects[:, 2:3]).all()
    torch.testing.assert_close(around(rects, 1), rects)
