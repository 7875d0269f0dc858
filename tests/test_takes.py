"""Takes as a person names them."""

from pathlib import Path

import pytest

from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faceset.takes import find_takes

FRAMES = range(1001, 1004)


@pytest.fixture
def takes(tmp_path):
    for name in ("ada_1", "ada_2", "ben_1"):
        (tmp_path / name).mkdir()
        for frame in FRAMES:
            (tmp_path / name / f"{name}.{frame}.exr").touch()
    (tmp_path / "photo.jpg").touch()
    return tmp_path


@pytest.mark.parametrize(
    "names",
    [
        ["ada_*/*.####.exr"],
        ["ada_*/*.%04d.exr"],
        ["ada_1/ada_1.####.exr", "ada_2/*.####.exr"],
        ["ada_1", "ada_2"],
        [f"ada_{i}/ada_{i}.{frame}.exr" for i in (1, 2) for frame in FRAMES],
    ],
)
def test_each_take_is_found_once_however_it_is_named(takes, names):
    found = find_takes([str(takes / name) for name in names])
    assert [Path(take.path).parent.name for take in found] == ["ada_1", "ada_2"]
    assert all(take.frames == tuple(FRAMES) for take in found)


def test_a_photograph_is_a_take(takes):
    (photo,) = find_takes([str(takes / "photo.jpg")])
    assert photo.frames == (1,)


def test_a_single_picture_is_not_the_sequence_that_it_is_in(takes):
    (one,) = find_takes([str(takes / "ada_1/ada_1.1002.exr")], single=True)
    assert one.frames == (1,)
    assert one.file(1) == takes / "ada_1/ada_1.1002.exr"
    (whole,) = find_takes([str(takes / "ada_1/ada_1.####.exr")], single=True)
    assert whole.frames == tuple(FRAMES)


@pytest.mark.parametrize("name", ["cleo_*/*.####.exr", "cleo.jpg", "nowhere/x.####.exr"])
def test_what_is_not_there_is_named(takes, name):
    with pytest.raises(BrokenFileError, match=name.partition("_")[0].partition("/")[0]):
        find_takes([str(takes / name)])


def test_what_is_about_the_footage_of_a_folder_is_no_take(tmp_path):
    for name in ("a.1001.exr", "a.1002.exr", "performance.json", "notes.txt", "b.mov.xml"):
        (tmp_path / name).touch()
    assert [Path(take.path).name for take in find_takes([str(tmp_path)])] == ["a.####.exr"]
