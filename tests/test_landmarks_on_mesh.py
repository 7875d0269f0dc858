"""Landmarks are found on the mesh where they were put."""

import numpy as np
from made_up_head import face_kit, seen

from lifemask.nodes.head.head_model import head_model
from lifemask.nodes.head.landmarks_on_mesh import landmarks_on_mesh


def test_landmarks_are_found_where_they_are_on_the_mesh():
    random = np.random.default_rng(1)
    identities = {name: random.normal(size=60).astype(np.float32) for name in "ab"}
    renders = seen(random, 4, identities)
    corners, weights = landmarks_on_mesh(face_kit(), renders, identities)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)
    head = head_model()
    found = np.einsum("kci,kc->ki", head.mean[corners], weights)
    far = np.linalg.norm(found - head.landmarks(head.mean), axis=1)
    assert np.median(far) < 0.02  # cm
    assert (far < 0.3).mean() > 0.97
