"""Which frames of a plate a host has to render again."""

import os
from pathlib import Path

import pytest

from lifemask.plugin.hosts.common.plate_frames import PlateFrames
from lifemask.plugin.hosts.common.results import Pattern

NOW = {1001: "a", 1002: "b", 1003: "c"}


@pytest.fixture
def plate(tmp_path):
    (tmp_path / "plate").mkdir()
    return Pattern.of(f"{tmp_path}/plate/plate.####.exr")


def write(plate, *frames, date=1):
    for frame in frames:
        Path(plate.file(frame)).write_text("pixels")
        os.utime(plate.file(frame), ns=(date, date))


def test_only_frames_that_changed_are_rendered_again(plate):
    assert PlateFrames(plate).stale(NOW) == [1001, 1002, 1003]
    write(plate, *NOW)
    assert PlateFrames(plate).stale(NOW) == [1001, 1002, 1003]
    PlateFrames(plate).rendered(NOW)
    assert PlateFrames(plate).stale(NOW) == []
    assert PlateFrames(plate).stale({**NOW, 1002: "moved", 1004: "d"}) == [1002, 1004]
    PlateFrames(plate).rendered({1002: "moved"})
    Path(plate.file(1003)).unlink()
    assert PlateFrames(plate).stale({**NOW, 1002: "moved"}) == [1003]


def test_a_frame_that_somebody_else_wrote_is_rendered_again(plate):
    write(plate, *NOW)
    PlateFrames(plate).rendered(NOW)
    write(plate, 1002, date=2)
    assert PlateFrames(plate).stale(NOW) == [1002]


def test_a_frame_that_is_made_from_who_knows_what_is_rendered_every_time(plate):
    write(plate, *NOW)
    PlateFrames(plate).rendered(NOW)
    PlateFrames(plate).rendered({1001: ""})
    assert PlateFrames(plate).stale({**NOW, 1001: ""}) == [1001]
    assert PlateFrames(plate).stale(NOW) == []


def test_a_frame_that_was_not_written_is_not_taken_for_rendered(plate):
    PlateFrames(plate).rendered(NOW)
    assert PlateFrames(plate).stale(NOW) == [1001, 1002, 1003]


@pytest.mark.parametrize("text", ["", "[]", "{half", '{"1001": 7}'])
def test_a_broken_record_means_that_everything_changed(plate, text):
    write(plate, 1001)
    Path(plate.before).with_name("upstream.json").write_text(text)
    assert PlateFrames(plate).stale({1001: "a"}) == [1001]
