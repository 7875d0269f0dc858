"""The head that ships: a whole mesh, the kit's shapes within the rounding, eyeballs in place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes.faces import topology
from lifemask.nodes.head import arkit
from lifemask.nodes.head.head_model import FILE, PARTS, head_model
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.head.packed_shapes import packed, unpacked

REST = np.zeros(60), np.zeros(52)
MOST = 6 * 2**20  # bytes
SIDES = ("right", "left")


def test_the_file_is_small():
    assert FILE.stat().st_size <= MOST


def test_the_parts_are_the_whole_mesh_and_no_triangle_joins_two_of_teeth_and_eyes():
    head = head_model()
    part = np.concatenate([np.full(p.stop - p.start, k) for k, p in enumerate(PARTS.values())])
    assert len(part) == len(head.mean) == head.identity.shape[1] == head.expressions.shape[1]
    assert set(np.unique(head.triangles)) == set(range(len(head.mean)))
    apart = part[head.triangles] >= list(PARTS).index("gums")
    own = part[head.triangles[apart.all(1)]]
    assert (own == own[:, :1]).all()


def test_a_mesh_is_linear_in_identity_and_expression():
    head, random = head_model(), np.random.default_rng(1)
    identity, coefficients = random.normal(size=(2, 60)), random.uniform(size=(2, 52))
    both = head.vertices(identity, coefficients)
    for row in range(2):
        one = head.vertices(identity[row], np.zeros(52)) + head.vertices(
            np.zeros(60), coefficients[row]
        )
        np.testing.assert_allclose(both[row], one - head.mean, atol=1e-4)


def test_landmarks_lie_on_the_mesh_where_the_tracker_sees_them():
    head = head_model()
    np.testing.assert_allclose(head.weights.sum(1), 1, atol=1e-3)
    assert (head.weights >= 0).all()
    far = head.landmarks(head.mean) - landmark_model().neutral
    assert np.sqrt((far[: topology.MESH_COUNT, :2] ** 2).sum(1).mean()) < 0.15  # cm
    nose, chin, brow = head.landmarks(head.mean)[[1, 152, 10]]
    assert nose[2] < brow[2] < head.mean[PARTS["head"], 2].max()
    assert brow[1] < nose[1] < chin[1]


@pytest.mark.parametrize(
    "name, lower, upper",
    [("jawOpen", 14, 13), ("eyeBlinkRight", 159, 145), ("eyeBlinkLeft", 386, 374)],
)
def test_an_expression_moves_one_landmark_down_from_another(name, lower, upper):
    head, coefficients = head_model(), np.zeros(52)
    coefficients[arkit.NAMES.index(name)] = 1
    moved = head.landmarks(head.vertices(REST[0], coefficients)) - head.landmarks(head.mean)
    assert moved[lower, 1] - moved[upper, 1] > 0.5


@pytest.mark.parametrize("name", [name for name in arkit.NAMES if "Left" in name])
def test_expressions_are_on_their_own_side(name):
    """The person's left is at picture right."""
    if name in ("jawLeft", "mouthLeft"):
        return
    size = np.linalg.norm(head_model().expressions[arkit.NAMES.index(name)], axis=-1)
    assert (size * head_model().mean[:, 0]).sum() > 0.5 * (
        size * abs(head_model().mean[:, 0])
    ).sum()


def test_jaw_and_mouth_go_to_their_own_side():
    for name in ("jawLeft", "mouthLeft"):
        assert head_model().expressions[arkit.NAMES.index(name)][..., 0].sum() > 0
        right = arkit.NAMES.index(arkit.other_side(name))
        assert head_model().expressions[right][..., 0].sum() < 0


def test_lower_teeth_follow_the_jaw_and_upper_ones_the_skull():
    opened = head_model().expressions[arkit.NAMES.index("jawOpen"), PARTS["teeth"]]
    down = opened[:, 1]
    assert ((down > 1).mean() > 0.3) and ((np.abs(opened).max(1) < 0.01).mean() > 0.3)


def test_eyeballs_lie_behind_their_irises():
    head = head_model()
    random = np.random.default_rng(2)
    for identity in (REST[0], random.normal(size=60)):
        balls = head.eyeballs(identity)
        assert balls.centre[0, 0] < 0 < balls.centre[1, 0]
        mesh = head.vertices(identity, REST[1])
        middles = head.landmarks(mesh)[[topology.RIGHT_IRIS[0], topology.LEFT_IRIS[0]]]
        np.testing.assert_allclose(middles[:, :2], balls.centre[:, :2], atol=0.35)
        assert (middles[:, 2] < balls.centre[:, 2] - 1).all()
        for side, centre, radius in zip(SIDES, balls.centre, balls.radius, strict=True):
            far = np.linalg.norm(mesh[PARTS[f"eyeball_{side}"]] - centre, axis=1)
            assert abs(np.median(far) - radius) < 0.05
        assert (balls.iris > 0.45).all()
        assert (balls.iris < 0.75).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.001, 0.02), st.floats(0.001, 0.02))
def test_packed_shapes_are_near(seed, still, step):
    random = np.random.default_rng(seed)
    size = random.choice([0.0, 0.1, 1, 5], (4, 30, 1))
    shapes = (random.normal(size=(4, 30, 3)) * size).astype(np.float32)
    found = unpacked(packed(shapes, still, step), 30)
    bound = np.maximum(still, step / 2 * 3**0.5 + np.abs(shapes).max() * 2**-10)
    assert np.linalg.norm(found - shapes, axis=-1).max() <= bound
