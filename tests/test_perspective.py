"""What distance does to tracked shapes: a near head is known for whom it is from afar."""

from dataclasses import replace

import numpy as np
import pytest
from made_up import put, rotations
from made_up_head import seen
from test_fit import acted, apart, somebody

from lifemask.nodes.faces.blendshapes import expression
from lifemask.nodes.head.fit import fitted
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.head.make_perspective import answer
from lifemask.nodes.head.perspective import USUAL_DISTANCE, nearness, view_error
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.shape import turned

FRAMES = 30


@pytest.mark.parametrize("seed", range(2))
def test_a_near_head_is_found_to_be_whom_it_is_from_afar(seed):
    random = np.random.default_rng(seed)
    neutral, near = somebody(random), np.full(FRAMES, 1 / 0.3 - 1 / USUAL_DISTANCE)
    shapes = neutral + np.tensordot(acted(random, FRAMES), landmark_model().motions, 1)
    rotation = rotations(random, FRAMES)
    landmarks, scale, *_ = put(random, shapes + view_error(rotation, near), rotation)
    lens = (scale * 30).astype(np.float32)
    seen_by = landmarks, expression(landmarks), np.ones(FRAMES, np.float32), []
    known, unknown = (fitted(*seen_by, focal) for focal in (lens, None))
    assert apart(known.neutral, neutral) < 0.7 * apart(unknown.neutral, neutral)


def test_an_unknown_lens_says_nothing_of_distance():
    scale, focal = np.array([10, 10, 10], np.float32), np.array([0, 1050, 400], np.float32)
    np.testing.assert_allclose(nearness(scale, focal), [0, 0, 1 / 0.4 - 1 / 1.05], atol=1e-6)
    rotation = rotations(np.random.default_rng(3), 2)
    turn = np.tensordot(turned(rotation), atlas().turns, 1)
    np.testing.assert_array_equal(view_error(rotation, np.zeros(2)), turn)


def test_a_nose_grows_and_a_jaw_shrinks_from_nearby():
    near = view_error(np.eye(3)[None], np.ones(1)) - view_error(np.eye(3)[None], np.zeros(1))
    left, right = 234, 454  # of the face's outline
    assert near[0, right, 0] - near[0, left, 0] < -0.05
    nostrils = 98, 327
    assert near[0, nostrils[1], 0] - near[0, nostrils[0], 0] > 0.01


def test_the_recipe_finds_what_distance_does():
    random = np.random.default_rng(5)
    renders = seen(random, 16, {"a": random.normal(size=60), "b": random.normal(size=60)})
    near = np.tile(np.repeat([0.0, 2.0], 8), 2)
    change = (
        view_error(np.eye(3)[None], np.ones(1))[0] - view_error(np.eye(3)[None], np.zeros(1))[0]
    )
    rotation = np.repeat(np.eye(3)[None], len(near), 0)
    shapes = atlas().mean + near[:, None, None] * change
    landmarks, scale, *_ = put(random, shapes, rotation)
    camera = np.zeros((len(near), 3, 4))
    camera[:, [0, 1], [0, 1]] = (100 * scale / (near + 1 / USUAL_DISTANCE))[:, None]
    camera[:, 2, 2] = 1
    takes = np.where(near > 0, "near", "far")
    found = answer(replace(renders, landmarks=landmarks, camera=camera, take=takes))
    assert np.corrcoef(found[:, :2].ravel(), change[:, :2].ravel())[0, 1] > 0.9
