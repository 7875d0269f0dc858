"""Every pixel format that a movie may have: read as it is stored, or refused by its name."""

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange
from film import SIZE, film

from lifemask.ocio.media.reader import check_readable, read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media.yuv import alpha_of, as_rgb, is_supported
from lifemask.ocio.media_errors import BrokenFileError

NOISE = np.random.default_rng(0)
HEIGHT, WIDTH = SIZE


def filled(name, *planes, color_range=None):
    """Return a picture whose planes hold these arrays (H, items)."""
    picture = av.VideoFrame(WIDTH, HEIGHT, name)
    for plane, values in zip(picture.planes, planes, strict=True):
        stored = np.zeros((plane.height, plane.line_size), np.uint8)
        row = np.ascontiguousarray(values).view(np.uint8)
        stored[:, : row.shape[1]] = row
        plane.update(stored.tobytes())
    if color_range is not None:
        picture.color_range = color_range
    return picture


def codes(bits, parts=1, order="<"):
    kind = np.dtype(f"{order}u{1 if bits <= 8 else 2 if bits <= 16 else 4}")
    return NOISE.integers(0, 1 << bits, (HEIGHT, WIDTH * parts), np.uint32).astype(kind)


@pytest.mark.parametrize("bits", [8, 10, 12, 16, 32])
@pytest.mark.parametrize("end", ["le", "be"])
@pytest.mark.parametrize("limited", [False, True])
def test_grey_is_read_at_its_depth_and_range(bits, end, limited):
    stored = codes(bits, order="<" if end == "le" else ">")
    name = "gray" if bits == 8 else f"gray{bits}{end}"
    rgb = as_rgb(filled(name, stored, color_range=ColorRange.MPEG if limited else None))
    one = 1 << bits - 8
    expected = (stored / one - 16) / 219 if limited else stored / ((1 << bits) - 1)
    np.testing.assert_allclose(rgb, np.dstack([expected] * 3), atol=1e-6)


@pytest.mark.parametrize("name", ["gbrp", "gbrp10le", "gbrp12be", "gbrp16le", "gbrap16le"])
def test_rgb_in_planes_is_read_as_it_is_stored(name):
    bits = int("".join(filter(str.isdigit, name)) or 8)
    planes = [
        codes(bits, order=">" if "be" in name else "<") for _ in range(4 if "a" in name else 3)
    ]
    picture = filled(name, *planes)
    green, blue, red = (plane / ((1 << bits) - 1) for plane in planes[:3])
    np.testing.assert_allclose(as_rgb(picture), np.dstack([red, green, blue]), atol=1e-6)
    if "a" in name:
        np.testing.assert_allclose(alpha_of(picture), planes[3] / 65535, atol=1e-6)


@pytest.mark.parametrize("name", ["gbrpf32le", "gbrapf32be", "gbrpf16le", "grayf32le", "grayf16be"])
def test_floats_in_planes_keep_what_is_below_black_and_above_white(name):
    kind = np.dtype(f"{'>' if 'be' in name else '<'}f{'4' if '32' in name else '2'}")
    count = 1 if "gray" in name else 4 if "gbra" in name else 3
    planes = [NOISE.uniform(-2, 60, (HEIGHT, WIDTH)).astype(kind) for _ in range(count)]
    picture = filled(name, *planes)
    order = [0, 0, 0] if count == 1 else [2, 0, 1]
    expected = np.dstack([planes[place] for place in order]).astype(np.float32)
    np.testing.assert_array_equal(as_rgb(picture), expected)
    if count == 4:
        np.testing.assert_array_equal(alpha_of(picture), planes[3].astype(np.float32))


@pytest.mark.parametrize("name", ["rgbf32le", "rgbaf16be", "rgbaf32le", "yaf32le", "yaf16be"])
def test_floats_side_by_side_are_read_as_they_are_stored(name):
    kind = np.dtype(f"{'>' if 'be' in name else '<'}f{'4' if '32' in name else '2'}")
    count = 2 if name.startswith("ya") else 4 if "rgba" in name else 3
    stored = NOISE.uniform(-2, 60, (HEIGHT, WIDTH, count)).astype(kind)
    picture = filled(name, stored.reshape(HEIGHT, -1))
    expected = stored[..., :3] if count > 2 else stored[..., [0, 0, 0]]
    np.testing.assert_array_equal(as_rgb(picture), expected.astype(np.float32))
    if count % 2 == 0:
        np.testing.assert_array_equal(alpha_of(picture), stored[..., -1].astype(np.float32))


