"""How fast a face moves, by the frames beside each."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.faces.velocity import followed, unshown
from lifemask.nodes.faces.velocity import velocities as velocities_at
from lifemask.nodes.render.atlas import atlas

SCALE = 10.0  # pixels a centimetre


def moving(steps):
    """The mean head, moved on by ``steps`` (N, 2) pixels: (N, 478, 3)."""
    track = np.repeat(atlas().mean[None] * SCALE, len(steps), 0).astype(np.float32)
    track[..., :2] += np.cumsum(steps, 0)[:, None]
    return track


def velocities(track):
    return velocities_at(track, np.arange(1001, 1001 + len(track)))


@settings(max_examples=30)
@given(st.integers(2, 9), st.floats(-40, 40), st.floats(-40, 40))
def test_an_even_motion_has_one_velocity(frames, x, y):
    found = velocities(moving(np.tile([[x, y]], (frames, 1))))
    assert found.shape == (frames, 478, 2)
    np.testing.assert_allclose(found, np.broadcast_to([x, y], found.shape), atol=1e-3)


def test_a_change_of_speed_is_shared_by_the_frames_beside_it():
    found = velocities(moving([[0, 0], [2, 0], [6, 0]]))
    np.testing.assert_allclose(found[:, 0, 0], [2, 4, 6], atol=1e-4)


def test_frames_that_are_left_out_count_as_time():
    found = velocities_at(moving([[0, 0], [6, 0], [2, 0]]), np.array([1001, 1004, 1005]))
    np.testing.assert_allclose(found[:, 0, 0], [2, 2, 2], atol=1e-4)


def test_beside_a_lost_frame_the_other_side_tells():
    track = moving(np.tile([[3.0, -1.0]], (6, 1)))
    track[2] = np.nan
    found = velocities(track)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[[0, 1, 3, 4, 5], 7], [[3, -1]] * 5, atol=1e-4)


def test_a_face_that_is_alone_stands_still():
    track = moving(np.tile([[3.0, -1.0]], (3, 1)))
    track[[0, 2]] = np.nan
    assert not velocities(track)[1].any()
    assert velocities(moving([[5, 5]])).tolist() == np.zeros((1, 478, 2)).tolist()


def test_photographs_and_cuts_do_not_move():
    width = float(np.ptp(atlas().mean[:468, 0])) * SCALE
    apart = velocities(moving([[0, 0], [0.6 * width, 0], [0, 0.6 * width]]))
    assert not apart.any()
    cut = velocities(moving([[0, 0], [4, 0], [0.6 * width, 0], [4, 0]]))
    np.testing.assert_allclose(cut[:, 0, 0], 4, atol=1e-3)


@given(st.floats(0, 50), st.floats(0, 50))
def test_what_is_shown_and_what_is_not_make_the_blur(speed, shown):
    share = unshown(speed, shown)
    assert 0 <= share <= 1
    np.testing.assert_allclose(np.hypot(share * speed, min(shown, speed)), speed, atol=1e-6)


def test_a_face_follows_the_one_before_it_but_for_cuts_losses_and_other_takes():
    width = float(np.ptp(atlas().mean[:468, 0])) * SCALE
    track = moving([[0, 0], [3, 1], [0.6 * width, 0], [2, 0], [1, 1], [1, 1]])
    track[4] = np.nan
    assert followed(track, np.arange(6)).tolist() == [True, False, True, False, False]
    same = moving(np.tile([[0.0, 0.0]], (3, 1)))
    assert followed(same, np.array([1, 1, 1])).all()
