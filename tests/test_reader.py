import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import OpenImageIO
import pytest

from lifemask.ocio.colour.tags import tagged, tagged_space
from lifemask.ocio.media import exr, still
from lifemask.ocio.media.metadata import header_of
from lifemask.ocio.media.reader import Reader, layer_read, read, same_size
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media_errors import (
    BrokenFileError,
    LayerError,
    MissingFramesError,
    Remedy,
    SizeError,
)

NOISE = np.random.default_rng(0)
HALF = NOISE.normal(0, 9, (12, 16, 3)).astype(np.float16)
CODES = NOISE.integers(0, 65536, (12, 16, 3), np.uint16)


def save(path: Path, pixels: "np.ndarray[Any, Any]", **attributes: Any) -> Sequence:
    """Write a picture with OpenImageIO, in the type of the array."""
    kind = {"float16": "half", "float32": "float"}.get(str(pixels.dtype), str(pixels.dtype))
    height, width, count = pixels.shape
    spec = OpenImageIO.ImageSpec(width, height, count, kind)
    for name, value in attributes.items():
        if hasattr(spec, name):
            setattr(spec, name, value)
        else:
            spec.attribute(
                name.replace("__", ":"), *(value if isinstance(value, list) else [value])
            )
    output = OpenImageIO.ImageOutput.create(str(path))
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(pixels), output.geterror()
    output.close()
    return Sequence.find(path)


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz", "pxr24"])
def test_half_exr_comes_back_exactly(tmp_path: Path, compression: str) -> None:
    frame = read(save(tmp_path / "a.exr", HALF, compression=compression), 1)
    assert frame.half
    assert frame.rgb.dtype == np.float32
    np.testing.assert_array_equal(frame.rgb, HALF)


@pytest.mark.parametrize(
    "window", [(0, 0, 16, 12), (-3, -2, 30, 20), (4, 5, 6, 6), (-3, 5, 9, 20), (40, 40, 4, 4)]
)
@pytest.mark.parametrize("layers", [False, True])
def test_a_frame_is_its_display_window(
    tmp_path: Path, window: tuple[int, int, int, int], layers: bool
) -> None:
    left, top, width, height = window
    where = {"full_x": left, "full_y": top, "full_width": width, "full_height": height}
    path = tmp_path / "a.exr"
    names = {"channelnames": ("R", "G", "B", "depth.V")}
    frame = read(save(path, np.dstack([HALF, HALF[..., 0]]), **where, **names), 1, layers)
    everywhere = np.zeros((100, 100, 3), np.float32)
    everywhere[20:32, 20:36] = HALF
    expected = everywhere[20 + top :, 20 + left :][:height, :width]
    np.testing.assert_array_equal(frame.rgb, expected)
    if layers:
        np.testing.assert_array_equal(frame.layers["depth.V"], expected[..., 0])


def test_layers_come_when_asked_for(tmp_path: Path) -> None:
    names = ["R", "G", "B", "A", "swap.R", "a.b.c.R", "facematte.V"]
    channels = {name: NOISE.random((4, 5), np.float32) for name in names}
    exr.write(tmp_path / "a.exr", channels, {})
    sequence = Sequence.find(tmp_path / "a.exr")
    assert read(sequence, 1).layers == {}
    frame = read(sequence, 1, layers=True)
    assert set(frame.layers) == {"swap.R", "a.b.c.R", "facematte.V"}
    assert not frame.half
    assert frame.alpha is not None
    np.testing.assert_array_equal(frame.alpha, channels["A"])
    for name, pixels in frame.layers.items():
        np.testing.assert_array_equal(pixels, channels[name])


@pytest.mark.parametrize("before", ["depth Z", "normal X Y Z", "albedo R G B"])
@pytest.mark.parametrize("name", ["rgba", "beauty.left"])
def test_of_several_parts_the_whole_picture_is_read(tmp_path: Path, before: str, name: str) -> None:
    other, *channels = before.split()
    first = OpenEXR.Part({}, dict.fromkeys(channels, np.ones((12, 16), np.float32)), other)
    planes = dict(zip("RGB", np.ascontiguousarray(HALF.transpose(2, 0, 1)), strict=True))
    more = planes | {"mask": np.full((12, 16), 2, np.float16)}
    OpenEXR.File([first, OpenEXR.Part({"owner": "us"}, more, name)]).write(str(tmp_path / "a.exr"))
    frame = read(Sequence.find(tmp_path / "a.exr"), 1, layers=True)
    np.testing.assert_array_equal(frame.rgb, HALF)
    assert frame.header["owner"] == "us"
    assert frame.layers.keys() == {"mask"}


