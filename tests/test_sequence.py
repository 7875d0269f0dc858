import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes.faceset.takes import find_takes
from lifemask.nodes.progress import reporting
from lifemask.ocio.media import sequence
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media_errors import BrokenFileError, LifemaskError, MissingFramesError


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


@pytest.mark.parametrize(
    "name", ["none.####.exr", "none.exr", "none*.exr", "none.mov", "", "none.%9999999999d.exr"]
)
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


TIMES = ("1718000000000", "1718000000001", "1720678399999")


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (TIMES, "*"),
        (TIMES, "#"),
        (TIMES[:2], "*"),
        (("120000", "120005", "131207"), "*"),
        (("0012", "0045"), "####"),
        (("a.1718000000000", "a.1718000000001"), "a.#"),
        (("a.20240131", "a.20240202", "a.20241224"), "a.*"),
        (("12345678901234567890123", "12345678901234567890124"), "*"),
    ],
)
def test_takes_whose_numbers_are_far_apart_are_photographs(tmp_path, names, pattern):
    files = [tmp_path / f"{name}.exr" for name in names]
    for file in files:
        file.touch()
    notes = []
    with reporting(lambda told: notes.append(told.note)):
        takes = find_takes([f"{tmp_path}/{pattern}.exr"])
    assert takes == [Sequence(str(file), (1,)) for file in files]
    assert f"{len(files)} of its files are taken as photographs" in notes[0]
    assert find_takes([str(tmp_path)]) == find_takes(map(str, files))
    assert find_takes([str(files[1])]) == [Sequence(str(files[1]), (1,))]


def test_a_take_with_holes_is_still_refused(tmp_path):
    for frame in (1001, 1002, 1005, 1006):
        (tmp_path / f"a.{frame}.exr").touch()
    with pytest.raises(MissingFramesError, match="misses frames 1003-1004; it has 1001-1002,1005"):
        find_takes([f"{tmp_path}/a.*.exr"])


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (TIMES, r"misses 2678399997 of 2678400000 frames; it has 1718000000000-1718000000001,17"),
        (TIMES[:2], "numbers that are too large for frames"),
        (("1" * 30, "2" * 30), "too large for frames"),
        (
            [str(n * n * 1_000_000 + n) for n in range(1, 90)],
            "misses 79[0-9]+ of 79[0-9]+ frames; it",
        ),
    ],
)
def test_a_plate_whose_numbers_are_no_frames_is_refused_in_one_sentence(tmp_path, names, why):
    for name in names:
        (tmp_path / f"{name}.exr").touch()
    with pytest.raises(MissingFramesError, match=why) as told:
        Sequence.find(f"{tmp_path}/*.exr")
    assert len(str(told.value)) < 400


def test_a_file_whose_number_is_no_frame_is_a_still(tmp_path):
    file = tmp_path / "a.1718000000000.exr"
    file.touch()
    assert Sequence.find(file) == Sequence(str(file), (1,))


def test_numbers_that_are_padded_otherwise_are_sequences_of_their_own(tmp_path):
    for name in ("8", "9", "10", "0008", "0009", "0010", "10000", "00010"):
        (tmp_path / f"a.{name}.exr").touch()
    found = Sequence.find_all(tmp_path / "a.*.exr")
    files = {str(s.file(n)) for s in found for n in s.frames}
    assert files == {str(file) for file in tmp_path.iterdir()}
    with pytest.raises(BrokenFileError, match="means several sequences"):
        Sequence.find(tmp_path / "a.*.exr")


def test_of_many_sequences_a_few_are_named(tmp_path):
    for name in range(500):
        (tmp_path / f"a_{name}b.exr").touch()
    with pytest.raises(BrokenFileError, match="and 496 more"):
        Sequence.find(tmp_path / "a_*.exr")


@pytest.mark.parametrize("last", ["1999999", "9999999", "9999999999"])
def test_a_range_that_is_far_too_long_says_what_there_is(tmp_path, last):
    (tmp_path / "a.1001.exr").touch()
    with pytest.raises(MissingFramesError, match=r"; it has 1001$"):
        Sequence.find(tmp_path / "a.####.exr", f"1001-{last}")
