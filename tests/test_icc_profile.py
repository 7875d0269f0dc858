"""Photographs with a profile: the same colours, whatever space they are coded in."""

import struct
import zlib
from pathlib import Path

import numpy as np
import OpenImageIO
import pytest
from conftest import FOOTAGE
from icc import (
    ADOBE,
    CODES,
    ECI,
    NTSC_PRINTER,
    P3,
    PROPHOTO,
    REC709,
    REC2020,
    SRGB,
    SRGB_CURVE,
    SRGB_NUMBERS,
    WHITE,
    adapted,
    adobe,
    camera,
    eighteen,
    icc,
    lightness,
    parameters,
    power,
    profile,
    srgb,
    table,
)

from lifemask.nodes.shot.interpretation import space_of
from lifemask.ocio.colour.encodings import to_xyz
from lifemask.ocio.colour.icc_profile import ProfileError, space_of_icc
from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.colour.transform import WORKING, convert
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media_errors import ColorError, Remedy

ROMM = "Gamma 1.8 Encoded ProPhoto RGB"
TABLES = {b"A2B0": b"mft2" + b"\0" * 60}


def save(path: Path, codes: np.ndarray, **attributes: object) -> Sequence:
    """Write a picture of codes 0..1, in 16 bits where the format has them."""
    wide = "uint16" if path.suffix in (".png", ".tif") else "uint8"
    spec = OpenImageIO.ImageSpec(codes.shape[1], codes.shape[0], codes.shape[2], wide)
    spec.attribute("CompressionQuality", 100)
    spec.attribute("jpeg:subsampling", "4:4:4")
    for name, value in attributes.items():
        if isinstance(value, bytes):
            raw = np.frombuffer(value, np.uint8)
            spec.attribute(name, OpenImageIO.TypeDesc(f"uint8[{len(raw)}]"), raw)
        else:
            spec.attribute(name.replace("_", ":"), value)
    buffer = OpenImageIO.ImageBuf(spec)
    buffer.set_pixels(OpenImageIO.ROI(), codes.astype(np.float32))
    assert buffer.write(str(path)), buffer.geterror()
    return Sequence.find(path)


def face() -> np.ndarray:
    """Return a face, linear Rec.709, that every space here can hold."""
    take = Sequence.find(FOOTAGE / "takes/ada_studio/ada_studio.####.exr")
    return np.clip(read(take, 1001).rgb[::4, ::4], 0.002, 1)


def coded(primaries: tuple[float, ...], curve) -> np.ndarray:
    """Return the codes of the face in another space."""
    light = face() @ (np.linalg.inv(adapted(primaries)) @ adapted(REC709)).T
    return np.interp(light, curve(CODES), CODES)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize(
    ("primaries", "curve", "written"),
    [
        (P3, srgb, SRGB_CURVE),
        (P3, srgb, power(2.2)),
        (ADOBE, adobe, power(2.19921875)),
        (PROPHOTO, eighteen, power(1.8)),
        (REC2020, camera, table(camera)),
        (ECI, lightness, table(lightness)),
        (REC709, srgb, table(srgb)),
    ],
)
def test_a_face_has_the_same_colours_by_any_profile(
    tmp_path: Path, primaries, curve, written: bytes, ending: str
) -> None:
    given = coded(primaries, curve)
    sequence = save(tmp_path / f"a.{ending}", given, ICCProfile=icc(adapted(primaries), written))
    found = convert(read(sequence, 1).rgb, space_of(sequence, ""), WORKING).mean((0, 1))
    right = convert(face(), "lin_rec709", WORKING).mean((0, 1))
    np.testing.assert_allclose(found, right, rtol=0.003 if ending in ("png", "tif") else 0.01)