def exr_of(path: Path, *parts: tuple[str, dict[str, Any]], **header: Any) -> Sequence:
    """Write an EXR of planes (12, 16), or of one number each, by part and channel."""
    made = [
        OpenEXR.Part({**header}, {n: plane(value) for n, value in channels.items()}, name)
        for name, channels in parts
    ]
    OpenEXR.File(made).write(str(path))
    return Sequence.find(path)


def plane(value: Any) -> "np.ndarray[Any, Any]":
    return np.full((12, 16), value, getattr(value, "dtype", np.float16))


def layer(name: str, value: float, letters: str = "RGB") -> dict[str, float]:
    return {f"{name}.{letter}": value for letter in letters}


@pytest.mark.parametrize("named", ["beauty", "BEAUTY"])
def test_the_layer_that_is_named_is_read_with_its_own_alpha(tmp_path: Path, named: str) -> None:
    channels = {**dict.fromkeys("RGBA", 0.5), **layer("beauty", 2, "RGB"), "beauty.A": 0.25}
    sequence = exr_of(tmp_path / "a.exr", ("", channels))
    plain = read(sequence, 1)
    assert (plain.rgb == 0.5).all()
    assert (plain.alpha == 0.5).all()  # type: ignore[union-attr]
    frame = read(replace(sequence, layer=named), 1, layers=True)
    assert (frame.rgb == 2).all()
    assert (frame.alpha == 0.25).all()  # type: ignore[union-attr]
    assert frame.layers.keys() == set("RGBA")
    with pytest.raises(
        LayerError, match=r"a\.exr: has no layer 'beuty' with .*; there: RGBA, beauty"
    ):
        read(replace(sequence, layer="beuty"), 1)


def test_a_layer_without_alpha_has_not_another_s(tmp_path: Path) -> None:
    channels = {**layer("albedo", 1, "RGBA"), **layer("rgba", 2), "A": 3}
    frame = read(exr_of(tmp_path / "a.exr", ("", channels)), 1)
    assert (frame.rgb == 2).all()
    assert frame.alpha is None


def test_the_part_that_is_named_says_what_its_colours_are(tmp_path: Path) -> None:
    parts = ("left", dict.fromkeys("RGB", 1.0)), ("right", dict.fromkeys("RGB", 2.0))
    sequence = exr_of(tmp_path / "a.exr", *parts, multiView=["right", "left"])
    assert (read(sequence, 1).rgb == 2).all()
    assert (read(replace(sequence, layer="left"), 1).rgb == 1).all()
    assert layer_read(sequence) == (
        f"{sequence.file(1001).name}: the picture is right, not left",
        Remedy("another_layer"),
    )


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (dict.fromkeys("RGBA", 1), ""),
        ({**dict.fromkeys("RGB", 1), "depth.Z": 1, **layer("N", 1, "XYZ")}, ""),
        ({**dict.fromkeys("RGB", 1), **layer("diffuse", 1)}, "is RGB, not diffuse"),
        (layer("foo", 1), "a.exr: the picture is foo"),
        ({**layer("Image", 1), **layer("Albedo", 1)}, "is Image, not Albedo"),
    ],
)
def test_the_layer_that_is_read_is_told_where_it_is_a_choice(
    tmp_path: Path, channels: Any, said: str
) -> None:
    told, _ = layer_read(exr_of(tmp_path / "a.exr", ("", channels)))
    assert said in told
    assert bool(told) is bool(said)


@pytest.mark.parametrize("named", ["", "beauty"])
@pytest.mark.parametrize("other", [layer("final", 1), {"Y": 1}, dict.fromkeys("RGB", 1)])
def test_another_layer_than_in_the_frames_before_is_refused(
    tmp_path: Path, named: str, other: Any
) -> None:
    for number in (1, 2, 3):
        channels = other if number == 3 else layer("beauty", 1)
        exr_of(tmp_path / f"a.{number:04}.exr", ("", {**channels, **layer("albedo", 2)}))
    sequence = Sequence.find(tmp_path / "a.####.exr", "", named)
    with pytest.raises(LayerError, match=r"a\.0003\.exr: .*beauty"):
        same_size(sequence)
    with Reader(sequence) as reader:
        reader.read(1)
        with pytest.raises(LayerError, match=r"a\.0003\.exr: .*beauty"):
            reader.read(3)


