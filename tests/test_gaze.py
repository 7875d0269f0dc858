"""Gaze from landmarks, of eyes that were turned by known angles."""

import numpy as np
import pytest

from lifemask.nodes.faces.blendshapes import NAMES, expression
from lifemask.nodes.head.gaze import MOST, features, gaze_of, openness
from lifemask.nodes.head.make_gaze import regression
from lifemask.nodes.render.atlas import atlas

IRISES = list(range(468, 478))


def looking(x, y=0.0, count=1):
    """Shapes of the mean head whose irises are moved, in centimetres."""
    shapes = np.repeat(atlas().mean[None], count, 0)
    shapes[:, IRISES, 0] += x
    shapes[:, IRISES, 1] += y
    return shapes


def read(shapes, runs=()):
    turn = np.repeat(np.eye(3, dtype=np.float32)[None], len(shapes), 0)
    return gaze_of(shapes, turn, expression(shapes * 20 + 300), runs)


def test_irises_to_picture_right_and_down_look_there():
    ahead, right, down = (read(looking(*move))[0, 0] for move in ((0, 0), (0.3, 0), (0, 0.15)))
    assert right[0] - ahead[0] > 5
    assert abs(right[1] - ahead[1]) < abs(right[0] - ahead[0]) / 3
    assert down[1] > ahead[1]


def test_both_eyes_look_at_one_thing_and_never_too_far():
    found = read(np.concatenate([looking(x) for x in (-3.0, -0.2, 0.4, 3.0)]))
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    assert (np.abs(found) <= MOST + 1e-4).all()


def test_a_blink_is_bridged_and_steady_eyes_stay():
    shapes = looking(0.3, count=9)
    shut = shapes.copy()
    for upper, lower in ((159, 145), (386, 374)):
        shut[3:6, upper] = shut[3:6, lower]
    shut[3:6, IRISES, 0] -= 0.6
    assert openness(shut)[[2, 4]].tolist() == [1, 0]
    open_, blinked = read(shapes, [slice(0, 9)]), read(shut, [slice(0, 9)])
    np.testing.assert_allclose(open_, np.repeat(open_[:1], 9, 0), atol=1e-3)
    np.testing.assert_allclose(blinked[[3, 5]], open_[[3, 5]], atol=0.6)


def test_runs_do_not_touch_each_other():
    shapes = np.concatenate([looking(0.3, count=4), looking(-0.3, count=4)])
    apart = read(shapes, [slice(0, 4), slice(4, 8)])
    np.testing.assert_allclose(apart[:4], read(shapes[:4]), atol=1e-3)
    assert abs(read(shapes, [slice(0, 8)])[3, 0, 0] - apart[3, 0, 0]) > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_recipe_finds_what_made_the_gaze(seed):
    random = np.random.default_rng(seed)
    shapes = looking(0.0, count=400)
    aim = random.uniform(-20, 20, (400, 2))
    for row, (x, y) in zip(shapes, aim, strict=True):
        row[IRISES, 0] += 0.02 * x
        row[IRISES, 1] += 0.01 * y
    turn = np.repeat(np.eye(3)[None], 400, 0)
    seen = features(shapes, turn, random.uniform(0, 0.1, (400, len(NAMES))))
    found = regression(seen, aim)
    np.testing.assert_allclose((seen - found["mean"]) @ found["weights"], aim, atol=1.0)