def named(tmp_path: Path, **attributes: object) -> str | None:
    return tagged_space(save(tmp_path / "a.jpg", coded(REC709, srgb)[:8, :8], **attributes))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (icc(adapted(REC709), SRGB_CURVE), SRGB),
        (icc(adapted(REC709), table(srgb)), SRGB),
        # Rounded as in the smallest profiles; not adapted as in old ones of screens.
        (icc(adapted(REC709).round(3), SRGB_CURVE), SRGB),
        (icc(to_xyz(P3), SRGB_CURVE), "sRGB Encoded P3-D65"),
        (icc(adapted(REC709), power(1)), "Linear Rec.709 (sRGB)"),
        (icc(adapted(REC709), b"curv\0\0\0\0\0\0\0\0"), "Linear Rec.709 (sRGB)"),
        (icc(adapted(PROPHOTO), parameters(3, 1.8, 1, 0, 1 / 16, 1 / 32)), ROMM),
        (icc(adapted(REC2020), parameters(0, 2.4)), "Gamma 2.4 Encoded Rec.2020"),
        (icc(adapted(REC709), parameters(1, 2.2, 1, 0)), "Gamma 2.2 Encoded Rec.709"),
        (icc(adapted(REC709), parameters(2, 2.2, 1, 0, 0)), "Gamma 2.2 Encoded Rec.709"),
        (icc(adapted(REC709), parameters(4, *SRGB_NUMBERS, 0, 0)), SRGB),
        (icc(WHITE[:, None], power(2.2), b"GRAY"), "Gamma 2.2 Encoded Rec.709"),
        (icc(WHITE[:, None], table(lightness), b"GRAY"), "L* Encoded Rec.709"),
        (profile(b"RGB ", TABLES | {b"cicp": b"cicp\0\0\0\0\x0c\x0d\0\1"}), "sRGB Encoded P3-D65"),
    ],
)
def test_a_profile_is_known_by_its_values(data: bytes, name: str) -> None:
    assert space_of_icc(data, "whatever") == name


def test_srgb_with_tables_alone_is_known_by_its_name() -> None:
    tables = profile(b"RGB ", TABLES)
    assert space_of_icc(tables, "sRGB v4 ICC preference perceptual intent beta") == SRGB
    with pytest.raises(ProfileError, match="'Epson' is that of no known"):
        space_of_icc(tables, "Epson")


@pytest.mark.parametrize(
    "data",
    [
        icc(adapted(NTSC_PRINTER), SRGB_CURVE),
        icc(adapted(REC709), table(lambda code: code**3)),
        icc(WHITE[:, None], table(lambda code: code**1.5), b"GRAY"),
        icc(np.zeros((3, 3)), SRGB_CURVE),
        profile(b"CMYK", TABLES),
        profile(b"RGB ", {b"cicp": b"cicp\0\0\0\0\x09\x10\0\1"}),
        icc(adapted(P3), SRGB_CURVE)[:140],
    ],
)
def test_an_unknown_profile_asks_for_the_name(tmp_path: Path, data: bytes) -> None:
    sequence = save(tmp_path / "a.tif", coded(REC709, srgb)[:8, :8], ICCProfile=data)
    with pytest.raises(ColorError, match=r"a\.tif: its .*profile ") as refused:
        space_of(sequence, "")
    assert refused.value.remedy == Remedy("convert_or_name_colorspace")
    assert space_of(sequence, "ACEScg") == "ACEScg"


def test_what_is_no_profile_is_called_broken() -> None:
    for data in (b"", bytes(200), b"<html>" * 40):
        with pytest.raises(ProfileError, match=r"^its colour profile is broken$"):
            space_of_icc(data, "")


def test_a_damaged_profile_is_known_or_told() -> None:
    random, whole = np.random.default_rng(0), icc(adapted(P3), SRGB_CURVE)
    for _ in range(300):
        data = bytearray(whole[: random.integers(1, len(whole) + 1)])
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(256)
        try:
            assert space_of_icc(bytes(data), "x")
        except ProfileError as error:
            assert "profile" in str(error)


