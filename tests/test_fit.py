"""Heads fitted to faces that were made up, so that neutral and expression are known."""

import numpy as np
import pytest
from made_up import put, tracked

from lifemask.nodes.faces.blendshapes import expression
from lifemask.nodes.faces.pose import rotation_of
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.faces.topology import LEFT_BROW, LEFT_EYE, LIPS, RIGHT_BROW, RIGHT_EYE
from lifemask.nodes.head import fit, placed_frames
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.fit import fitted
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.shape import turned

EYES_APART = np.linalg.norm(atlas().mean[33] - atlas().mean[263])
SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.5}


def somebody(random):
    """The neutral (478, 3) of a person drawn from the model, who is not the mean one."""
    modes = landmark_model().identity
    return landmark_model().neutral + np.tensordot(random.normal(size=len(modes)), modes, 1)


def acted(random, count, **always):
    """Coefficients (N, 52): an expression of its own in each frame, beside what is ``always``."""
    values = np.zeros((count, len(NAMES)), np.float32)
    for row in values:
        row[random.integers(0, len(NAMES) - 1, 3)] = random.uniform(0, 0.8, 3)
    for name, value in always.items():
        values[:, NAMES.index(name)] = value
    return values


def filmed(random, neutral, coefficients, side=None):
    """Landmarks of a face that plays the coefficients, with a tracker's errors."""
    model = landmark_model()
    share = random.normal(size=(len(coefficients), len(model.errors)))
    shapes = neutral + np.tensordot(coefficients, model.motions, 1)
    return tracked(random, shapes + 0.5 * np.tensordot(share, model.errors, 1), side)


def fit_of(landmarks, weight=None, runs=()):
    weight = np.ones(len(landmarks), np.float32) if weight is None else weight
    return fitted(landmarks, expression(landmarks), weight, runs)


def apart(a, b, where=slice(468)):
    """How far neutral a is from b, in % of the eyes' distance."""
    scale, rotation, shift = similarity(a[None], b[None], atlas().rigid)
    left = (scale * a @ rotation[0].T + shift - b)[where, :2]
    return 100 * np.sqrt(np.square(left).sum(-1).mean()) / EYES_APART


@pytest.mark.parametrize("seed", range(3))
def test_who_and_how_are_told_apart(seed):
    random = np.random.default_rng(seed)
    neutral, coefficients = somebody(random), acted(random, 40)
    found = fit_of(filmed(random, neutral, coefficients))
    assert apart(found.neutral, neutral) < 0.6 * apart(landmark_model().neutral, neutral)
    assert np.corrcoef(found.coefficients.ravel(), coefficients.ravel())[0, 1] > 0.55
    assert found.coefficients.min() >= 0


def test_who_smiles_throughout_is_not_thought_to_look_so():
    random = np.random.default_rng(4)
    neutral, coefficients = somebody(random), acted(random, 30, **SMILE)
    found = fit_of(filmed(random, neutral, coefficients))
    smiling = neutral + np.tensordot(coefficients.mean(0), landmark_model().motions, 1)
    assert apart(found.neutral, neutral, LIPS) < 0.4 * apart(found.neutral, smiling, LIPS)
    smile = found.coefficients[:, NAMES.index("mouthSmileLeft")]
    assert smile.mean() == pytest.approx(0.8, abs=0.2)


def test_one_frame_is_enough():
    random = np.random.default_rng(5)
    neutral = somebody(random)
    found = fit_of(filmed(random, neutral, acted(random, 1, **SMILE)), runs=[slice(0, 1)])
    assert found.coefficients.shape == (1, 52)
    assert found.identity.shape == (60,)
    assert apart(found.neutral, neutral) < apart(landmark_model().neutral, neutral)


def test_the_less_is_shown_the_less_is_sure():
    random = np.random.default_rng(6)
    neutral = somebody(random)
    grimace = acted(random, 1).repeat(40, 0)
    varied, one = acted(random, 40), grimace[:1]
    shown = {"varied": varied, "grimace": grimace, "one": one}
    unsure = {
        name: fit_of(filmed(random, neutral, played)).uncertainty for name, played in shown.items()
    }
    assert unsure["varied"] < unsure["grimace"] < 1.1 * unsure["one"]


def test_landmarks_that_jump_shape_the_neutral_less(monkeypatch):
    random = np.random.default_rng(7)
    landmarks = filmed(random, somebody(random), acted(random, 30))
    clean = fit_of(landmarks)
    size = clean.placed.scale[:, None, None]
    wrong = landmarks.copy()
    for frame in range(30):
        some = random.choice(468, 40, replace=False)
        wrong[frame, some] += 3 * size[frame] * random.normal(size=(40, 3))
    found = fit_of(wrong)
    monkeypatch.setattr(placed_frames, "_OUTLIER", 1e6)
    shaped = fit_of(wrong)
    assert apart(found.neutral, clean.neutral) < 0.4 * apart(shaped.neutral, clean.neutral)
    moved, shifted = (
        np.linalg.norm(one.placed.centre - clean.placed.centre) for one in (found, shaped)
    )
    assert moved < 0.8 * shifted


