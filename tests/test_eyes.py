"""Irises turned in a picture of known eyes: they arrive whole, and lids and skin stay."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, strategies

from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.eyes import RADIUS, Irises, looking
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


def wide():
    """Irises between lids that hide nothing."""
    own = irises()
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = SIZE / 2 + 58 * np.stack([np.cos(turn), np.sin(turn)], 1).astype(np.float32)
    return replace(own, lids=dict.fromkeys(own.lids, circle))


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


def turned(own, aim, picture, inside=OPEN):
    return looking(picture, grid(), inside, own, "right_eye", np.asarray(aim, np.float64))


@pytest.mark.parametrize("degrees", [(12.0, 0.0), (-15.0, 0.0), (0.0, 8.0), (9.0, -7.0)])
def test_the_iris_arrives_where_the_eyeball_turns_it(degrees):
    own = wide()
    # A turn by a knob is exact; a gaze that was tracked is followed as far as it is sure.
    aim = own.aim("right_eye", AHEAD, np.array(degrees))
    yaw, pitch = np.deg2rad(degrees)
    shift = RADIUS * SCALE * np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    np.testing.assert_allclose(
        own.seen("right_eye", aim) - own.middle["right_eye"], shift, atol=0.1
    )
    eye = eye_at(*own.middle["right_eye"], own.radius["right_eye"])
    found = turned(own, aim, eye)
    np.testing.assert_allclose(middle_of(found) - middle_of(eye), shift, atol=0.5)


def test_an_iris_that_looks_aside_is_seen_narrower():
    own = wide()
    eye = eye_at(*own.middle["right_eye"], own.radius["right_eye"])
    found = turned(own, (25.0, 0.0), eye)
    areas = [float((0.8 - one).clamp(min=0).sum()) for one in (eye, found)]
    assert areas[1] / areas[0] == pytest.approx(np.cos(np.deg2rad(25)), abs=0.05)


def test_the_same_gaze_leaves_every_sample_where_it_was():
    own = irises(np.array([[4, -2], [4, -2]], np.float32))
    picture = torch.rand(1, 3, SIZE, SIZE)
    found = turned(own, own.aim("right_eye", own.gaze, NO_TURN), picture)
    assert torch.equal(found, resample(picture, grid()))


@given(strategies.floats(-25, 25), strategies.floats(-15, 15))
def test_the_middle_of_a_turned_iris_is_that_of_the_picture(yaw, pitch):
    own = irises(np.array([[3, -4], [3, -4]], np.float32))
    there = own.seen("right_eye", np.array([yaw, pitch]))
    place = torch.tensor(there).view(1, 1, 1, 2)
    found = own.sampled("right_eye", np.array([yaw, pitch]), place)
    np.testing.assert_allclose(found.flatten(), own.middle["right_eye"], atol=0.05)


@given(strategies.floats(-2.9, 2.9), strategies.floats(-0.5, 0.5))
def test_what_may_be_the_trackers_error_turns_nothing(yaw, pitch):
    aim = np.array([[yaw, pitch], [yaw, pitch]], np.float32)
    own = irises()
    np.testing.assert_array_equal(own.aim("left_eye", aim, NO_TURN), own.own("left_eye"))


def test_a_larger_difference_is_followed_nearly_to_its_end():
    aim = irises().aim("left_eye", np.array([[20, 0], [20, 0]], np.float32), NO_TURN)
    assert 19 < aim[0] < 20


def test_a_tracked_pitch_turns_nothing_and_shut_eyes_stay():
    down = np.array([[0, 15], [0, 15]], np.float32)
    assert not irises().aim("right_eye", down, NO_TURN).any()
    shut = face()
    for upper, lower in ((159, 145), (386, 374)):
        shut[upper] = shut[lower]
    closed = Irises.of(shut, SCALE, 1.0, AHEAD)
    assert not closed.aim("left_eye", AHEAD, np.array([10, 5], np.float32)).any()


def test_lids_and_skin_stay_where_they_are():
    own = irises()
    inside = OPEN.clone()
    inside[..., :50, :] = 0
    picture = torch.rand(1, 1, SIZE, SIZE)
    found, place = turned(own, (15.0, 0.0), picture, inside), resample(picture, grid())
    assert torch.equal(found[..., :50, :], place[..., :50, :])
    far = (grid() - torch.tensor(own.middle["right_eye"])).norm(dim=-1)
    still = far > 2.3 * own.radius["right_eye"] + 6
    assert torch.equal(found[0, 0][still[0]], place[0, 0][still[0]])
    assert not torch.equal(found, place)


@pytest.mark.parametrize("degrees", [(0.0, 12.0), (0.0, -12.0), (14.0, 10.0)])
def test_no_skin_of_the_pictures_own_lids_comes_into_the_eye(degrees):
    own = irises()
    within = torch.from_numpy(inside_of(own.lids["right_eye"], SIZE))
    eye = eye_at(*own.middle["right_eye"], own.radius["right_eye"])[0, 0]
    skin = torch.where(within, torch.zeros_like(eye), torch.ones_like(eye))
    picture = torch.stack([torch.where(within, eye, torch.full_like(eye, 0.5)), skin])[None]
    found = turned(own, degrees, picture, within[None, None].float())
    inner = torch.from_numpy(inside_of(own.lids["right_eye"], SIZE, 2))
    before = skin[inner].max()
    assert found[0, 1][inner].max() <= max(0.35, float(before))


@pytest.mark.parametrize("degrees", [(0.0, 12.0), (0.0, -12.0), (14.0, 10.0)])
def test_no_iris_comes_over_the_lids(degrees):
    own = irises()
    picture = eye_at(*own.middle["right_eye"], own.radius["right_eye"])
    found, place = turned(own, degrees, picture), resample(picture, grid())
    lids = torch.from_numpy(~inside_of(own.lids["right_eye"], SIZE, -2))
    assert (found - place).abs()[0, 0][lids].max() < 1e-6


def inside_of(outline, size, margin=0):
    """Which pixels are inside an outline by more than a ``margin`` of pixels."""
    import cv2

    filled = cv2.fillPoly(np.zeros((size, size), np.uint8), [np.round(outline).astype(int)], 1)
    change = cv2.erode if margin > 0 else cv2.dilate
    return change(filled, np.ones((2 * abs(margin) + 1, 2 * abs(margin) + 1))) > 0
