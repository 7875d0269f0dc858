"""The coverage of a hand: where it lies, its edge, and how large it is."""

import numpy as np
import pytest

from lifemask.nodes.hands.hand_coverage import hand_coverage, palm_width
from lifemask.nodes.hands.skeleton import BONES, COUNT, INDEX, LITTLE


def flat_hand(size=1.0, middle=(128.0, 200.0)):
    """A hand that lies flat, fingers up; ``size`` 1 is 140 pixels long."""
    points = np.zeros((COUNT, 3), np.float32)
    for finger, x in enumerate((-45, -22, -4, 14, 30)):
        length = (70, 130, 140, 130, 105)[finger]
        shares = (0.3, 0.55, 0.8, 1) if finger == 0 else (0.5, 0.7, 0.87, 1)
        for joint, share in enumerate(shares):
            points[1 + 4 * finger + joint] = (x * min(1, share * 1.6), -length * share, 0)
    points *= size
    points[:, :2] += middle
    return points


def test_the_bones_lie_inside():
    points = flat_hand()
    covered = hand_coverage(points, (256, 256))
    for start, end in BONES:
        for share in np.linspace(0, 1, 9):
            x, y = ((1 - share) * points[start] + share * points[end])[:2]
            assert covered[int(y), int(x)] == 1
    assert covered.shape == (256, 256)
    assert covered.dtype == np.float32
    assert covered[:, :20].max() == covered[:40].max() == 0


def test_the_area_is_that_of_the_same_hand_seen_closer():
    """What is anti-aliased keeps its area: four times that at twice the size."""
    once = hand_coverage(flat_hand(0.5, (64.2, 100.7)), (128, 128)).sum()
    twice = hand_coverage(flat_hand(1.0, (128.4, 201.4)), (256, 256)).sum()
    assert twice / once == pytest.approx(4, rel=0.01)


def test_the_edge_is_that_of_more_pixels_averaged():
    fine = hand_coverage(flat_hand() * [8, 8, 8], (2048, 2048))
    averaged = fine.reshape(256, 8, 256, 8).mean((1, 3))
    covered = hand_coverage(flat_hand(), (256, 256))
    edge = (covered > 0) & (covered < 1)
    assert np.abs(averaged - covered)[edge].mean() < 0.05
    assert np.abs(averaged - covered)[~edge].mean() < 0.001


def test_a_part_of_a_pixel_moves_it_by_as_much():
    moved = flat_hand() + np.float32([0.25, 0, 0])
    columns = np.arange(256) + 0.5
    middles = [
        (covered.sum(0) * columns).sum() / covered.sum()
        for covered in (hand_coverage(points, (256, 256)) for points in (flat_hand(), moved))
    ]
    assert middles[1] - middles[0] == pytest.approx(0.25, abs=0.01)


def test_a_hand_outside_of_the_picture_covers_nothing_and_one_at_its_edge_a_part():
    assert not hand_coverage(flat_hand(middle=(900, 900)), (256, 256)).any()
    whole = hand_coverage(flat_hand(), (256, 256))
    half = hand_coverage(flat_hand() - np.float32([128, 0, 0]), (256, 256))
    assert np.array_equal(half[:, :128], whole[:, 128:])


def test_a_lost_hand_covers_nothing():
    assert not hand_coverage(np.full((COUNT, 3), np.nan, np.float32), (64, 64)).any()


def test_the_width_of_a_palm_holds_when_it_is_turned():
    flat = flat_hand()
    across = flat[INDEX, 0] - flat[LITTLE, 0]
    turned = flat.copy()
    turned[:, 0], turned[:, 2] = flat[:, 0] * 0.5, flat[:, 0] * np.sqrt(0.75)
    assert palm_width(turned) == pytest.approx(palm_width(flat))
    assert palm_width(flat) == pytest.approx(abs(across), rel=0.25)
