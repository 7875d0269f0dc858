"""The pose of heads whose pose is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.faces.pose import angles, rotations
from lifemask.nodes.faces.topology import canonical


def turned(yaw, pitch, roll):
    """The landmarks of a head that the network sees this turned."""
    y, p, r = np.deg2rad([-yaw, pitch, roll])
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    rotation = np.array(about_y) @ about_x @ about_z
    points = canonical().vertices * [1, -1, -1] @ rotation.T * 17 + [300, 200, 5]
    return np.concatenate([points, points[:10]])


@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(-80, 80))
@settings(max_examples=60)
def test_finds_pitch_and_roll_and_corrects_the_yaw(yaw, pitch, roll):
    rotation = rotations(turned(yaw, pitch, roll)[None])
    assert np.allclose(angles(rotation)[0], [1.145 * yaw, pitch, roll], atol=0.01)
    assert np.allclose(rotation[0] @ rotation[0].T, np.eye(3), atol=1e-5)
    assert np.isclose(np.linalg.det(rotation[0]), 1, atol=1e-5)


@pytest.mark.parametrize(("pose", "axis"), [((20, 0, 0), 0), ((0, 20, 0), 1)])
def test_positive_angles_turn_the_nose_to_picture_right_and_down(pose, axis):
    nose = turned(*pose)[1] - turned(0, 0, 0)[1]
    assert nose[axis] > 10


def test_lost_frames_stay_lost():
    points = np.stack([turned(0, 0, 0), np.full((478, 3), np.nan)])
    rotation = rotations(points)
    assert np.isfinite(rotation[0]).all()
    assert np.isnan(rotation[1]).all()