def exif(order: str, *, index: str) -> bytes:
    """Return JPEG's segment of Exif that is not calibrated, with an index of interoperability."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    first = struct.pack(f"{order}HHHIII", 1, 0x8769, 4, 1, 26, 0)
    second = struct.pack(f"{order}HHHIHHHHIII", 2, 0xA001, 3, 1, 0xFFFF, 0, 0xA005, 4, 1, 56, 0)
    third = struct.pack(f"{order}HHHI4sI", 1, 1, 2, 4, index.encode() + b"\0", 0)
    data = b"Exif\0\0" + head + first + second + third
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_tells_adobe_rgb(tmp_path: Path, order: str) -> None:
    assert named(tmp_path, Exif_ColorSpace=1) == SRGB
    assert named(tmp_path, Exif_ColorSpace=2) == "Gamma 2.2 Encoded AdobeRGB"
    plain = save(tmp_path / "plain.jpg", coded(REC709, srgb)[:8, :8])
    whole = Path(plain.path).read_bytes()
    for index, name in (("R03", "Gamma 2.2 Encoded AdobeRGB"), ("R98", None)):
        file = tmp_path / f"{index}.jpg"
        file.write_bytes(whole[:2] + exif(order, index=index) + whole[2:])
        if name:
            assert tagged_space(Sequence.find(file)) == name
        else:
            with pytest.raises(ColorError, match="not sRGB"):
                tagged_space(Sequence.find(file))
    p3 = icc(adapted(P3), SRGB_CURVE)
    assert named(tmp_path, Exif_ColorSpace=0xFFFF, ICCProfile=p3) == "sRGB Encoded P3-D65"


def chunk(name: bytes, *values: int) -> bytes:
    data = name + struct.pack(f">{len(values)}I", *values)
    return struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


def cicp(*codes: int) -> bytes:
    data = b"cICP" + bytes(codes)
    return struct.pack(">I", 4) + data + struct.pack(">I", zlib.crc32(data))


def primaries_chunk(primaries: tuple[float, ...]) -> bytes:
    return chunk(b"cHRM", *(round(v * 100_000) for v in (*primaries[6:], *primaries[:6])))


@pytest.mark.parametrize(
    ("chunks", "name"),
    [
        (cicp(12, 13, 0, 1), "sRGB Encoded P3-D65"),
        (cicp(9, 1, 0, 1), "Camera Rec.2020"),
        (cicp(9, 16, 0, 1), None),
        (chunk(b"gAMA", 45455), "Gamma 2.2 Encoded Rec.709"),
        (chunk(b"gAMA", 45455) + primaries_chunk(REC709), "Gamma 2.2 Encoded Rec.709"),
        (chunk(b"gAMA", 45470) + primaries_chunk(ADOBE), "Gamma 2.2 Encoded AdobeRGB"),
        (chunk(b"gAMA", 45455) + primaries_chunk(P3), "sRGB Encoded P3-D65"),
        (primaries_chunk(REC709), SRGB),
        (primaries_chunk(NTSC_PRINTER), None),
        (chunk(b"cHRM", *[0] * 8), None),
        (cicp(1, 13, 0, 1) + primaries_chunk(ADOBE), SRGB),
    ],
)
def test_a_png_is_known_by_its_chunks(tmp_path: Path, chunks: bytes, name: str | None) -> None:
    file = tmp_path / "a.png"
    whole = Path(save(file, coded(REC709, srgb)[:8, :8]).path).read_bytes()
    after = whole.index(b"IHDR") + 4 + 13 + 4
    # OpenImageIO writes what it takes for the space, too.
    rest = whole[whole.index(b"IDAT") - 4 :]
    file.write_bytes(whole[:after] + chunks + rest)
    if name:
        assert tagged_space(Sequence.find(file)) == name
    else:
        with pytest.raises(ColorError, match=r"a\.png: its ") as refused:
            tagged_space(Sequence.find(file))
        assert refused.value.remedy == Remedy("convert_or_name_colorspace")


def test_photographs_in_a_row_are_in_one_space(tmp_path: Path) -> None:
    codes, p3 = coded(REC709, srgb)[:8, :8], icc(adapted(P3), SRGB_CURVE)
    for number in (1, 2):
        save(tmp_path / f"a.{number}.jpg", codes, ICCProfile=p3)
    assert tagged_space(Sequence.find(tmp_path / "a.#.jpg")) == "sRGB Encoded P3-D65"
    save(tmp_path / "a.3.jpg", codes)
    with pytest.raises(ColorError, match=r"a\.3\.jpg: .*another colour space.*P3-D65"):
        tagged_space(Sequence.find(tmp_path / "a.#.jpg"))


def test_a_profile_is_not_passed_on(tmp_path: Path) -> None:
    p3 = icc(adapted(P3), SRGB_CURVE, name="Display P3")
    sequence = save(tmp_path / "a.jpg", coded(P3, srgb), ICCProfile=p3, Exif_ColorSpace=0xFFFF)
    assert not [name for name in read(sequence, 1).header if "ICC" in name or "Color" in name]
