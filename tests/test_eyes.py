"""Irises turned in a picture of known eyes: they arrive whole, and lids and skin stay."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies

from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.eyes import RADIUS, Irises, turned
from lifemask.nodes.render.filters import resample

SCALE, SIZE = 20.0, 120
AHEAD, NO_TURN = np.zeros((2, 2), np.float32), np.zeros(2, np.float32)


def face():
    """The mean head, its right eye in the middle of the picture."""
    points = atlas().mean * SCALE
    points[:, :2] += SIZE / 2 - points[468, :2]
    return points.astype(np.float32)


def irises(gaze=AHEAD):
    return Irises.of(face(), SCALE, 1.0, gaze)


def eye_at(x, y, radius):
    """A white eye with a dark, textured iris, (1, 1, SIZE, SIZE)."""
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    away = torch.hypot(columns + 0.5 - x, rows + 0.5 - y)
    iris = ((radius - away) / 2 + 0.5).clamp(0, 1)
    return (1 - 0.7 * iris + 0.1 * torch.cos(away) * iris)[None, None]


def grid():
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    return torch.stack([columns, rows], -1)[None].float() + 0.5


def middle_of(eye):
    dark = (0.8 - eye[0, 0]).clamp(min=0)
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    places = [(dark * (part + 0.5)).sum() / dark.sum() for part in (columns, rows)]
    return np.array(places)


OPEN = torch.ones(1, 1, SIZE, SIZE)


@pytest.mark.parametrize("degrees", [(12.0, 0.0), (-15.0, 0.0), (0.0, 8.0), (9.0, -7.0)])
def test_the_iris_arrives_whole_where_the_eyeball_turns_it(degrees):
    own = irises()
    gaze = np.tile(np.array(degrees, np.float32), (2, 1))
    # A turn by a knob is exact; a gaze that was tracked is moved by what is surely not its error.
    shift = own.shift("right_eye", AHEAD, gaze[0])
    expected = RADIUS * SCALE * np.sin(np.deg2rad(degrees))
    np.testing.assert_allclose(shift, expected, atol=0.1)
    eye = eye_at(*own.middle["right_eye"], own.radius["right_eye"])
    found = resample(eye, turned(grid(), OPEN, own, "right_eye", shift))
    np.testing.assert_allclose(middle_of(found) - middle_of(eye), shift, atol=0.3)
    area = [(0.8 - one).clamp(min=0).sum() for one in (eye, found)]
    assert area[1] == pytest.approx(float(area[0]), rel=0.05)


def test_the_same_gaze_leaves_every_sample_where_it_was():
    own = irises(np.array([[4, -2], [4, -2]], np.float32))
    shift = own.shift("right_eye", own.gaze, NO_TURN)
    place = grid()
    assert turned(place, OPEN, own, "right_eye", shift) is place


@given(strategies.floats(-2.9, 2.9), strategies.floats(-0.5, 0.5))
def test_what_may_be_the_trackers_error_moves_nothing(yaw, pitch):
    aim = np.array([[yaw, pitch], [yaw, pitch]], np.float32)
    assert not irises().shift("right_eye", aim, NO_TURN).any()


def test_a_larger_difference_is_followed_nearly_to_its_end():
    aim = np.array([[20, 0], [20, 0]], np.float32)
    shift = irises().shift("left_eye", aim, NO_TURN)
    whole = RADIUS * SCALE * np.sin(np.deg2rad(20))
    assert 0.95 * whole < shift[0] < whole


def test_a_tracked_pitch_moves_nothing_and_shut_eyes_do_not_turn():
    down = np.array([[0, 15], [0, 15]], np.float32)
    assert not irises().shift("right_eye", down, NO_TURN).any()
    shut = face()
    for upper, lower in ((159, 145), (386, 374)):
        shut[upper] = shut[lower]
    closed = Irises.of(shut, SCALE, 1.0, AHEAD)
    assert not closed.shift("left_eye", AHEAD, np.array([10, 5], np.float32)).any()


def test_lids_and_skin_stay_where_they_are():
    own = irises()
    inside = OPEN.clone()
    inside[..., :50, :] = 0
    place = grid()
    found = turned(place, inside, own, "right_eye", np.array([6.0, 0.0], np.float32))
    assert torch.equal(found[:, :50], place[:, :50])
    far = (place - torch.tensor(own.middle["right_eye"])).norm(dim=-1)
    still = far > 2.3 * own.radius["right_eye"] + 6
    assert torch.equal(found[still], place[still])
    assert not torch.equal(found, place)


def test_no_place_is_shown_twice_up_to_the_widest_turn():
    own = irises()
    shift = own.shift("right_eye", AHEAD, np.array([30.0, 0.0], np.float32))
    found = turned(grid(), OPEN, own, "right_eye", shift)
    assert (found[0, :, 1:, 0] - found[0, :, :-1, 0]).min() > -0.35
