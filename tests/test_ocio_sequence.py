import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.ocio import sequence
from lifemask.ocio.errors import BrokenFileError, LifemaskError, MissingFramesError
from lifemask.ocio.read import read
from lifemask.ocio.sequence import Sequence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for frame in range(1001, 1007):
        (tmp_path / f"beauty.{frame}.exr").touch()
    (tmp_path / ".beauty.1007.exr.99.part").touch()
    (tmp_path / "other.1001.exr").touch()
    (tmp_path / "IMG_1234.jpg").touch()
    return tmp_path


@pytest.mark.parametrize("name", ["####", "%04d", "$F4", "@@@@", "@", "#", "%d", "*", "1003"])
def test_every_way_to_name_a_sequence_means_the_same(folder: Path, name: str) -> None:
    found = Sequence.find(folder / f"beauty.{name}.exr")
    assert found == Sequence(f"{folder}/beauty.####.exr", tuple(range(1001, 1007)))
    assert found.file(1003) == folder / "beauty.1003.exr"
    assert found.fps is None


def test_a_range_chooses_frames_with_a_step(folder: Path) -> None:
    found = Sequence.find(f"{folder}/beauty.####.exr", "1001-1006x2")
    assert found.frames == (1001, 1003, 1005)


def test_missing_frames_are_told_as_a_range(folder: Path) -> None:
    with pytest.raises(MissingFramesError, match="misses frames 1007-1012"):
        Sequence.find(f"{folder}/beauty.####.exr", "1004-1012")


def test_a_hole_is_told_unless_the_range_leaves_it_out(folder: Path) -> None:
    (folder / "beauty.1004.exr").unlink()
    with pytest.raises(MissingFramesError, match="misses frames 1004"):
        Sequence.find(f"{folder}/beauty.####.exr")
    found = Sequence.find(f"{folder}/beauty.####.exr", "1001-1003,1005")
    assert found.frames == (1001, 1002, 1003, 1005)


def test_a_frame_whose_link_leads_nowhere_is_missing(folder: Path) -> None:
    (folder / "beauty.1007.exr").symlink_to(folder / "gone.exr")
    sequence = Sequence.find(f"{folder}/beauty.####.exr")
    assert sequence.frames[-1] == 1007
    with pytest.raises(MissingFramesError, match="frame 1007 is missing"):
        read(sequence, 1007)


def test_a_name_in_an_old_encoding_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not every file system can hold such a name: what lists a folder stands in for it.
    name = os.fsdecode(b"takes/m\xfcller.1001.exr")
    monkeypatch.setattr(sequence, "glob", lambda _: [name])
    for path in (name, "takes/m*.####.exr", "takes/*"):
        with pytest.raises(BrokenFileError, match="its name is not UTF-8; rename it"):
            Sequence.find(path)


def test_a_sequence_on_twos_has_no_holes(tmp_path: Path) -> None:
    for frame in (2, 4, 6):
        (tmp_path / f"a_{frame:03}.dpx").touch()
    assert Sequence.find(tmp_path / "a_*.dpx").frames == (2, 4, 6)


def test_numbers_without_padding_and_below_zero(tmp_path: Path) -> None:
    for frame in range(-2, 12):
        (tmp_path / f"a.{frame}.png").touch()
    found = Sequence.find(tmp_path / "a.@.png")
    assert found.frames == tuple(range(-2, 12))
    assert all(found.file(frame).is_file() for frame in found.frames)


def test_a_still_is_one_frame_even_when_its_camera_numbered_it(folder: Path) -> None:
    still = Sequence.find(folder / "IMG_1234.jpg")
    assert still.frames == (1,)
    assert still.file(1) == folder / "IMG_1234.jpg"


def test_folders_and_names_may_be_wild(folder: Path) -> None:
    (folder / "take_2").mkdir()
    (folder / "take_2" / "beauty.0001.exr").touch()
    found = Sequence.find_all(f"{folder}/take_*/*.####.exr")
    assert found == [Sequence(f"{folder}/take_2/beauty.####.exr", (1,))]
    with pytest.raises(BrokenFileError, match="several sequences"):
        Sequence.find(f"{folder}/*.####.exr")


@pytest.mark.parametrize("name", ["none.####.exr", "none.exr", "none*.exr", "none.mov", ""])
def test_what_is_not_there_is_named(folder: Path, name: str) -> None:
    with pytest.raises(BrokenFileError, match=r"no such file|is a folder"):
        Sequence.find(folder / name)


@given(st.text(max_size=20))
def test_any_range_is_understood_or_refused(text: str) -> None:
    still = Path(__file__)
    try:
        assert Sequence.find(still, text).frames == (1,)
    except LifemaskError as error:
        assert str(still) in str(error)


def test_a_range_that_is_mistyped_large_is_refused(tmp_path):
    (tmp_path / "a.1001.exr").touch()
    with pytest.raises(MissingFramesError, match="is not a frame range"):
        Sequence.find(tmp_path / "a.####.exr", "1001-9999999999")


@pytest.mark.parametrize("names", [["-002", "-001", "0000", "0001"], ["-0002", "-0001", "0000"]])
def test_frames_below_zero_are_found_however_their_minus_is_counted(tmp_path, names):
    for name in names:
        (tmp_path / f"a.{name}.exr").touch()
    found = Sequence.find(tmp_path / "a.####.exr")
    assert found.frames == tuple(map(int, names))
    assert [found.file(frame).name for frame in found.frames] == [f"a.{n}.exr" for n in names]