def test_a_profile_alone_is_less_sure():
    random = np.random.default_rng(11)
    neutral, played = somebody(random), acted(random, 8)
    shapes = neutral + np.tensordot(played, landmark_model().motions, 1)

    def turned_to(degrees):
        rotation = rotation_of(np.full((8, 3), [degrees, 0, 0]))
        amiss = np.tensordot(turned(rotation), atlas().turns, 1)
        found = fit_of(put(random, shapes + amiss, rotation)[0])
        return found.uncertainty, apart(found.neutral, neutral)

    (front, _), (side, off) = turned_to(0), turned_to(55)
    assert side > 1.1 * front
    assert off < apart(landmark_model().neutral, neutral)


def test_spectacles_on_all_frames_leave_the_mouth_alone():
    random = np.random.default_rng(12)
    neutral, coefficients = somebody(random), acted(random, 20)
    landmarks = filmed(random, neutral, coefficients)
    clean = fit_of(landmarks)
    size, rims = clean.placed.scale[:, None, None], [*RIGHT_EYE, *LEFT_EYE]
    landmarks[:, rims] += 0.15 * size * random.normal(size=(1, len(rims), 3))
    assert apart(fit_of(landmarks).neutral, clean.neutral, LIPS) < 0.25


def test_a_child_is_not_made_an_adult():
    random = np.random.default_rng(13)
    mean = landmark_model().neutral
    # A short lower face and a high brow.
    low = 1 / (1 + np.exp(-mean[:, 1:2]))
    child = mean * np.float32([1.04, 1, 1]) - np.float32([0, 1, 0]) * 0.12 * low * mean
    found = fit_of(filmed(random, child, acted(random, 30)))
    assert apart(found.neutral, child) < 0.4 * apart(mean, child)


def test_behind_a_mask_the_upper_face_is_still_fitted():
    random = np.random.default_rng(14)
    neutral, coefficients = somebody(random), acted(random, 20)
    landmarks = filmed(random, neutral, coefficients)
    size = fit_of(landmarks).placed.scale[:, None, None]
    masked = np.flatnonzero(atlas().mean[:468, 1] > atlas().mean[4, 1])
    landmarks[:, masked] += 0.8 * size * random.normal(size=(20, len(masked), 3))
    found = fit_of(landmarks)
    upper = [*RIGHT_EYE, *LEFT_EYE, *RIGHT_BROW, *LEFT_BROW]
    assert apart(found.neutral, neutral, upper) < apart(landmark_model().neutral, neutral, upper)
    assert np.isfinite(found.coefficients).all()


def test_a_frame_that_is_not_trusted_hardly_shapes_the_neutral():
    random = np.random.default_rng(8)
    neutral, coefficients = somebody(random), acted(random, 12)
    landmarks = filmed(random, neutral, coefficients)
    clean = fit_of(landmarks)
    landmarks[3] += random.normal(0, 40, landmarks[3].shape).astype(np.float32)
    weight = np.ones(12, np.float32)
    weight[3] = 0
    assert apart(fit_of(landmarks, weight).neutral, clean.neutral) < 0.2


def test_within_a_run_coefficients_are_steady():
    random = np.random.default_rng(9)
    neutral, coefficients = somebody(random), acted(random, 1).repeat(24, 0)
    landmarks = filmed(random, neutral, coefficients)
    loose, held = fit_of(landmarks), fit_of(landmarks, runs=[slice(0, 24)])

    def jitter(found):
        return np.abs(np.diff(found.coefficients, axis=0)).mean()

    assert jitter(held) < 0.8 * jitter(loose)


def test_frames_of_many_chunks_are_as_if_fitted_together(monkeypatch):
    random = np.random.default_rng(10)
    landmarks = filmed(random, somebody(random), acted(random, 60))
    whole = fit_of(landmarks, runs=[slice(0, 60)])
    monkeypatch.setattr(fit, "_CHUNK", 20)
    monkeypatch.setattr(fit, "_MARGIN", 6)
    parts = fit_of(landmarks, runs=[slice(0, 60)])
    np.testing.assert_allclose(parts.coefficients, whole.coefficients, atol=0.02)
    np.testing.assert_allclose(parts.placed.shape, whole.placed.shape, atol=0.01)