def test_other_layers_may_come_and_go(tmp_path: Path) -> None:
    for number, more in enumerate(({}, layer("albedo", 2), {"Z": 1}), 1):
        channels = {**more, **layer("beauty", number), **layer("diffuse", 0)}
        exr_of(tmp_path / f"a.{number:04}.exr", ("", channels))
    with Reader(Sequence.find(tmp_path / "a.####.exr")) as reader:
        assert [reader.read(number).rgb.mean() for number in (1, 2, 3)] == [1, 2, 3]


ACES = 0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767
# Of SMPTE RP 177 and of ACES' S-2014-004.
WEIGHTS = {None: (0.212639, 0.715169, 0.072192), ACES: (0.2722287, 0.6740818, 0.0536895)}


@pytest.mark.parametrize("names", ["Y RY BY", "y ry by", "beauty.Y beauty.RY beauty.BY"])
@pytest.mark.parametrize("primaries", WEIGHTS)
def test_luminance_and_chroma_are_colour(tmp_path: Path, names: str, primaries: Any) -> None:
    rgb = np.abs(HALF.astype(np.float64)) + 0.1
    luminance = rgb @ WEIGHTS[primaries]
    stored = luminance, rgb[..., 0] / luminance - 1, rgb[..., 2] / luminance - 1
    planes = zip(names.split(), (value.astype(np.float32) for value in stored), strict=True)
    more = {"A": np.float32(0.3), **layer("albedo", 1)}
    header = {"chromaticities": primaries} if primaries else {}
    frame = read(exr_of(tmp_path / "a.exr", ("", {**dict(planes), **more}), **header), 1)
    np.testing.assert_allclose(frame.rgb, rgb, rtol=2e-4, atol=2e-4)
    assert not frame.half
    assert (frame.alpha is None) is names.startswith("beauty")


def test_luminance_without_chroma_is_grey_to_the_bit(tmp_path: Path) -> None:
    planes = {"Y": HALF[..., 0], "RY": 0, "BY": 0}
    frame = read(exr_of(tmp_path / "a.exr", ("", planes)), 1)
    np.testing.assert_array_equal(frame.rgb, HALF[..., :1].repeat(3, 2))


@pytest.mark.parametrize("primaries", [(0.0,) * 8, (float("nan"),) * 8, (0.3,) * 8])
def test_chroma_of_no_rgb_is_refused(tmp_path: Path, primaries: Any) -> None:
    planes = dict.fromkeys(("Y", "RY", "BY"), 1)
    with pytest.raises(BrokenFileError, match=r"a\.exr: chromaticities .* no RGB"):
        read(exr_of(tmp_path / "a.exr", ("", planes), chromaticities=primaries), 1)


def test_a_movie_has_no_layers() -> None:
    with pytest.raises(LayerError, match=r"a\.mov: a movie has no layers"):
        Sequence("a.mov", (1,), "beauty")


@pytest.mark.parametrize(("kinds", "half"), [("eee", 1), ("eeee", 1), ("eff", 0), ("eeef", 0)])
def test_a_frame_is_half_when_all_that_is_read_is(tmp_path: Path, kinds: str, half: bool) -> None:
    types = {"e": np.float16, "f": np.float32}
    planes = {name: types[k](1) for name, k in zip("RGBA", kinds, strict=False)}
    frame = read(exr_of(tmp_path / "a.exr", ("", {**planes, "depth.Z": np.float32(1)})), 1)
    assert frame.half is bool(half)


def test_whole_numbers_of_an_exr_are_what_they_say(tmp_path: Path) -> None:
    kinds = {"R": np.float16(0.25), "G": np.uint32(3), "B": np.float32(0.3), "A": np.uint32(1)}
    frame = read(exr_of(tmp_path / "a.exr", ("", kinds)), 1)
    expected = np.full((12, 16, 3), [0.25, 3, np.float32(0.3)], np.float32)
    np.testing.assert_array_equal(frame.rgb, expected)
    np.testing.assert_array_equal(frame.alpha, np.ones((12, 16), np.float32))
    assert not frame.half


@pytest.mark.parametrize("suffix", ["png", "tif", "dpx"])
def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path, suffix: str) -> None:
    frame = read(save(tmp_path / f"a.{suffix}", CODES), 1)
    assert not frame.half
    np.testing.assert_array_equal(np.rint(frame.rgb.astype(np.float64) * 65535), CODES)


