import numpy as np
import pytest

from lifemask.ocio.colour import transform
from lifemask.ocio.media_errors import ColorError

WILD = np.array([[-0.5, 0, 0.18], [1, 8, 900]], np.float32)


def test_the_log_curve_gives_back_negatives_and_highlights() -> None:
    there = transform.convert(WILD, transform.WORKING, "ACEScct")
    back = transform.convert(there, "ACEScct", transform.WORKING)
    np.testing.assert_allclose(back, WILD, rtol=1e-5, atol=1e-6)


def test_known_values() -> None:
    white = np.ones((1, 3), np.float32)
    np.testing.assert_allclose(transform.convert(white, "lin_rec709", "ACEScg"), white, atol=1e-4)
    grey = transform.convert(0.18 * white, "ACEScg", "ACEScct")
    np.testing.assert_allclose(grey, 0.4135884, atol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (4, 5, 3), (2, 300, 400, 3), (0, 3)])
def test_any_leading_shape_gives_a_copy(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).random(shape, np.float32)
    same = transform.convert(pixels, "ACEScg", "ACEScg")
    np.testing.assert_array_equal(same, pixels)
    assert not np.shares_memory(same, pixels)
    one_by_one = [
        transform.convert(pixel, "ACEScg", "lin_rec709") for pixel in pixels.reshape(-1, 3)[:9]
    ]
    whole = transform.convert(pixels, "ACEScg", "lin_rec709").reshape(-1, 3)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole[: len(one_by_one)], np.reshape(one_by_one, (-1, 3)), atol=1e-6)


def test_half_and_views_are_taken() -> None:
    pixels = WILD.astype(np.float16)[:, ::-1]
    expected = transform.convert(np.ascontiguousarray(pixels, np.float32), "ACEScg", "lin_rec709")
    np.testing.assert_array_equal(transform.convert(pixels, "ACEScg", "lin_rec709"), expected)


@pytest.mark.parametrize(
    ("space", "linear"),
    [("ACEScg", True), ("lin_rec709", True), ("ACEScct", False), ("Raw", False)],
)
def test_is_scene_linear(space: str, linear: bool) -> None:
    assert transform.is_scene_linear(space) is linear


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ColorError, match=r"'ACESgc' is not .* ACEScg"):
        transform.check_space("ACESgc")
    with pytest.raises(ColorError, match=r"'srgb' is not .* sRGB Encoded Rec\.709 \(sRGB\)"):
        transform.check_space("srgb")
    with pytest.raises(ColorError, match="no colour space is named"):
        transform.check_space("")


def test_a_broken_configuration_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("OCIO", f"{tmp_path}/none.ocio")
    with pytest.raises(ColorError, match=r"OCIO: .*none\.ocio"):
        transform.check_space("ACEScg")


def test_display_is_a_picture_that_only_gets_brighter_with_light() -> None:
    light = np.repeat(np.linspace(-1, 50, 500, dtype=np.float32)[:, None], 3, 1)
    shown = transform.display(light, "lin_rec709")
    assert shown.min() >= 0 and shown.max() <= 1
    assert (np.diff(shown[:, 0]) >= 0).all()


def test_display_shows_what_is_no_number_as_black_and_infinity_as_white() -> None:
    pixels = np.array([[np.nan] * 3, [np.inf] * 3, [-np.inf] * 3], np.float16)
    np.testing.assert_allclose(transform.display(pixels, "ACEScg")[:, 1], [0, 1, 0], atol=1e-3)


def test_display_leaves_a_video_picture_alone() -> None:
    picture = np.random.default_rng(0).random((20, 30, 3), np.float32)
    np.testing.assert_allclose(transform.display(picture, transform.SRGB), picture, atol=1e-4)


def test_what_is_not_finite_is_black_or_as_bright_as_a_file_can_be() -> None:
    broken = np.array([np.nan, -np.inf, np.inf, -0.5, 7e4], np.float32)
    np.testing.assert_array_equal(transform.finite(broken), np.float32([0, 0, 65504, -0.5, 7e4]))
    assert np.isnan(broken[0])
