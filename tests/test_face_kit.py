"""The head kit as it is published: its names, people held in place, eyes that turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import rotations
from made_up_head import AXES, face_kit, kit_file

from lifemask.nodes.head import arkit
from lifemask.nodes.head.eyeballs import sphere_through
from lifemask.nodes.head.face_kit import FaceKit, arkit_coefficients, arkit_name
from lifemask.nodes.head.head_model import PARTS


def test_a_published_kit_is_read_without_its_lashes(tmp_path):
    kit, known = FaceKit.load(kit_file(tmp_path / "kit.npz")), face_kit()
    np.testing.assert_array_equal(kit.triangles, known.triangles)
    np.testing.assert_allclose(kit.mean, known.mean)
    np.testing.assert_allclose(kit.identity, known.identity, atol=0.001)
    np.testing.assert_allclose(kit.expressions, known.expressions, atol=0.002)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("eyeBlink_L", "eyeBlinkLeft"),
        ("browInnerUp_R", "browInnerUp"),
        ("jawLeft", "jawLeft"),
        ("mouthClose", "mouthClose"),
    ],
)
def test_names_are_arkit_s(name, expected):
    assert arkit_name(name) == expected


@given(st.dictionaries(st.sampled_from(["browInnerUp_L", "browInnerUp_R"]), st.floats(0, 1)))
def test_two_sides_with_one_name_are_averaged(expression):
    found = arkit_coefficients({**expression, "jawOpen": 0.5})
    assert found[arkit.NAMES.index("browInnerUp")] == pytest.approx(
        sum(expression.values()) / 2, abs=1e-6
    )
    assert found[arkit.NAMES.index("jawOpen")] == 0.5


def test_people_are_held_in_place():
    """A turn and a shift that are part of an identity are taken out again."""
    kit, random = face_kit(), np.random.default_rng(1)
    turned = kit.mean @ rotations(random, 1, 0.2)[0] + 2
    modes = np.stack([turned - kit.mean, *kit.identity[1:]])
    moved = FaceKit(kit.mean, modes, kit.expressions, kit.triangles, kit.rigid)
    np.testing.assert_allclose(moved.neutral(np.eye(60)[0]), kit.mean, atol=1e-3)


@pytest.mark.parametrize("gaze, axis, sign", [((20, 0), 0, 1), ((0, 15), 1, 1)])
def test_eyes_turn_about_their_middle_to_the_person_s_left_and_up(gaze, axis, sign):
    kit = face_kit()
    looking = kit.posed(kit.mean, np.zeros(52, np.float32), np.float32(gaze))
    for side in ("left", "right"):
        ball, iris = PARTS[f"eyeball_{side}"], PARTS[f"iris_{side}"]
        before, radius = sphere_through(kit.mean[ball], -kit.mean[ball, 2])
        after, same = sphere_through(looking[ball], -kit.mean[ball, 2])
        np.testing.assert_allclose(after, before, atol=0.01)
        assert same == pytest.approx(radius, abs=0.01)
        moved = (looking[iris] - kit.mean[iris]).mean(0)
        assert moved[axis] * sign > 0.1
    face = PARTS["face"]
    np.testing.assert_array_equal(looking[face], kit.mean[face])


def test_axes_are_the_person_s_left_and_up():
    """The head that ships has x to picture right, which is the person's left, and y down."""
    kit = face_kit()
    left = kit.mean[PARTS["eyeball_left"]].mean(0)
    assert left[0] > 0
    assert (kit.mean * AXES)[PARTS["teeth"], 1].mean() > (left * AXES)[1]