def test_ten_bit_dpx_is_code_value_over_1023(tmp_path: Path) -> None:
    words = (CODES >> 6).astype(np.uint32)
    sequence = save(tmp_path / "a.dpx", CODES, oiio__BitsPerSample=10)
    raw = bytearray((tmp_path / "a.dpx").read_bytes())
    order = ">" if raw[:4] == b"SDPX" else "<"
    start = struct.unpack(f"{order}I", raw[4:8])[0]
    packed = words[..., 0] << 22 | words[..., 1] << 12 | words[..., 2] << 2
    raw[start:] = packed.astype(f"{order}u4").tobytes()
    (tmp_path / "a.dpx").write_bytes(raw)
    np.testing.assert_allclose(read(sequence, 1).rgb, words / 1023, atol=2e-5)


def test_straight_alpha_leaves_the_colour_alone(tmp_path: Path) -> None:
    pixels = np.dstack([CODES, CODES[..., :1] // 2])
    frame = read(save(tmp_path / "a.png", pixels, oiio__UnassociatedAlpha=1), 1)
    assert frame.alpha is not None
    np.testing.assert_allclose(frame.rgb, CODES / 65535, atol=1e-6)
    np.testing.assert_allclose(frame.alpha, pixels[..., 3] / 65535, atol=1e-6)


def test_a_grey_picture_has_three_equal_channels(tmp_path: Path) -> None:
    frame = read(save(tmp_path / "a.png", CODES[..., :1]), 1)
    np.testing.assert_allclose(frame.rgb, np.repeat(CODES[..., :1], 3, 2) / 65535, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_upright(tmp_path: Path, orientation: int) -> None:
    save(tmp_path / "a.tif", CODES, Orientation=orientation)
    expected = OpenImageIO.ImageBufAlgo.reorient(OpenImageIO.ImageBuf(str(tmp_path / "a.tif")))
    frame = read(Sequence.find(tmp_path / "a.tif"), 1)
    np.testing.assert_allclose(frame.rgb, expected.get_pixels(OpenImageIO.FLOAT), atol=1e-6)
    assert same_size(Sequence.find(tmp_path / "a.tif")) == frame.rgb.shape[1::-1]


def test_a_dpx_header_becomes_an_exr_header(tmp_path: Path) -> None:
    time_code = ["timecode", (0x91234512, 0x87654321)]
    attributes = {"smpte__TimeCode": time_code, "dpx__InputDevice": "ALEXA"}
    frame = read(save(tmp_path / "a.dpx", CODES, dpx__FrameRate=23.976, **attributes), 1)
    exr.write(tmp_path / "a.exr", {"R": HALF[..., 0]}, frame.header)
    spec = OpenImageIO.ImageInput.open(str(tmp_path / "a.exr")).spec()
    assert spec.getattribute("smpte:TimeCode") == time_code[1]
    header = exr.read_header(tmp_path / "a.exr")
    assert header["framesPerSecond"] == Fraction(24000, 1001)
    assert header["dpx:InputDevice"] == "ALEXA"


def test_a_dpx_header_without_values_gives_none(tmp_path: Path) -> None:
    sequence = save(tmp_path / "a.dpx", CODES)
    raw = bytearray((tmp_path / "a.dpx").read_bytes())
    raw[1664:2048] = b"\xff" * 384
    (tmp_path / "a.dpx").write_bytes(raw)
    assert not {"timeCode", "framesPerSecond"} & set(read(sequence, 1).header)


def test_text_that_is_not_utf8_does_not_stop_a_plate(tmp_path: Path) -> None:
    exr.write(tmp_path / "a.exr", {"R": HALF[..., 0]}, {"owner": "M_ller"})
    raw = (tmp_path / "a.exr").read_bytes().replace(b"M_ller", b"M\xfcller")
    (tmp_path / "a.exr").write_bytes(raw)
    assert read(Sequence.find(tmp_path / "a.exr"), 1).header["owner"] == "Müller"


def test_a_rate_over_nothing_does_not_stop_a_plate(tmp_path: Path) -> None:
    exr.write(tmp_path / "a.exr", {"R": HALF[..., 0]}, {"framesPerSecond": Fraction(24, 7)})
    rate = struct.pack("<iI", 24, 7)
    raw = (tmp_path / "a.exr").read_bytes()
    assert raw.count(rate) == 1
    (tmp_path / "a.exr").write_bytes(raw.replace(rate, struct.pack("<iI", 24, 0)))
    frame = read(Sequence.find(tmp_path / "a.exr"), 1)
    np.testing.assert_array_equal(frame.rgb[..., 0], HALF[..., 0])
    assert "framesPerSecond" not in frame.header


def test_a_text_that_was_never_written_is_empty() -> None:
    spec = OpenImageIO.ImageSpec(4, 4, 3, "uint16")
    spec.attribute("DateTime", "\xff" * 24)
    assert header_of(spec)["capDate"] == ""


def test_a_truncated_frame_is_never_half_a_picture(tmp_path: Path) -> None:
    sequence = save(tmp_path / "a.exr", HALF)
    raw = (tmp_path / "a.exr").read_bytes()
    for size in range(0, len(raw), 29):
        (tmp_path / "a.exr").write_bytes(raw[:size])
        for layers in (False, True):
            with pytest.raises(BrokenFileError, match=r"a\.exr: "):
                read(sequence, 1, layers)


def test_a_format_that_is_not_read_is_told_with_what_is(tmp_path: Path) -> None:
    (tmp_path / "IMG_0001.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 90)
    with pytest.raises(BrokenFileError, match=r"HEIC: its format is not read; EXR, .*JPEG"):
        read(Sequence.find(tmp_path / "IMG_0001.HEIC"), 1)


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    for number, size in ((1, 16), (2, 16), (3, 15)):
        save(tmp_path / f"a.{number:04}.exr", HALF[:, :size])
    sequence = Sequence.find(tmp_path / "a.####.exr")
    with pytest.raises(SizeError, match=r"a\.0003\.exr: is 15x12, .* 16x12"):
        same_size(sequence)
    with Reader(sequence) as reader:
        reader.read(1)
        reader.read(2)
        with pytest.raises(SizeError):
            reader.read(3)


def test_a_frame_that_went_away_is_missing(tmp_path: Path) -> None:
    sequence = save(tmp_path / "a.0001.exr", HALF)
    with pytest.raises(MissingFramesError, match="frame 2 is missing"):
        read(sequence, 2)
    (tmp_path / "a.0001.exr").unlink()
    with pytest.raises(MissingFramesError, match="frame 1 is missing"):
        read(sequence, 1)


AP1, REC709 = map(OpenEXR.colorInteropIDToChromaticities, ("lin_ap1_scene", "lin_rec709_scene"))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"colorInteropID": "lin_rec2020_scene"}, "Linear Rec.2020"),
        ({"colorInteropID": "lin_ap0_scene", "chromaticities": AP1}, "ACES2065-1"),
        ({"chromaticities": AP1}, "ACEScg"),
        ({"chromaticities": (0.5, 0.3, 0.3, 0.5, 0.2, 0.1, 0.3, 0.3)}, None),
        ({"colorInteropID": "ours"}, None),
        ({"colorInteropID": "data"}, None),
        ({"lifemask/colorspace": "Linear ARRI Wide Gamut 3"}, "Linear ARRI Wide Gamut 3"),
        ({"lifemask/colorspace": "ACES2065-1", "chromaticities": AP1}, "ACEScg"),
        ({}, None),
    ],
)
def test_a_header_names_its_colour_space(tmp_path: Path, header: Any, name: str | None) -> None:
    exr.write(tmp_path / "a.exr", dict.fromkeys("RGB", HALF[..., 0]), header)
    assert tagged_space(Sequence.find(tmp_path / "a.exr")) == name


