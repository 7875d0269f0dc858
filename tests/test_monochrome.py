"""Which colours a picture has: those that its brightness tells, or any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.render.monochrome import Monochrome, grey

WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)
EVERYWHERE = np.ones((60, 50), np.float32)
SHARES = st.floats(0.05, 2)


def brightness(seed, shape=(60, 50)):
    return np.random.default_rng(seed).uniform(0.01, 1.5, shape).astype(np.float32)


def coloured(seed, shape=(60, 50)):
    return np.random.default_rng(seed).uniform(0.01, 1.5, (*shape, 3)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.tuples(SHARES, SHARES, SHARES), st.tuples(SHARES, SHARES, SHARES), st.integers(0, 99))
def test_whatever_is_put_into_a_toned_picture_has_its_colours_and_keeps_its_brightness(
    dark, bright, seed
):
    def toned(light):
        way = np.clip(light, 0, 1.5)[..., None] / 1.5
        tint = (1 - way) * np.float32(dark) + way * np.float32(bright)
        return light[..., None] * tint / (tint @ WEIGHTS)[..., None]

    # Neighbours are alike, so that their mean is toned, too.
    light = np.sort(brightness(seed), axis=None).reshape(60, 50)
    tone = Monochrome.of(toned(light).astype(np.float32), EVERYWHERE)
    assert tone is not None
    assert tone.share == pytest.approx(1, abs=0.3)
    other = coloured(seed + 1)
    found = tone.toned(other, np.ones((60, 50, 1), np.float32))
    assert np.allclose(found @ WEIGHTS, other @ WEIGHTS, rtol=1e-4, atol=1e-5)
    expected = other + np.float32(tone.share) * (toned(other @ WEIGHTS) - other)
    most = np.abs(expected).max(-1, keepdims=True) + 0.05
    assert np.quantile(np.abs(found - expected) / most, 0.95) < 0.05


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(-0.05, 3))
def test_a_picture_without_colour_takes_all_of_it_away_to_the_bit(seed, level):
    plain = np.repeat(brightness(seed)[..., None], 3, -1)
    tone = Monochrome.of(plain, EVERYWHERE)
    assert tone is not None
    found = tone.toned(coloured(seed + 1) * np.float32(level), np.ones((60, 50, 1), np.float32))
    assert (np.ptp(found, -1) == 0).all()
    assert grey(found).all()


def test_a_picture_of_several_colours_is_left_as_it_is():
    assert Monochrome.of(coloured(1), EVERYWHERE) is None


def test_what_little_colour_a_picture_has_may_come_in_by_its_share():
    plain = np.repeat(brightness(1)[..., None], 3, -1)
    shares = []
    for amount in (0.0, 0.02, 0.04, 0.06, 0.2):
        tone = Monochrome.of(plain * (1 + amount * (coloured(2) - 0.75)), EVERYWHERE)
        shares.append(tone.share if tone else 0.0)
    assert shares[0] == 1
    assert shares[-1] == 0
    assert sorted(shares, reverse=True) == shares
    assert len(set(shares)) > 3


def test_only_what_is_inside_of_the_matte_tells():
    """A red coat beside a face without colour is none of its business."""
    picture = np.repeat(brightness(3)[..., None], 3, -1)
    picture[:, :25] = coloured(4)[:, :25]
    right = EVERYWHERE.copy()
    right[:, :25] = 0
    tone = Monochrome.of(picture, right)
    assert tone is not None
    assert tone.share == 1
    assert Monochrome.of(picture, np.zeros_like(right)) is None
    assert Monochrome.of(-picture, right) is None


def test_a_weight_of_0_touches_nothing():
    tone = Monochrome.of(np.repeat(brightness(5)[..., None], 3, -1), EVERYWHERE)
    assert tone is not None
    other = coloured(6)
    assert np.array_equal(tone.toned(other, np.zeros((60, 50, 1), np.float32)), other)
