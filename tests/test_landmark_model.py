"""What a tracker makes of faces: the model that ships, and its recipe on made-up people."""

import numpy as np
import pytest
from made_up import rotations, somebody

from lifemask.nodes.faces import blendshapes, topology
from lifemask.nodes.head import arkit
from lifemask.nodes.head.exact_renders import ExactRenders
from lifemask.nodes.head.head_model import head_model
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.head.make_landmark_model import (
    Field,
    identity_response,
    mirrored,
    observation,
    reference,
    smooth_fields,
    unposed,
)
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.shape import turned

EYES = np.linalg.norm(np.diff(atlas().mean[[33, 263]], axis=0))
TONGUE = arkit.NAMES.index("tongueOut")


def made_up_renders(random, people, each, motions):
    """Tracked landmarks of people who play ``motions``, and the neutrals (P, 478, 3)."""
    neutrals = np.stack([somebody(random) for _ in range(people)])
    person = np.repeat(np.arange(people), each)
    coefficients = random.uniform(0, 1, (len(person), 52)) * (
        random.random((len(person), 52)) < 0.2
    )
    coefficients[:, TONGUE] = 0
    rotation = rotations(random, len(person), 0.3)
    shape = neutrals[person] + np.tensordot(coefficients, motions, 1)
    shape = shape + np.tensordot(turned(rotation), atlas().turns, 1)
    landmarks = np.einsum("nki,nji->nkj", shape, rotation) * 20 + 200
    tracked = random.uniform(0, 1, (len(person), len(blendshapes.NAMES)))
    tracked[:, list(arkit.FROM_TRACKED)] = coefficients[:, :-1] / 2
    renders = ExactRenders(
        person=np.array([f"p{number:02d}" for number in person]),
        take=np.full(len(person), "take"),
        landmarks=landmarks.astype(np.float32),
        expression=tracked.astype(np.float32),
        confidence=np.ones(len(person), np.float32),
        coefficients=coefficients.astype(np.float32),
        gaze=np.zeros((len(person), 2), np.float32),
        camera=np.zeros((len(person), 3, 4)),
    )
    return renders, neutrals


def test_the_model_has_left_and_right_alike():
    model = landmark_model()
    np.testing.assert_allclose(mirrored(model.neutral), model.neutral, atol=1e-3)
    other = model.motions[list(arkit.MIRRORED)]
    np.testing.assert_allclose(mirrored(other), model.motions, atol=0.01)


def test_a_tracker_answers_motions_and_people_in_part():
    """In the picture's plane: of the strongest expressions, and of the head's identity modes."""
    model, head = landmark_model(), head_model()
    for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "noseSneerLeft"):
        number = arkit.NAMES.index(name)
        seen, exact = model.motions[number], head.landmarks(head.expressions[number])
        assert 0.25 < (seen * exact)[..., :2].sum() / np.square(exact[..., :2]).sum() < 1
    exact = head.landmarks(head.identity)
    assert 0.2 < (model.identity[:60] * exact)[..., :2].sum() / np.square(exact[..., :2]).sum() < 1
    assert (model.motions[TONGUE] == 0).all()


def test_neutrals_differ_by_as_much_as_the_factors_say():
    """About the spread of tracked people, in per cent of the eyes' distance."""
    model = landmark_model()
    variance = np.square(model.identity[:, : topology.MESH_COUNT, :2]).sum((0, 2)).mean()
    assert 1 < 100 * np.sqrt(variance) / EYES < 2.5


def test_tracked_coefficients_tell_the_exact_ones_within_the_deviation():
    model = landmark_model()
    assert model.observed.shape == (len(blendshapes.NAMES) + 1, len(arkit.NAMES))
    assert (model.deviation < 0.2).all()
    smile = np.zeros(53)
    smile[[blendshapes.NAMES.index("mouthSmileLeft"), -1]] = 1
    rest = np.eye(53)[-1]
    told = (smile - rest) @ model.observed
    assert told.argmax() == arkit.NAMES.index("mouthSmileLeft")


def test_neutrals_and_motions_are_found_from_exact_coefficients():
    random = np.random.default_rng(3)
    motions = landmark_model().motions
    renders, neutrals = made_up_renders(random, people=6, each=40, motions=motions)
    found = reference(renders, head_model().landmarks(head_model().expressions))
    error = unposed(found.motions - motions)
    moved = np.sqrt(np.square(motions[:, : topology.MESH_COUNT]).mean())
    assert np.sqrt(np.square(error[:, : topology.MESH_COUNT]).mean()) < 0.15 * moved
    far = unposed(found.neutrals - neutrals)
    assert 100 * np.sqrt(np.square(far[:, :, :2]).sum(-1).mean()) / EYES < 0.4


@pytest.mark.parametrize("gain", [0.3, 0.7])
def test_identity_is_answered_with_the_tracker_s_gain(gain):
    random = np.random.default_rng(4)
    modes = head_model().landmarks(head_model().identity)
    exact = random.normal(size=(40, 60))
    neutrals = atlas().mean + gain * np.tensordot(exact, modes, 1)
    middle, found = identity_response(neutrals, exact, modes)
    np.testing.assert_allclose(found, gain * modes, atol=0.01)
    np.testing.assert_allclose(middle, (atlas().mean + mirrored(atlas().mean)) / 2, atol=0.02)


def test_observation_is_the_same_on_both_sides():
    random = np.random.default_rng(5)
    renders, _ = made_up_renders(random, 3, 30, landmark_model().motions)
    found, deviation = observation(renders)
    left, right = (blendshapes.NAMES.index(f"mouthSmile{side}") for side in ("Left", "Right"))
    np.testing.assert_allclose(found[left][list(arkit.MIRRORED)], found[right], atol=1e-4)
    assert deviation[arkit.NAMES.index("jawOpen")] < 0.1


def test_smooth_fields_have_the_deviation_asked_for():
    fields = smooth_fields(Field(deviation=0.05, across=2.0, count=80))
    np.testing.assert_allclose(np.sqrt(np.square(fields).sum(0)), 0.05, rtol=0.05)
