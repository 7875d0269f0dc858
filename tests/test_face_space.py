"""Where face space puts things, and what it does to their values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.faces.face_space import (
    OVERSAMPLING,
    SIDE,
    Placed,
    crop,
    matrices,
    moved,
    native_size,
)


def placed(x, y, scale, roll):
    """Faces in a picture, upright but for ``roll``; all arguments (N,)."""
    x, y, scale, roll = np.broadcast_arrays(*np.atleast_1d(x, y, scale, roll))
    count = len(x)
    rotation = np.zeros((count, 3, 3), np.float32)
    rotation[:, 0, 0] = rotation[:, 1, 1] = np.cos(roll)
    rotation[:, 1, 0], rotation[:, 0, 1] = np.sin(roll), -np.sin(roll)
    rotation[:, 2, 2] = 1
    shape = np.zeros((count, 478, 3), np.float32)
    centre = np.stack([x, y, 0 * x], 1).astype(np.float32)
    return Placed(shape, scale.astype(np.float32), rotation, centre)


def still(faces, size, smooth=0.0):
    return matrices(faces, [slice(0, len(faces.scale))], size, smooth)


def blob(x, y, sigma, height=160, width=200):
    rows, columns = np.mgrid[:height, :width] + 0.5
    spot = np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / sigma**2)
    return np.repeat(spot[..., None], 3, 2).astype(np.float32)


def middle(picture):
    """The centroid of a picture, pixel centres at .5."""
    weight = picture[..., 0].astype(np.float64)
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@settings(max_examples=25)
@given(
    st.floats(-12, 12),
    st.floats(-12, 12),
    st.floats(2.5, 8),
    st.floats(-3, 3),
    st.sampled_from([64, 96, 256]),
)
def test_a_crop_puts_a_spot_where_the_landmark_goes(dx, dy, scale, roll, size):
    matrix = still(placed(100.3, 79.6, scale, roll), size)
    point = np.float32([[[100.3 + dx, 79.6 + dy, 0]]])
    expected = moved(point, matrix)[0, 0, :2]
    # Narrow enough to lie within the crop wherever it lands, wide enough to be sampled well.
    sigma = max(2.0, 1.5 * SIDE * scale / size)
    if np.abs(expected - size / 2).max() + 5 * sigma * size / (SIDE * scale) > size / 2:
        return
    found = middle(crop(blob(*point[0, 0, :2], sigma), matrix[0], size))
    assert np.abs(found - expected).max() < 0.05


@pytest.mark.parametrize("size", [64, 512])
@pytest.mark.parametrize("value", [-0.05, 40.0])
def test_values_beyond_0_and_1_survive(value, size):
    picture = np.full((160, 200, 3), value, np.float32)
    matrix = still(placed(100, 80, 6.0, 0.4), size)[0]
    np.testing.assert_allclose(crop(picture, matrix, size), value, rtol=1e-4)
    lamp = 1 + 60 * blob(100, 80, 12)
    assert crop(lamp, matrix, size).max() == pytest.approx(61, rel=0.03)


def test_the_face_is_upright_in_the_middle_and_of_one_size():
    matrix = still(placed([300, 40], [200, 80], [10, 3], [0.5, -2.0]), 240)
    roll = np.array([0.5, -2.0])
    down = np.stack([-np.sin(roll), np.cos(roll), 0 * roll], 1) * np.array([[10], [3]])
    centre = np.float32([[300, 200, 0], [40, 80, 0]])
    points = np.stack([centre, centre + down], 1).astype(np.float32)
    result = moved(points, matrix)
    np.testing.assert_allclose(result[:, 0, :2], 120, atol=1e-3)
    np.testing.assert_allclose(result[:, 1, :2], [[120, 120 + 240 / SIDE]] * 2, atol=1e-3)


def test_depth_is_scaled_like_the_rest():
    matrix = still(placed(50, 50, 5.0, 0.7), 240)
    assert moved(np.float32([[[50, 50, 5.0]]]), matrix)[0, 0, 2] == pytest.approx(240 / SIDE)


def test_the_size_loses_no_detail_of_the_takes():
    for scale in (3.0, 11.0, 40.0):
        size = native_size(placed(0, 0, scale, 0))
        assert size % 16 == 0
        matrix = still(placed(0, 0, scale, 0), size)[0]
        assert np.linalg.norm(matrix[0, :2]) >= OVERSAMPLING - 1e-4


def test_a_shaking_face_is_steadied_and_an_even_move_is_kept():
    random = np.random.default_rng(1)
    frame = np.arange(40.0)
    shake = random.normal(0, 1, 40)
    even = still(placed(100 + 2 * frame, 80, 6, 0.01 * frame), 128)
    steadied = still(placed(100 + 2 * frame, 80, 6, 0.01 * frame), 128, 1.5)
    np.testing.assert_allclose(steadied, even, atol=2e-3)
    shaken = [still(placed(100 + 2 * frame + shake, 80, 6, 0), 128, s)[:, 0, 2] for s in (0, 1.5)]
    straight = still(placed(100 + 2 * frame, 80, 6, 0), 128)[:, 0, 2]
    assert np.std(shaken[1] - straight) < 0.6 * np.std(shaken[0] - straight)


def test_a_cut_is_not_smoothed_across():
    frame = np.arange(12.0)
    before, after = placed(100 + frame, 80, 6, 0), placed(400 - frame, 20, 12, 1)
    both = Placed(
        *(
            np.concatenate([getattr(before, n), getattr(after, n)])
            for n in ("shape", "scale", "rotation", "centre")
        )
    )
    result = matrices(both, [slice(0, 12), slice(12, 24)], 128, 1.5)
    np.testing.assert_allclose(result[:12], still(before, 128, 1.5), atol=1e-4)
    np.testing.assert_allclose(result[12:], still(after, 128, 1.5), atol=1e-4)


def test_a_face_that_turns_past_upside_down_does_not_spin_back():
    roll = np.linspace(np.pi - 0.3, np.pi + 0.3, 20)
    wrapped = (roll + np.pi) % (2 * np.pi) - np.pi
    smooth = still(placed(100, 80, 6, wrapped), 128, 1.5)
    plain = still(placed(100, 80, 6, roll), 128)
    np.testing.assert_allclose(smooth[..., :2], plain[..., :2], atol=1e-3)
