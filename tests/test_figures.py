"""The measures and the registration on pictures whose figures are known."""

import cv2
import numpy as np
import pytest

from lifemask.nodes.truth import figures, registration
from lifemask.nodes.truth.views import SIDE, Face, Spool


def picture(seed, sigma=2.0):
    """A smooth random picture (S, S, 3) about middle grey in the log curve."""
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), sigma)
    return 0.4 + 0.08 * soft / soft.std()


def face(swap, truth, plate=None):
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    weight = np.clip(20 - (np.hypot(x, y) - 40) / 2, 0, 1).astype(np.float32)
    return Face(swap, picture(99) if plate is None else plate, truth, weight)


def test_way_is_0_for_the_plate_and_half_for_half():
    plate, truth, weight = picture(1), picture(2), np.ones((SIDE, SIDE), np.float32)
    for share in (0, 0.5, 1, 1.5):
        swap = plate + share * (truth - plate)
        assert figures.projection(
            figures.projection_sums(swap, plate, truth, weight)
        ) == pytest.approx((share, 0), abs=2e-3)


def test_rest_is_what_lies_beside_the_way():
    plate, truth, weight = picture(1), picture(2), np.ones((SIDE, SIDE), np.float32)
    goal = truth - plate
    other = picture(3) - 0.4
    beside = other - goal * (other * goal).sum() / (goal * goal).sum()
    share, rest = figures.projection(figures.projection_sums(truth + beside, plate, truth, weight))
    assert share == pytest.approx(1, abs=1e-3)
    assert rest == pytest.approx(np.linalg.norm(beside) / np.linalg.norm(goal), rel=1e-3)


@pytest.mark.parametrize("grade", [(0.1, -0.05, 0.0), (-0.3, 0.2, 0.3)])
def test_a_grade_is_found(grade):
    truths = [picture(seed) for seed in range(3)]
    faces = [face(truth + np.float32(grade), truth) for truth in truths]
    assert registration.swap_gain(faces) == pytest.approx(grade, abs=1e-5)


@pytest.mark.parametrize("move", [(2.0, -1.0, 0.0, 0.0), (-1.0, 1.5, 0.02, -0.03)])
def test_a_reposition_is_found(move):
    truths = [picture(seed, 4) for seed in range(3)]
    faces = [face(registration.moved(truth, -np.array(move)) + 0.05, truth) for truth in truths]
    found = registration.place(faces)
    back = [registration.moved(f.swap - 0.05, found) for f in faces]
    left = [
        np.abs((a - t) * f.weight[..., None]).mean()
        for a, t, f in zip(back, truths, faces, strict=True)
    ]
    before = [np.abs((f.swap - 0.05 - f.truth) * f.weight[..., None]).mean() for f in faces]
    assert np.mean(left) < 0.1 * np.mean(before)


def test_blur_lowers_detail_and_noise_raises_it_without_keeping_more():
    truth = picture(4, 0.7)
    noisy = truth + 0.05 * np.random.default_rng(5).normal(size=truth.shape).astype(np.float32)
    found = [
        figures.ratios([face(swap, truth)])
        for swap in (cv2.GaussianBlur(truth, (0, 0), 1), truth, noisy)
    ]
    assert found[0]["detail_energy"] < found[1]["detail_energy"] < found[2]["detail_energy"]
    assert found[0]["detail_recall"] < 0.95
    assert found[1]["detail_recall"] == pytest.approx(1, abs=0.01)
    assert found[2]["detail_recall"] < 1.05


def test_what_is_only_misplaced_is_forgiven_by_aligned_ssim_and_measured_by_displacement():
    truth = picture(6, 3)
    swap = registration.moved(truth, np.array([2.0, 0, 0, 0]))
    found = figures.ratios([face(swap, truth)])
    assert found["aligned_ssim"] > found["ssim"] + 0.05
    assert found["aligned_l1"] < 0.5 * found["relative_l1"]
    assert found["displacement_percent"] == pytest.approx(2 / SIDE * 100, rel=0.25)


def test_flicker_counts_change_of_the_error_and_not_the_error():
    truths = [picture(seed) for seed in range(4)]
    steady = figures.ratios([face(truth + 0.1, truth) for truth in truths])
    wild = figures.ratios([face(t + 0.02 * (-1) ** i, t) for i, t in enumerate(truths)])
    assert steady["temporal_error"] == pytest.approx(0, abs=1e-5)
    assert wild["temporal_error"] > 0.2


def test_spool_gives_back_what_was_put_in_as_often_as_asked():
    faces = [face(picture(seed), picture(seed + 1)) for seed in range(3)]
    with Spool() as spool:
        for one in faces:
            spool.append(one)
        for _ in range(2):
            for kept, one in zip(spool, faces, strict=True):
                for name, value in vars(one).items():
                    assert np.array_equal(getattr(kept, name), value)
    assert len(spool) == 3
