"""What hosts see on disk: frames of a result, whole or not, of which plate; what has changed."""

import os
from pathlib import Path

import numpy as np
import OpenImageIO
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.ocio.media import exr
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.commands.cli import main
from lifemask.plugin.hosts.common.results import (
    Frames,
    Pattern,
    checked,
    header,
    numbers,
    pattern,
    ranges,
)

ODD = "shots/sh 010é 100%d/plate %04d v2"


def write(file, width=8, **about):
    plane = np.zeros((4, width), np.float16)
    marks = {f"lifemask/{name}": value for name, value in about.items()}
    exr.write(file, dict.fromkeys("RGB", plane), marks)


@pytest.mark.parametrize("place", ["####", "%04d", "@@@@", "$F4"])
def test_a_pattern_is_read_in_every_form(tmp_path, place):
    odd = Pattern.of(f"{tmp_path}/{ODD}.{place}.exr")
    assert odd.hashes == f"{tmp_path}/{ODD}.####.exr"
    assert odd.file(7) == f"{tmp_path}/{ODD}.0007.exr"
    assert odd.file(-7) == f"{tmp_path}/{ODD}.-0007.exr"
    assert odd.frames() == []
    for frame in (7, -7, 12345):
        write(tmp_path / odd.file(frame))
    write(tmp_path / ODD / "plate.00008.exr")
    assert odd.frames() == [-7, 7, 12345]
    assert odd.frames() == list(Sequence.find(odd.hashes, "-7,7,12345").frames)


def test_windows_separators_are_turned():
    assert Pattern.of("\\\\nas\\show\\a b\\é.####.exr").file(1) == "//nas/show/a b/é.0001.exr"
    assert Pattern.of("C:\\a\\b.%d.exr").file(12) == "C:/a/b.12.exr"
    assert Pattern.of("/tmp/odd\\name.#.exr").file(1) == "/tmp/odd\\name.1.exr"


def test_a_still_has_no_place_for_a_number():
    with pytest.raises(ValueError, match="####"):
        Pattern.of("/shots/####/plate.exr")


@given(st.sets(st.integers(-50, 2000)))
def test_ranges_are_read_as_they_are_written(frames):
    assert numbers(ranges(frames)) == sorted(frames)


@pytest.mark.parametrize("text", ["a", "1-", "1-2x0", "1,,b", "1.5"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match="is not a frame range"):
        numbers(text)


def test_steps_are_read():
    assert numbers(" 1-9x4, 20") == [1, 5, 9, 20]


@pytest.fixture
def sequences(tmp_path):
    """Return result and plate, three frames of each that belong together."""
    result = Pattern.of(f"{tmp_path}/swaps/ada_v001/sh010_ada_v001.####.exr")
    plate = Pattern.of(f"{tmp_path}/plate/plate.####.exr")
    for frame in (1001, 1002, 1003):
        add_plate(plate, frame)
        add_result(result, plate, frame)
    return result, plate


def add_plate(plate, frame, **about):
    write(Path(plate.file(frame)), **about)


def add_result(result, plate, frame, width=8):
    source = Path(plate.file(frame))
    write(Path(result.file(frame)), width, plate=f"{source.name} {source.stat().st_size}")


def test_nothing_is_said_of_a_whole_result(sequences):
    found = checked(*sequences, [1001, 1002, 1003])
    assert found == Frames(made=(1001, 1002, 1003))
    assert found.sentence == ""


def test_everything_that_is_wrong_is_named(sequences):
    result, plate = sequences
    Path(result.file(1001)).unlink()
    data = Path(result.file(1002)).read_bytes()
    Path(result.file(1002)).write_bytes(b"#!/bin/sh" + data)
    add_result(result, plate, 1003, width=9)
    add_plate(plate, 1004)
    add_result(result, plate, 1004)
    add_plate(plate, 1004, note="rendered anew")
    found = checked(result, plate, range(1001, 1005))
    assert found == Frames((), (1001,), (1002,), (1003,), (1004,))
    assert found.sentence == (
        "1001 not made yet; 1002 not whole EXR files; 1003 of another size than the plate; "
        "1004 made of another plate"
    )


def test_a_result_of_another_lifemask_or_without_its_plate_is_of_another_plate(sequences):
    result, plate = sequences
    write(Path(result.file(1001)))
    Path(plate.file(1002)).unlink()
    assert checked(result, plate, [1001, 1002, 1003]).other_plate == (1001, 1002)


def test_a_movie_is_the_plate_of_every_frame(tmp_path):
    movie = tmp_path / "plate.mov"
    movie.write_bytes(b"not an EXR")
    result = Pattern.of(f"{tmp_path}/r.####.exr")
    for frame, mark in ((1001, "plate.mov 10"), (1002, "plate.mov 11")):
        write(Path(result.file(frame)), plate=mark)
    assert checked(result, pattern(str(movie)), [1001, 1002]) == Frames(
        (1001,), other_plate=(1002,)
    )


def test_the_command_line_s_own_result_belongs_to_its_plate(shot):
    assert main(["swap", str(shot), "--likeness", "ada", "--frames", "1001-1002"]) == 0
    result = Pattern.of(f"{shot}/swaps/ada_v001/sh010_ada_v001.####.exr")
    plate = Pattern.of(str(shot.parent / "plate/plate.####.exr"))
    assert checked(result, plate, [1001, 1002, 1003]) == Frames((1001, 1002), (1003,))


def test_a_result_of_another_layer_is_of_another_plate(sequences):
    result, plate = sequences
    mark = Path(plate.file(1001))
    write(Path(result.file(1001)), plate=f"{mark.name} {mark.stat().st_size} beauty")
    for layer, made in (("beauty", (1001,)), ("final", ()), ("", ())):
        assert checked(result, plate, [1001], layer).made == made


@given(data=st.binary(max_size=200), cut=st.integers(0, 400))
def test_no_header_can_break_the_reader(tmp_path_factory, data, cut):
    whole = tmp_path_factory.getbasetemp() / "whole.exr"
    if not whole.exists():
        write(whole, plate="plate.1001.exr 7")
    good = whole.read_bytes()
    file = whole.with_name("cut.exr")
    file.write_bytes(good[:cut] + data)
    os.utime(file, ns=(cut, hash(data) % 10**9))
    try:
        found = header(str(file))
    except ValueError as error:
        assert "EXR" in str(error)
    else:
        assert all(isinstance(value, str | tuple) for value in found.values())


def test_a_header_is_read_again_when_its_file_has_changed(tmp_path):
    file = tmp_path / "a.exr"
    write(file, plate="one 1")
    assert header(str(file))["lifemask/plate"] == "one 1"
    assert header(str(file))["displayWindow"] == (0, 0, 7, 3)
    write(file, plate="other 2")
    assert header(str(file))["lifemask/plate"] == "other 2"


def test_a_long_header_and_a_window_elsewhere_do_no_harm(tmp_path):
    file = tmp_path / "a.exr"
    write(file, plate="a 1", manifest="x" * 100_000)
    spec = OpenImageIO.ImageBuf(str(file))
    spec.specmod().full_x = spec.specmod().x = -5
    spec.write(str(tmp_path / "moved.exr"))
    assert header(str(file))["lifemask/plate"] == "a 1"
    assert header(str(tmp_path / "moved.exr"))["displayWindow"] == (-5, 0, 2, 3)
    mark = f"moved.exr {(tmp_path / 'moved.exr').stat().st_size}"
    write(file, plate=mark)
    found = checked(pattern(str(file)), pattern(f"{tmp_path}/moved.exr"), [1])
    assert found.made == (1,)
