from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import OpenImageIO
import pytest
from conftest import full_disk

from lifemask.ocio.media import exr
from lifemask.ocio.media_errors import BrokenFileError, WriteError

HEADER: dict[str, Any] = {
    "timeCode": OpenEXR.TimeCode(1, 2, 3, 4, *[0] * 14),
    "framesPerSecond": Fraction(24000, 1001),
    "keyCode": OpenEXR.KeyCode(1, 2, 3, 4, 5, 4, 64),
    "capDate": "2026:11:21 12:00:00",
    "owner": "Müller",
    "isoSpeed": 800.0,
    "camera:shutter": 172,
    "worldToCamera": np.arange(16, dtype=np.float32).reshape(4, 4),
    "lensOffset": np.array([0.5, -0.25], np.float32),
    "views": ["left", "right"],
    "chromaticities": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767),
    "lifemask/model": "f00d",
}


def channels(size: tuple[int, int] = (9, 14)) -> dict[str, "np.ndarray[Any, Any]"]:
    noise = np.random.default_rng(0)
    half = [*"RGBA", "swap.R", "a.b.R", "facematte.V"]
    layers: dict[str, Any] = {name: noise.normal(0, 9, size).astype(np.float16) for name in half}
    return layers | {f"stmap.{c}": noise.random(size, np.float32) for c in "UVA"}


def test_pixels_and_types_come_back_exactly(tmp_path: Path) -> None:
    written = channels()
    written["R"][0, :4] = [np.inf, -np.inf, np.nan, 65504]
    exr.write(tmp_path / "a.exr", written, {})
    back, _ = exr.read_channels(tmp_path / "a.exr")
    assert back.keys() == written.keys()
    for name, pixels in written.items():
        assert back[name].dtype == pixels.dtype
        np.testing.assert_array_equal(back[name], pixels)


def test_views_of_arrays_are_written_right(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).random((33, 20, 3), np.float32)
    views = {name: picture[::-1, ::2, index] for index, name in enumerate("RGB")}
    exr.write(tmp_path / "a.exr", views, {})
    back, _ = exr.read_channels(tmp_path / "a.exr")
    for name, pixels in views.items():
        np.testing.assert_array_equal(back[name], pixels)


def test_the_file_is_laid_out_as_hosts_want_it(tmp_path: Path) -> None:
    foreign = {
        "compression": OpenEXR.DWAA_COMPRESSION,
        "displayWindow": (np.array([5, 5], np.int32), np.array([90, 90], np.int32)),
    }
    exr.write(tmp_path / "a.exr", channels((9, 14)), foreign)
    spec = OpenImageIO.ImageInput.open(str(tmp_path / "a.exr")).spec()
    assert spec.get_string_attribute("compression") == "zips"
    assert (spec.x, spec.y, spec.width, spec.height) == (0, 0, 14, 9)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, 14, 9)


def test_metadata_of_any_type_passes_through_twice(tmp_path: Path) -> None:
    exr.write(tmp_path / "a.exr", channels(), HEADER)
    exr.write(tmp_path / "b.exr", channels(), exr.read_header(tmp_path / "a.exr"))
    header = exr.read_header(tmp_path / "b.exr")
    for name, value in HEADER.items():
        if name == "chromaticities":
            assert header[name] == pytest.approx(value)
        elif name in ("timeCode", "keyCode"):
            assert repr(header[name]) == repr(value)
        else:
            np.testing.assert_array_equal(header[name], value)


def test_an_attribute_of_an_unknown_type_passes_through(tmp_path: Path) -> None:
    exr.write(tmp_path / "a.exr", channels(), {"odd": "bytes"})
    raw = (tmp_path / "a.exr").read_bytes().replace(b"odd\0string\0", b"odd\0strang\0")
    (tmp_path / "a.exr").write_bytes(raw)
    exr.write(tmp_path / "b.exr", channels(), exr.read_header(tmp_path / "a.exr"))
    assert b"odd\0strang\0\5\0\0\0bytes" in (tmp_path / "b.exr").read_bytes()


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(b"old")
    with full_disk(4096), pytest.raises(WriteError, match=r"a\.exr: cannot be written"):
        exr.write(path, channels((99, 99)), {})
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"a\.exr: cannot be written"):
        exr.write(tmp_path / "file" / "a.exr", channels(), {})


def test_a_disk_that_gives_back_something_else_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = OpenEXR.File.write

    def worse(file: Any, name: str) -> None:
        write(file, name)
        raw = bytearray(Path(name).read_bytes())
        raw[-1] ^= 1
        Path(name).write_bytes(raw)

    monkeypatch.setattr(OpenEXR.File, "write", worse)
    with pytest.raises(WriteError, match="something else"):
        exr.write(tmp_path / "a.exr", channels(), {})
    assert not list(tmp_path.iterdir())


def test_what_is_no_exr_is_named(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.exr", "there is no such file"), (tmp_path, "not ")):
        with pytest.raises(BrokenFileError, match=said):
            exr.read_header(path)