@pytest.mark.parametrize("space", ["ACEScg", "Linear Rec.2020", "Linear ARRI Wide Gamut 3"])
@pytest.mark.parametrize("before", [{}, {"chromaticities": REC709}, {"colorInteropID": "ours"}])
def test_a_result_names_its_own_colour_space_alone(tmp_path: Path, before: Any, space: str) -> None:
    header = tagged({**before, "owner": "us"}, space) | {"lifemask/colorspace": space}
    exr.write(tmp_path / "a.exr", dict.fromkeys("RGB", HALF[..., 0]), header)
    assert tagged_space(Sequence.find(tmp_path / "a.exr")) == space
    assert header["owner"] == "us"


def test_a_photograph_is_srgb_and_a_dpx_says_nothing(tmp_path: Path) -> None:
    assert tagged_space(save(tmp_path / "a.jpg", CODES)) == "sRGB Encoded Rec.709 (sRGB)"
    assert tagged_space(save(tmp_path / "a.dpx", CODES)) is None


def test_many_threads_read_what_one_reads(tmp_path):
    noise = NOISE.random((100, 64, 3)).astype(np.float16)
    names = [f"{tmp_path}/lossy.{frame:04d}.exr" for frame in range(1, 9)]
    sequences = [save(Path(name), noise, compression="dwaa") for name in names]
    still._choose_decoder.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        many = list(threads.map(lambda sequence: read(sequence, sequence.frames[0]).rgb, sequences))
    assert still._choose_decoder.cache_info().misses == 1
    alone = read(sequences[0], sequences[0].frames[0]).rgb
    assert not np.array_equal(alone, noise)
    assert all(np.array_equal(one, alone) for one in many)
