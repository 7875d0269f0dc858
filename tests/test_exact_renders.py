"""Renders with their truth: what a tracker sees lies where the exact head is."""

import numpy as np
import pytest
from made_up_head import PERSON, corpus, face_kit

from lifemask.nodes.head import arkit
from lifemask.nodes.head.exact_renders import tracked
from lifemask.nodes.head.head_model import head_model

OTHER_PERSON = 0.6  # centimetres: the double is not the mean person


@pytest.fixture(scope="module")
def renders(tmp_path_factory):
    """Two tracked frames."""
    return tracked([corpus(tmp_path_factory.mktemp("corpus"), (1015, 1031))], frozenset({PERSON}))


def test_coefficients_and_gaze_are_the_exact_ones(renders):
    assert len(renders) == 2
    assert renders.coefficients[0, arkit.NAMES.index("jawOpen")] == pytest.approx(0.292)
    np.testing.assert_allclose(renders.gaze[0], (-5.869, 0.178))


def test_the_exact_head_lies_under_the_tracked_landmarks(renders):
    kit, head = face_kit(), head_model()
    for row in range(len(renders)):
        mesh = kit.posed(kit.mean, renders.coefficients[row], renders.gaze[row])
        points, depth = renders.project(row, head.landmarks(mesh))
        across = points[263, 0] - points[33, 0]
        scale = across / (head.mean[head.corners[263, 0], 0] - head.mean[head.corners[33, 0], 0])
        far = (points - renders.landmarks[row, :, :2]) / scale
        far = far - far.mean(0)  # the shipped head has another origin than the published one
        assert np.sqrt(np.square(far).sum(1).mean()) < OTHER_PERSON
        assert (depth > 0.5).all()
        assert (depth < 2).all()