def black_and_white():
    stored = np.zeros((*SIZE, 3), np.uint8)
    stored[:, :24] = 255
    return stored, av.VideoFrame.from_ndarray(stored, "rgb24")


@pytest.mark.parametrize("kind", ["monob", "gray", "gray16be", "ya8", "pal8"])
def test_a_movie_of_black_and_white_is_read(tmp_path, kind):
    stored, picture = black_and_white()
    if kind == "pal8":
        palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, 1) | [255, 0, 0, 0]
        picture = av.VideoFrame.from_ndarray((stored[..., 0], palette.astype(np.uint8)), "pal8")
    sequence = Sequence.find(film(tmp_path / "a.mov", "png", kind, pictures=[picture] * 2))
    check_readable(sequence)
    np.testing.assert_allclose(read(sequence, 2).rgb, stored / 255, atol=1e-4)


def test_one_bit_is_read_whether_it_is_black_or_white():
    stored, picture = black_and_white()
    for kind in ("monob", "monow"):
        np.testing.assert_allclose(as_rgb(picture.reformat(format=kind)), stored / 255, atol=1e-6)


def test_a_movie_of_grey_in_video_levels_is_read(tmp_path):
    picture = filled("gray", np.full(SIZE, 235, np.uint8))
    path = film(tmp_path / "a.mp4", "libx264", "gray", pictures=[picture] * 3, options={"qp": "0"})
    np.testing.assert_allclose(read(Sequence.find(path), 3).rgb, 1, atol=0.01)


def test_a_palette_has_its_colours_and_its_alpha():
    palette = NOISE.integers(0, 256, (256, 4), np.uint8)
    stored = codes(8)
    picture = av.VideoFrame.from_ndarray((stored, palette), "pal8")
    entries = palette[stored]  # as it is in memory: blue, green, red, alpha, or from alpha on
    expected = as_rgb(picture) * 255
    assert any(
        np.allclose(entries[..., order], expected, atol=0.01) for order in ([2, 1, 0], [1, 2, 3])
    )
    alpha = alpha_of(picture) * 255
    assert any(np.allclose(entries[..., place], alpha, atol=0.01) for place in (0, 3))


@pytest.mark.parametrize(
    "name", ["yuv410p", "yuv411p", "nv12", "nv21", "p010le", "yuyv422", "rgb565le"]
)
def test_what_ffmpeg_converts_is_read(name):
    colour = np.full((*SIZE, 3), (200, 120, 60), np.uint8)
    picture = av.VideoFrame.from_ndarray(colour, "rgb24").reformat(
        format=name, dst_colorspace="ITU709", dst_color_range="MPEG"
    )
    picture.colorspace = 1
    np.testing.assert_allclose(as_rgb(picture), colour / 255, atol=0.025)


@pytest.mark.parametrize(
    "name", ["xyz12le", "bayer_rggb16le", "bayer_bggr8", "cuda", "vaapi", "x2rgb10be", "rgb555be"]
)
def test_what_would_come_out_wrong_is_not_read(name):
    assert not is_supported(name)


def test_a_pixel_format_that_is_not_read_is_named(tmp_path):
    picture = filled("rgb565be", codes(16))
    path = film(tmp_path / "a.nut", "rawvideo", "rgb565be", pictures=[picture] * 2, form="nut")
    path = path.rename(path.with_suffix(".mov"))
    with pytest.raises(
        BrokenFileError, match=r"a\.mov: its pixel format rgb565be is not read; RGB"
    ):
        Sequence.find(path)


@pytest.mark.parametrize("width", [321, 333, 960])
def test_no_pixel_is_lost_at_the_ends_of_rows(width):
    for _ in range(20):
        picture = av.VideoFrame(width, 271, "yuv420p10le")
        luma, *chroma = picture.planes
        codes = NOISE.integers(64, 940, (luma.height, luma.line_size // 2)).astype("<u2")
        luma.update(codes.tobytes())
        for plane in chroma:
            plane.update(np.full(plane.buffer_size // 2, 512, "<u2").tobytes())
        expected = np.dstack([(codes[:, :width] - 64.0) / 876] * 3)
        np.testing.assert_allclose(as_rgb(picture), expected, atol=1e-5)
