"""Tracklets joined to people."""

import numpy as np

from lifemask.nodes.track.people import Tracklet, people

RNG = np.random.default_rng(0)
ADA, BEN = (v / np.linalg.norm(v) for v in RNG.normal(size=(2, 500)).astype(np.float32))


def tracklet(look, places, size=100.0, at=0.0, confidence=0.95):
    result = Tracklet()
    square = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    for place in places:
        noise = RNG.normal(0, 0.02, look.shape).astype(np.float32)
        result.add(place, confidence, (look + noise) / np.linalg.norm(look + noise))
        result.landmarks.append(square * np.float32(size) + np.float32(at))
    return result


def test_a_person_who_comes_back_is_the_same_person():
    found = people(
        [tracklet(ADA, range(20)), tracklet(BEN, range(5, 40)), tracklet(ADA, range(30, 50))], 5
    )
    assert [sorted(one.places) for one in found] == [
        [*range(20), *range(30, 50)],
        [*range(5, 40)],
    ]


def test_people_who_are_there_at_once_stay_apart_however_alike():
    assert len(people([tracklet(ADA, range(20)), tracklet(ADA, range(19, 40), at=500)], 5)) == 2


def test_people_who_look_different_stay_apart():
    assert len(people([tracklet(ADA, range(20)), tracklet(BEN, range(60, 80), at=500)], 5)) == 2


def test_the_largest_on_screen_comes_first():
    long_but_small = tracklet(ADA, range(40), size=50)
    short_but_large = tracklet(BEN, range(15), size=200, at=500)
    assert people([long_but_small, short_but_large], 5)[0].tracklets == [short_but_large]


def test_who_is_seen_too_briefly_or_too_badly_is_dropped():
    assert people([tracklet(ADA, range(4))], 5) == []
    assert people([tracklet(ADA, range(20), confidence=0.3)], 5) == []
    assert people([], 1) == []
