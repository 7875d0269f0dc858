"""The similarity between two sets of points, in any number of dimensions."""

import numpy as np
import pytest

from lifemask.nodes.faces.similarity import similarity


@pytest.mark.parametrize("dimensions", [2, 3])
def test_it_is_exact_on_a_similarity(dimensions):
    random = np.random.default_rng(7)
    points = random.normal(size=(1, 51, dimensions))
    rotation = np.linalg.qr(random.normal(size=(2, dimensions, dimensions)))[0]
    rotation[:, 0] *= np.linalg.det(rotation)[:, None]
    scale, move = np.array([3.0, 0.2]), random.normal(size=(2, dimensions))
    turned = np.einsum("ski,nji->nkj", points, rotation)
    target = scale[:, None, None] * turned + move[:, None]
    found = similarity(points, target, random.uniform(0.1, 1, 51))
    for value, truth in zip(found, (scale, rotation, move), strict=True):
        np.testing.assert_allclose(value, truth, atol=1e-9)


def test_precision_is_that_of_the_points():
    points = np.random.default_rng(1).normal(size=(1, 9, 3)).astype(np.float32)
    assert {part.dtype for part in similarity(points, points, np.ones(9, np.float32))} == {
        np.dtype(np.float32)
    }
