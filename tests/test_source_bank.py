"""Which picture is chosen: the cheapest way through, and the same face where there is one."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.faces import topology
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.render.atlas import openings
from lifemask.nodes.render.descriptors import FaceDescriptors
from lifemask.nodes.render.source_bank import POINTS, SourceBank, shortest_path

FRAMES = 7


@settings(max_examples=60)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**16))
def test_the_path_is_the_cheapest_of_all(frames, pictures, seed):
    random = np.random.default_rng(seed)
    costs = random.integers(0, 9, (frames, pictures)).astype(np.float32)
    changes = random.integers(0, 9, (pictures, pictures)).astype(np.float32)

    def price(path):
        return sum(costs[t, p] for t, p in enumerate(path)) + sum(
            changes[a, b] for a, b in pairwise(path)
        )

    found = shortest_path(torch.from_numpy(costs), torch.from_numpy(changes)).tolist()
    assert len(found) == frames
    assert price(found) == min(price(path) for path in product(range(pictures), repeat=frames))


def test_dear_changes_keep_the_picture():
    costs = torch.rand(20, 4, generator=torch.Generator().manual_seed(1))
    stay = shortest_path(costs, 100 * (1 - torch.eye(4)))
    assert stay.unique().numel() == 1
    assert stay[0] == costs.sum(0).argmin()
    assert torch.equal(shortest_path(costs, torch.zeros(4, 4)), costs.argmin(1))


@pytest.fixture
def worn():
    """Seven faces that differ in expression, turn, light, and inside of the openings."""
    generator = torch.Generator().manual_seed(2)
    random = torch.randn(FRAMES, 478, 3, generator=generator)
    turn = torch.linalg.qr(torch.eye(3) + 0.2 * random[:, :3]).Q
    turn = turn * torch.linalg.det(turn).view(-1, 1, 1)
    light = 0.4 + 0.02 * torch.randn(FRAMES, 3, 64, 64, generator=generator)
    inside = sum(torch.from_numpy(map_)[::4, ::4] for map_ in openings().values())
    shown = 0.1 * torch.randn(FRAMES, 1, 64, 64, generator=generator) * inside
    valid = torch.ones(FRAMES, 1, 64, 64)
    clear, speed = torch.ones(FRAMES), torch.zeros(FRAMES)
    neutral = torch.zeros(FRAMES, len(NAMES))
    return FaceDescriptors(light + shown, valid, light, 0.2 * random, turn, clear, speed, neutral)


def bank_of(descriptors, shutter=0.5, detail=9.0):
    motions = torch.from_numpy(landmark_model().motions)
    return SourceBank(descriptors, torch.zeros(3, 64, 64), motions, shutter, detail)


def part(descriptors, *rows):
    names = ("colour", "valid", "light", "motion", "rotation", "clear", "speed", "coefficients")
    return FaceDescriptors(*(getattr(descriptors, name)[list(rows)] for name in names))


def test_a_calm_picture_is_better_than_one_with_another_expression(worn):
    alike = part(worn, 0, 0, 0)
    smile, frown = (
        [i for i, name in enumerate(NAMES) if name.startswith(start)]
        for start in ("mouthSmile", "browDown")
    )
    shown = torch.zeros(3, len(NAMES))  # calm, frowning, smiling a little
    shown[1, frown], shown[2, smile] = 0.8, 0.4
    asked = torch.zeros(1, len(NAMES))
    asked[:, smile] = 0.8
    pictures = replace(alike, coefficients=shown)
    ((calm, frowning, smiling),) = (
        bank_of(pictures).costs(replace(part(alike, 0), coefficients=asked))["face"].tolist()
    )
    assert calm == smiling < frowning


def test_the_look_of_a_hidden_mouth_does_not_count(worn):
    hidden = replace(part(worn, 3), clear=torch.zeros(1))
    other = replace(hidden, colour=part(worn, 5).colour)
    near, far = (bank_of(worn).costs(double)["mouth"] for double in (hidden, other))
    assert torch.equal(near, far)
    seen = bank_of(worn).costs(replace(other, clear=torch.ones(1)))["mouth"]
    assert not torch.allclose(seen, far)


def test_the_same_face_is_the_cheapest(worn):
    for name, cost in bank_of(worn).costs(part(worn, 4, 0, 2)).items():
        assert cost.shape == (3, FRAMES)
        assert cost.argmin(1).tolist() == [4, 0, 2], name


def test_to_stay_costs_nothing_and_to_change_the_same_both_ways(worn):
    for changes in bank_of(worn).changes().values():
        # The arc cosine of a rotation onto itself is known to 1e-3 only.
        assert changes.diagonal().abs().max() < 2e-3
        torch.testing.assert_close(changes, changes.T, atol=1e-3, rtol=1e-3)
        assert (changes + 9 * torch.eye(FRAMES)).min() > 0.05


def test_both_eyes_are_of_one_picture_however_unlike_they_are(worn):
    """What fits one eye alone is not taken for it: eyes that look apart are seen at once."""
    double = part(worn, 1)
    for eye, source in (("right_eye", 2), ("left_eye", 5)):
        double.motion[:, list(POINTS[eye])] = worn.motion[source, list(POINTS[eye])]
    for costs in (bank_of(worn).costs(double), bank_of(worn).changes()):
        assert torch.equal(costs["right_eye"], costs["left_eye"])


def test_a_picture_that_looks_another_way_costs_more(worn):
    away = part(worn, 1)
    for iris in (topology.RIGHT_IRIS, topology.LEFT_IRIS):
        away.motion[:, list(iris), 0] += 0.2
    before, after = (bank_of(worn).costs(double) for double in (part(worn, 1), away))
    assert 0.6 < after["left_eye"][0, 1] - before["left_eye"][0, 1] < 0.7
    torch.testing.assert_close(after["mouth"], before["mouth"])


def test_a_hidden_face_costs_more(worn):
    before = bank_of(worn).costs(part(worn, 1))
    worn.valid[3] = 0.2
    after = bank_of(worn).costs(part(worn, 1))
    for name in POINTS:
        assert after[name][0, 3] > before[name][0, 3] + 0.5
        assert after[name][0, 2] == before[name][0, 2]


def test_a_mouth_is_compared_by_what_is_in_it_and_not_by_its_light(worn):
    brighter = part(worn, *range(FRAMES))
    brighter.colour.add_(0.1)
    brighter.light.add_(0.1)
    misfit = bank_of(worn).misfit("mouth", brighter)
    assert misfit.diagonal().max() < 1e-4
    assert (misfit + torch.eye(FRAMES)).min() > 0.02


def test_a_picture_in_light_from_another_side_costs_more_and_in_more_light_does_not(worn):
    before = bank_of(worn).costs(part(worn, 1))["face"][0]
    side = torch.linspace(-0.1, 0.1, 64)
    other = part(worn, *range(FRAMES))
    for planes in (other.colour, other.light):
        planes[3] += side
        planes[5] += 0.1
    after = bank_of(other).costs(part(worn, 1))["face"][0]
    assert after[3] > before[3] + 0.1
    assert after[5] == pytest.approx(float(before[5]), abs=1e-3)


def test_a_picture_that_is_blurred_more_than_the_plate_costs_more(worn):
    still = bank_of(worn).costs(part(worn, 1))
    worn.speed[3] = 0.8
    for name in POINTS:
        # Half a frame long the shutter is open.
        dearer = bank_of(worn).costs(part(worn, 1))[name][0] - still[name][0]
        assert dearer[3] == pytest.approx(0.4, abs=1e-4)
        assert dearer[:3].abs().max() < 1e-4
    close = bank_of(worn, detail=25.0).costs(part(worn, 1))["face"][0] - still["face"][0]
    assert close[3] == pytest.approx(0.8, abs=1e-4)
    as_fast = replace(part(worn, 1), speed=torch.tensor([0.8]))
    for costs in (bank_of(worn).costs(as_fast), bank_of(worn, 0.0).costs(part(worn, 1))):
        torch.testing.assert_close(costs["face"], still["face"])
