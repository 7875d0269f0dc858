"""CSV as Live Link Face records it: there and back, other rates, and broken files."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from test_performance import made_up

from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces.pose import angles
from lifemask.nodes.head import live_link

CAMERA = Camera.of(640, 360)


def read(path, recorded=24.0, fps=24.0):
    return live_link.read(path, recorded, fps, 1001, CAMERA)


@given(strategies.integers(0, 2**32 - 1), strategies.integers(1, 8), strategies.integers(0, 90000))
@settings(max_examples=20)
def test_a_performance_comes_back(tmp_path_factory, seed, count, first):
    performance = made_up(seed, count, first)
    path = tmp_path_factory.mktemp("csv") / "p1.csv"
    live_link.write(path, performance, 24.0)
    again = read(path)
    np.testing.assert_allclose(again.coefficients, performance.coefficients, atol=1e-6)
    np.testing.assert_allclose(again.gaze, performance.gaze, atol=1e-4)
    np.testing.assert_allclose(angles(again.rotation), angles(performance.rotation), atol=1e-3)
    assert again.frame.tolist() == list(range(1001, 1001 + count))
    assert not again.residual.any()


def test_the_columns_are_those_of_live_link_face(tmp_path):
    live_link.write(tmp_path / "p1.csv", made_up(1, 2), 24.0)
    header, first, _ = (tmp_path / "p1.csv").read_text().splitlines()
    names = header.split(",")
    assert names[:3] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft"]
    assert names[17:20] == ["JawRight", "JawLeft", "JawOpen"]
    assert names[53:57] == ["TongueOut", "HeadYaw", "HeadPitch", "HeadRoll"]
    assert len(names) == 63
    assert first.startswith("00:00:41:17.000,61,")


def test_sixty_frames_a_second_become_twenty_four(tmp_path):
    performance = made_up(2, 60)
    slope = np.linspace(0, 1, 60)[:, None] * np.ones(52)
    live_link.write(tmp_path / "p1.csv", replace(performance, coefficients=slope), 60.0)
    found = read(tmp_path / "p1.csv", 60.0, 24.0)
    assert len(found) == 24
    np.testing.assert_allclose(found.coefficients[:, 3], np.arange(24) / 24 * 60 / 59, atol=1e-6)


def edited(path, edit):
    live_link.write(path, made_up(3, 3), 24.0)
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    edit(rows)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_frame_that_lost_the_face_is_bridged_and_case_does_not_matter(tmp_path):
    def lose(rows):
        rows[0] = [name.lower() for name in rows[0]]
        rows[2][1:] = ["0"]

    found = read(edited(tmp_path / "p1.csv", lose))
    whole = read(edited(tmp_path / "p2.csv", lambda rows: None))
    ends = whole.coefficients[[0, 2]].mean(0)
    np.testing.assert_allclose(found.coefficients[1], ends, atol=1e-6)


def without_eyes(rows):
    for row in rows:
        del row[-9:]


def test_rotations_may_be_missing(tmp_path):
    found = read(edited(tmp_path / "p1.csv", without_eyes))
    assert not found.gaze.any()
    np.testing.assert_allclose(found.rotation, np.repeat(np.eye(3)[None], 3, 0), atol=1e-6)


def without_jaw(rows):
    column = rows[0].index("JawOpen")
    for row in rows:
        del row[column]


def not_a_number(rows):
    rows[2][9] = "wide"


def infinite(rows):
    rows[1][5] = "inf"


def no_time(rows):
    rows[1][0] = "soon"


def backwards(rows):
    rows[1], rows[3] = rows[3], rows[1]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (without_jaw, "no column JawOpen"),
        (not_a_number, "line 3: EyeBlinkRight is 'wide', not a number"),
        (infinite, "line 2: .* is 'inf', not a number"),
        (no_time, "'soon' is not a time code"),
        (backwards, "do not ascend"),
        (lambda rows: rows.__delitem__(slice(1, None)), "has no frame"),
    ],
)
def test_a_broken_file_is_refused_in_one_sentence(tmp_path, edit, problem):
    with pytest.raises(BrokenFileError, match=problem):
        read(edited(tmp_path / "p1.csv", edit))


def test_what_is_no_file_of_text_is_refused(tmp_path):
    with pytest.raises(BrokenFileError, match="cannot be read"):
        read(tmp_path / "no.csv")
    (tmp_path / "picture.csv").write_bytes(bytes(range(256)))
    with pytest.raises(BrokenFileError, match="not a CSV"):
        read(tmp_path / "picture.csv")
