"""Performances: saved and loaded, interpolated, and played by another face."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies

from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces.pose import angles, rotation_of
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.performed import performance_of, played
from lifemask.nodes.performance import Performance
from lifemask.nodes.swap import Swap


def made_up(seed, count, first=1001):
    random = np.random.default_rng(seed)
    normal = random.normal(size=(count, 478, 3)).astype(np.float32)
    return Performance(
        source="made up",
        camera=Camera.of(640, 360),
        frame=first + np.arange(count),
        coefficients=random.uniform(0, 1, (count, len(NAMES))).astype(np.float32),
        residual=normal,
        gaze=random.uniform(-20, 20, (count, 2, 2)).astype(np.float32),
        rotation=rotation_of(random.uniform(-40, 40, (count, 3))),
        translation=normal[:, 0],
        confidence=random.uniform(0, 1, count).astype(np.float32),
    )


def same(a, b):
    arrays = ("frame", "coefficients", "residual", "gaze", "rotation", "translation", "confidence")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)


def test_what_is_saved_is_loaded_again(tmp_path):
    performance = made_up(1, 5)
    performance.save(tmp_path / "p1.safetensors")
    again = Performance.load(tmp_path / "p1.safetensors")
    assert same(performance, again)
    assert (again.source, again.camera) == (performance.source, performance.camera)


def test_one_of_another_fit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lifemask.nodes.performance.FIT_VERSION", 0)
    made_up(1, 5).save(tmp_path / "p1.safetensors")
    monkeypatch.undo()
    with pytest.raises(BrokenFileError, match="another version"):
        Performance.load(tmp_path / "p1.safetensors")


@given(strategies.lists(strategies.integers(990, 1020), min_size=1, unique=True).map(sorted))
def test_at_its_own_frames_it_is_itself_and_outside_its_ends_hold(frames):
    performance = made_up(2, 6)
    found = performance.at(np.array(frames))
    nearest = np.clip(np.array(frames) - 1001, 0, 5)
    np.testing.assert_array_equal(found.coefficients, performance.coefficients[nearest])
    np.testing.assert_allclose(found.rotation, performance.rotation[nearest], atol=1e-6)
    assert found.frame.tolist() == frames


def test_between_two_frames_it_is_halfway():
    performance = replace(made_up(3, 2), frame=np.array([1001, 1003]))
    found = performance.at(np.array([1002]))
    np.testing.assert_allclose(found.coefficients[0], performance.coefficients.mean(0), atol=1e-6)
    np.testing.assert_allclose(
        found.rotation @ found.rotation.transpose(0, 2, 1), [np.eye(3)], atol=1e-5
    )


def test_the_doubles_own_face_plays_its_own_performance(pair):
    faces = pair.role.subject.posed
    performance = performance_of(faces, Camera.of(640, 360), "plate")
    shapes = played(performance, faces.neutral, faces)
    np.testing.assert_allclose(shapes, faces.shape, atol=1e-5)


def test_another_performance_moves_the_face(pair):
    role = pair.role
    opened = role.performance.coefficients.copy()
    opened[:, NAMES.index("jawOpen")] += 0.6
    (own,) = Swap().plan([role])
    (other,) = Swap().plan(
        [replace(role, performance=replace(role.performance, coefficients=opened))]
    )
    gaps = [
        np.array([np.linalg.norm(f.landmarks[13] - f.landmarks[14]) / f.scale for f in plan.frames])
        for plan in (own, other)
    ]
    assert (gaps[1] > gaps[0] + 0.5).all()  # centimetres
    assert [f.mouth for f in other.frames] == [0.0] * len(other.frames)  # the plate's is another


@pytest.mark.parametrize("millimetres", [18.0, 50.0, 135.0])
def test_the_camera_projects_heads_back_to_where_they_are(millimetres):
    camera = Camera.of(1920, 1080, {}, millimetres)
    random = np.random.default_rng(4)
    scale, centre = random.uniform(5, 60, 20), random.uniform(0, 1000, (20, 2))
    at = camera.translation(scale, centre)
    np.testing.assert_allclose(at[:, :2] / at[:, 2:] * camera.focal + [960, 540], centre, rtol=1e-4)
    assert camera.millimetres == pytest.approx(millimetres)


def test_a_head_off_the_axis_that_faces_the_camera_is_turned_towards_it():
    camera = Camera.of(2000, 1000)
    at = np.array([[30.0, 0, 100]], np.float32)
    ((yaw, pitch, roll),) = angles(camera.seen_from_axis(np.eye(3)[None], at))
    assert (yaw, pitch, roll) == pytest.approx((-np.rad2deg(np.arctan(0.3)), 0, 0), abs=1e-4)


@pytest.mark.parametrize(
    ("header", "millimetres", "source", "found"),
    [
        ({}, 0.0, "default", 50.0),
        (
            {"pinholeFocalLength": 32.0, "sensorOverallDimensions": (24.0, 13.5)},
            0.0,
            "metadata",
            48,
        ),
        ({"FocalLengthIn35mmFilm": 85}, 0.0, "metadata", 85.0),
        ({"FocalLengthIn35mmFilm": 85}, 35.0, "knob", 35.0),
        ({"nominalFocalLength": 40.0}, 0.0, "default", 50.0),
    ],
)
def test_the_focal_length_is_the_knobs_the_headers_or_the_usual_one(
    header, millimetres, source, found
):
    camera = Camera.of(1280, 720, header, millimetres)
    assert (camera.source, camera.millimetres) == (source, pytest.approx(found))
