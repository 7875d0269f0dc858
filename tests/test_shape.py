"""Poses and targets of faces that were made up, so that the truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from made_up import posed, somebody

from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.shape import place
from lifemask.nodes.render.shape import posed as posed_landmarks


def performance(random, neutral, count):
    """Shapes of a performance (N, 478, 3), and the coefficients that made them."""
    expression = np.zeros((count, len(NAMES)), np.float32)
    for row in expression:
        row[random.integers(1, len(row), 4)] = random.uniform(0, 1, 4)
    return neutral + np.einsum("nb,bki->nki", expression, landmark_model().motions), expression


@pytest.mark.parametrize("seed", range(4))
def test_a_similarity_is_recovered(seed):
    random = np.random.default_rng(seed)
    source = random.normal(0, 5, (6, 40, 3)).astype(np.float32)
    target, scale, rotation, centre = posed(random, source, most=3)
    found = similarity(source, target, random.uniform(0.1, 1, 40).astype(np.float32))
    for value, truth in zip(found, (scale, rotation, centre), strict=True):
        np.testing.assert_allclose(value, truth, rtol=2e-4, atol=2e-3)


def test_points_without_weight_do_not_count():
    random = np.random.default_rng(5)
    source = random.normal(0, 5, (1, 40, 3)).astype(np.float32)
    target, scale, rotation, _ = posed(random, source)
    target[:, :10] += 300
    weight = np.float32([0] * 10 + [1] * 30)
    found = similarity(source, target, weight)
    np.testing.assert_allclose(found[0], scale, rtol=1e-3)
    np.testing.assert_allclose(found[1], rotation, atol=1e-3)


def test_a_mirrored_face_is_turned_and_never_mirrored():
    source = atlas().mean[None]
    _, rotation, _ = similarity(source, source * np.float32([-1, 1, 1]), atlas().rigid)
    assert np.linalg.det(rotation[0]) == pytest.approx(1, abs=1e-4)


def test_a_person_onto_itself_is_itself():
    random = np.random.default_rng(8)
    neutral = somebody(random)
    shapes, _ = performance(random, neutral, 9)
    landmarks, *_ = posed(random, shapes)
    placed = place(landmarks, shapes, atlas())
    np.testing.assert_allclose(posed_landmarks(placed), landmarks, atol=0.05)


def test_a_likeness_keeps_its_own_features_through_the_doubles_performance():
    random = np.random.default_rng(9)
    double, likeness = somebody(random), somebody(random)
    shapes, expression = performance(random, double, 9)
    landmarks, scale, rotation, centre = posed(random, shapes)
    placed = place(landmarks, shapes, atlas())
    target = posed_landmarks(replace(placed, shape=likeness + placed.shape - double))
    motion = np.einsum("nb,bki->nki", expression, landmark_model().motions)
    truth = np.einsum("nki,nji->nkj", likeness + motion, rotation) * scale[:, None, None]
    np.testing.assert_allclose(target, truth + centre[:, None], atol=0.1)
