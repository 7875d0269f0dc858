"""What a likeness's takes show, and what is said about it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import FOOTAGE

from lifemask.nodes.faceset import advice
from lifemask.nodes.faceset.coverage import (
    EXPRESSIONS,
    UNITS,
    Light,
    Shown,
    coverage,
    expressions,
    light_of,
)
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.render.light import harmonics
from lifemask.nodes.shot.folder import Shot
from lifemask.plugin.commands.cli import main

FRONT = Light("front", 0.0, 20.0, 0.8)


def shown(lights=(FRONT,), **axes):
    """Faces that show the same on every axis but those that are given."""
    count = max([3, *(len(values) for values in axes.values())])
    plain = {name: np.zeros(count) for name in UNITS} | {"size": np.full(count, 200.0)}
    given = {name.replace("_", " "): np.array(values, float) for name, values in axes.items()}
    return Shown(np.arange(1030, 1030 + count), plain | given, tuple(lights))


def said(own, plate, dropped=None, kept=100):
    return list(advice.advice("ada", own, plate, dropped or {}, kept))


def test_nothing_is_said_of_what_the_takes_show():
    assert said(shown(yaw=[-40, 40, 0]), shown(yaw=[-38, 38, 0])) == []
    assert said(shown(), None) == []


@pytest.mark.parametrize(
    ("axis", "own", "plate", "words"),
    [
        ("yaw", [-21, 0, 9], [-38, -3, 2], ["38 degrees to picture left", "frame 1030", " 21 "]),
        ("yaw", [-21, 0, 9], [-3, 38, 38], ["38 degrees to picture right", "1031-1032", "40 "]),
        ("pitch", [-4, 0, 3], [0, 0, 17], ["17 degrees down", "frame 1032", "20 degrees down"]),
        ("pitch", [-4, 0, 3], [-17, 0, 0], ["17 degrees up", "4 degrees up"]),
        ("mouth", [0, 0.1, 0.2], [0, 0.5, 0.1], ["opens the mouth", "frame 1031", "double_mouth"]),
        ("mouth", [0.3, 0.2, 0.2], [0.02, 0.3, 0.3], ["closes the mouth", "frame 1030"]),
        ("eyes", [0.4, 0.4, 0.4], [0.1, 0.4, 0.4], ["closes the eyes", "frame 1030", "blinks"]),
        ("eyes", [0.3, 0.3, 0.3], [0.5, 0.3, 0.3], ["opens the eyes", "frame 1030"]),
        ("smile", [0, 0, 0.2], [0.1, 0.9, 0.8], ["never smiles", "1031-1032", "a wide smile"]),
        ("laugh", [0.1, 0, 0], [0, 0, 0.7], ["never laughs", "frame 1032", "upper teeth"]),
        ("raised brows", [0.2, 0, 0], [0.8, 0, 0], ["never raises the brows", "surprise"]),
        ("frown", [0.2, 0, 0], [0.6, 0, 0], ["never frowns", "angry frown"]),
        ("pursed lips", [0, 0, 0], [0.5, 0, 0], ["never purses the lips", "a kiss"]),
        ("exposure", [-5, -5, -4], [0, 0, 0], ["4.0 stops brighter", "1030-1032"]),
        ("size", [100, 100, 100], [100, 100, 412], ["412 pixels", "frame 1032", "100 in"]),
    ],
)
def test_what_no_take_shows_is_said_with_the_plate_s_frames(axis, own, plate, words):
    (line,) = said(shown(**{axis: own}), shown(**{axis: plate}))
    assert all(word in line for word in ["ada", *words])


def test_takes_without_a_calm_face_are_told():
    (line,) = said(shown(frown=[0.6, 0.7, 0.5], smile=[0, 0.5, 0]), None)
    assert line == "No calm face is in the takes of ada: shoot three seconds of a resting face."
    assert said(shown(frown=[0.6, 0.7, 0.5, 0.1, 0.1, 0.1]), None) == []


@pytest.mark.parametrize(
    ("faces", "why"),
    [
        (shown(yaw=[40.0, 35.0, 50.0]), "There are only profiles of ada"),
        (shown(yaw=[0.0, 35.0, 50.0]), "There are few expressions of ada"),
    ],
)
def test_why_the_face_at_rest_is_not_known_is_said(faces, why):
    (line,) = said(replace(faces, uncertainty=1.2), None)
    assert line.startswith(f"{why}: the face at rest is known to 1.2 % of the eyes' distance.")
    assert said(replace(faces, uncertainty=0.5), None) == []


def test_expressions_are_called_what_a_director_calls_them():
    coefficients = np.zeros((2, len(NAMES)), np.float32)
    coefficients[1, [NAMES.index(f"mouthSmile{side}") for side in ("Left", "Right")]] = 0.8
    found = expressions(coefficients)
    assert found.keys() == EXPRESSIONS.keys()
    np.testing.assert_allclose(found["smile"], [0, 0.8])
    assert not found["laugh"].any()


def test_a_key_light_that_no_take_has_is_said():
    left, right = Light("window", -80.0, 10.0, 0.9), Light("hard", 70.0, 40.0, 0.9)
    even = replace(right, take="overcast", contrast=0.1)
    (line,) = said(shown([right, even]), shown([left]))
    assert "key light comes from the left;" in line
    assert "hard comes nearest with light from the right and above" in line
    assert "lit evenly" in said(shown([even]), shown([left]))[0]
    assert said(shown([replace(left, azimuth=-60.0), right]), shown([left])) == []
    assert said(shown([right]), shown([replace(left, contrast=0.2)])) == []


def test_takes_that_motion_blurs_are_told_unless_the_plate_moves_as_fast():
    fast, some = shown(motion=[5.0, 6.0, 0.0]), shown(motion=[5.0, 0.0, 0.0])
    (line,) = said(fast, shown(motion=[0.0, 3.0, 0.0]))
    assert "ada moves faster than the plate's face in 2 of 3 frames" in line
    assert said(fast, shown(motion=[7.0, 0.0, 0.0])) == []
    assert said(some, shown()) == []
    assert said(shown(motion=[1.5, 1.5, 1.5]), shown()) == []


def test_why_faces_were_left_out_is_said_when_it_was_many():
    (line,) = said(shown(), None, {"blurred": 60, "tiny": 10, "duplicate": 40}, 40)
    assert "60 of 150 frames of ada were left out as blurred" in line


@pytest.mark.parametrize("lamp", [(-80, 10), (60, 40), (0, 30), (20, -40)])
def test_light_is_found_where_the_lamp_is(lamp):
    toward = Light("", *lamp, 1).direction
    normals = np.random.default_rng(3).normal(size=(2000, 3))
    normals /= -np.linalg.norm(normals, axis=1, keepdims=True) * np.sign(normals[:, 2:])
    basis = harmonics(torch.from_numpy(normals.T[None, :, :, None]))[0, :, 0].numpy()
    shine = 0.1 + np.maximum(0, normals @ toward)
    fitted = np.linalg.lstsq(basis, shine, rcond=None)[0].astype(np.float32)
    found = light_of("x/ada_hard.####.exr", np.tile(fitted[:, None], 3))
    assert np.rad2deg(np.arccos(found.direction @ toward)) < 30
    assert (found.take, found.contrast > 0.35) == ("ada_hard", True)


def test_the_report_of_real_footage(pair):
    found = coverage(pair.likeness, pair.double)
    assert set(found.axes) == set(UNITS)
    assert all(len(axis.likeness) == len(pair.likeness) for axis in found.axes.values())
    assert all(len(axis.plate) == len(pair.double) for axis in found.axes.values())
    truth = [
        json.loads((FOOTAGE / f"a1_dialogue/performer_b/gt/gt.{n + 14}.json").read_text())
        for n in pair.double.faces.frame
    ]
    yaw = [frame["people"][0]["head_euler_deg"]["yaw"] for frame in truth]
    assert np.corrcoef(yaw, found.axes["yaw"].plate)[0, 1] > 0.9
    # The window of the plate is on the left, and the studio's key light on the right.
    assert max(found.axes["light azimuth"].plate) < -45
    assert min(found.axes["light azimuth"].likeness) > 0
    assert any("key light comes from the left" in line for line in found.advice)


def test_against_itself_nothing_is_missing(pair):
    found = coverage(pair.likeness, pair.likeness)
    assert found.advice == ()
    assert all(axis.likeness == axis.plate for axis in found.axes.values())


def test_the_faceset_command_writes_and_tells_it(shot, capsys):
    folder = shot / "facesets/ada_v001"
    Shot.load(shot).with_performer("ada")
    assert main(["faceset", str(shot), "--double"]) == 0
    assert "advice: The plate's key light comes from the left" in capsys.readouterr().out
    report = json.loads((folder / "coverage.json").read_text())
    assert report["kept"] == len(FaceSet.load(folder))
    assert report["axes"]["yaw"]["plate"]
    page = (folder / "coverage.html").read_text()
    assert report["advice"][0].replace("'", "&#x27;") in page
    assert "http" not in page
    assert page.count("<svg") == len(UNITS)
