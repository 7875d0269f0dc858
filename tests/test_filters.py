"""Filters and look-ups: what they must keep, whatever the picture."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.render.filters import blur, dilate, erode, guided, halved, masked_blur, resample


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def centres(height, width):
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([x, y], -1)[None]


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
def test_a_lookup_at_pixel_centres_is_the_picture(mode):
    picture = noise(2, 3, 9, 13)
    found = resample(picture, centres(9, 13).expand(2, -1, -1, -1), mode)
    torch.testing.assert_close(found, picture, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("mode", "share"), [("bilinear", 1e-4), ("bicubic", 0.08)])
def test_a_lookup_between_pixels_follows_a_slope(mode, share):
    at = centres(12, 16)
    picture = (2 * at[..., 0] - 3 * at[..., 1])[:, None]
    inner = at[:, 3:-3, 3:-3] + torch.tensor([0.3, -0.4])
    expected = (2 * inner[..., 0] - 3 * inner[..., 1])[:, None]
    # The cubic of torch and OpenCV (its parameter is -0.75) is not quite straight on a slope.
    assert (resample(picture, inner, mode) - expected).abs().max() < 3 * share


def test_one_picture_serves_many_positions():
    picture = noise(1, 2, 8, 8)
    at = torch.cat([centres(8, 8), centres(8, 8) + 1])
    assert torch.equal(resample(picture, at)[1], resample(picture, at[1:])[0])


@settings(max_examples=20)
@given(st.floats(0.5, 4), st.integers(0, 9))
def test_a_smooth_constant_is_that_constant_wherever_something_counts(sigma, seed):
    weight = (noise(1, 1, 24, 20, seed=seed) > 0.5).float()
    result = masked_blur(torch.full((1, 3, 24, 20), -2.5), weight, sigma)
    near = (blur(weight, sigma) > 0.1).expand_as(result)
    torch.testing.assert_close(result[near], torch.full_like(result[near], -2.5), rtol=2e-3, atol=0)


def test_what_has_no_weight_does_not_count():
    picture, weight = noise(1, 1, 20, 20), torch.ones(1, 1, 20, 20)
    weight[..., 10:] = 0
    other = torch.where(weight > 0, picture, 1e6)
    assert torch.equal(masked_blur(picture, weight, 2.0), masked_blur(other, weight, 2.0))


@pytest.mark.parametrize("sigma", [0.8, 2.0, 5.0])
def test_a_blurred_point_is_a_gaussian_of_that_width(sigma):
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    row = blur(point, sigma)[0, 0].sum(0)
    offset = torch.arange(41.0) - 20
    assert float(row.sum()) == pytest.approx(1, abs=1e-5)
    assert float((row * offset**2).sum().sqrt()) == pytest.approx(sigma, rel=0.03)


def test_spread_and_shrink_find_the_extremes_nearby():
    picture = noise(1, 1, 15, 17)
    largest, smallest = dilate(picture, 2)[0, 0], erode(picture, 2)[0, 0]
    for y in range(15):
        for x in range(17):
            around = picture[0, 0, max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
            assert largest[y, x] == around.max()
            assert smallest[y, x] == around.min()


def test_halving_keeps_the_mean():
    picture = noise(1, 2, 16, 24)
    assert halved(picture, 2).shape == (1, 2, 4, 6)
    torch.testing.assert_close(halved(picture, 2).mean((2, 3)), picture.mean((2, 3)))
    assert torch.equal(halved(picture, 0), picture)


def test_a_guided_constant_is_that_constant_up_to_the_border():
    result = guided(torch.full((1, 1, 30, 30), 0.7), noise(1, 1, 30, 30), 3.0, 1e-4)
    torch.testing.assert_close(result, torch.full_like(result, 0.7), atol=1e-3, rtol=0)


def test_a_matte_that_misses_an_edge_is_drawn_to_it():
    edge, matte = torch.zeros(1, 1, 40, 60), torch.zeros(1, 1, 40, 60)
    edge[..., 30:], matte[..., 28:] = 0.4, 1
    result = guided(matte, edge, 5.0, 1e-4)[0, 0, 20]
    step = result.diff().abs()
    assert int(step.argmax()) == 29
    assert step[29] > 4 * step[27]


def test_a_guide_is_asked_for_its_edges_and_not_for_its_brightness():
    guide, matte = 0.1 * noise(1, 1, 30, 30), noise(1, 1, 30, 30, seed=1)
    dark, bright = (guided(matte, guide + level, 3.0, 1e-2) for level in (0.0, 2.0))
    torch.testing.assert_close(dark, bright, atol=5e-3, rtol=0)


@pytest.mark.parametrize("sigma", [8.0, 11.0, 17.0, 40.0])
def test_a_wide_blur_is_a_gaussian(sigma):
    picture = torch.zeros(1, 2, 301, 260)
    picture[:, 0, 150, 130] = 1
    picture[:, 1, :40, 200:] = 1
    far = torch.arange(301) - 150
    exact = torch.exp(-0.5 * (far / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    exact = exact[:, None] * exact[20:280]
    result = blur(picture, sigma)
    assert (result[0, 0] - exact).abs().max() < 0.02 * exact.max()
    erf = torch.special.erf
    rows = torch.arange(301) + 0.5
    fade = 0.5 * (erf((40 - rows) / (sigma * math.sqrt(2))) + erf(rows / (sigma * math.sqrt(2))))
    columns = torch.arange(260) + 0.5
    across = 0.5 * (
        erf((260 - columns) / (sigma * math.sqrt(2)))
        - erf((200 - columns) / (sigma * math.sqrt(2)))
    )
    assert (result[0, 1] - fade[:, None] * across).abs().max() < 0.02
