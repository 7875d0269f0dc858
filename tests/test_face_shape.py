"""The measures of a face: of known shapes, wherever and however large they are."""

import numpy as np
import pytest
from hypothesis import given, strategies

from lifemask.nodes.faces.face_shape import MEASURES, face_shape
from lifemask.nodes.render.atlas import atlas

MEAN = atlas().mean[None].astype(np.float64)
EYES = float(np.linalg.norm(MEAN[0, 33, :2] - MEAN[0, 263, :2]))


def changed(points, move):
    """The mean face with some points moved by (x, y) shares of the eyes' distance."""
    face = MEAN.copy()
    face[:, list(points), :2] += np.array(move) * EYES
    return {
        name: float(values[0] - face_shape(MEAN)[name][0])
        for name, values in face_shape(face).items()
    }


@pytest.mark.parametrize(
    ("measure", "points", "move"),
    [
        ("lip_opening", (14,), (0, 0.1)),
        ("mouth_width", (291,), (0.1, 0)),
        ("corner_height", (61, 291), (0, -0.1)),
        ("brow_height", (105, 334), (0, -0.1)),
        ("lid_opening", (159, 386), (0, -0.1)),
        ("gaze_across", (468, 473), (0.1, 0)),
        ("gaze_down", (468, 473), (0, 0.1)),
    ],
)
def test_a_movement_is_measured_over_the_eyes_distance(measure, points, move):
    assert changed(points, move)[measure] == pytest.approx(0.1, abs=0.005)


@given(
    strategies.floats(0.1, 900),
    strategies.floats(-1.4, 1.4),
    strategies.tuples(strategies.floats(-4000, 4000), strategies.floats(-4000, 4000)),
)
def test_place_size_and_roll_do_not_matter(scale, angle, place):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = scale * MEAN[..., :2] @ turn.T + place
    plain, found = face_shape(MEAN), face_shape(moved)
    assert plain.keys() == found.keys() == MEASURES.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, plain[name], atol=1e-6)
