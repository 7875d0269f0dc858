"""A painted occluder hides the face of an example there and changes nothing elsewhere."""

import numpy as np
import pytest
import torch

from lifemask.nodes.learning.augment import occlusions
from lifemask.nodes.learning.augment.occlusions import with_occluder, with_shadow
from lifemask.nodes.learning.data.examples import Batch
from lifemask.nodes.refiner.crop import CANDIDATES, CHANNELS, COVERED, LIGHT, OCCLUSION, PLATE
from lifemask.nodes.render.filters import blur

TRANSFERRED = slice(CANDIDATES.start + 3, CANDIDATES.start + 6)


@pytest.fixture(scope="module")
def many(cycle_examples):
    return cycle_examples.batch([*range(len(cycle_examples))] * 6)


@pytest.fixture(scope="module")
def after(many):
    torch.manual_seed(1)
    return with_occluder(many)


def changed(before, after):
    return (before.planes != after.planes).flatten(1).any(1)


@pytest.fixture(scope="module")
def darkened(many):
    torch.manual_seed(2)
    return with_shadow(many)


def test_some_have_something_before_the_face_and_some_a_shadow(many, after, darkened):
    assert 0.2 < changed(many, after).float().mean() < 0.6
    assert 0.2 < changed(many, darkened).float().mean() < 0.6


def test_what_an_occluder_hides_has_no_weight(many, after):
    hidden = (after.shown[:, PLATE] - many.shown[:, PLATE]).abs().amax(1, keepdim=True) > 0.03
    counted = many.weight > 0.9
    assert (hidden & counted).sum() > 100
    assert after.weight[hidden & counted].median() < 0.05
    assert (after.weight <= many.weight).all()


def test_its_matte_lies_on_it_or_beside_it(many, after):
    more = after.shown[:, OCCLUSION] - many.shown[:, OCCLUSION]
    assert more.min() >= 0
    assert after.shown[:, OCCLUSION].max() <= 1
    assert (after.weight[more > 0.5] < 0.6).all()


def test_only_what_sees_the_plate_sees_an_occluder(many, after):
    seen = {
        *range(PLATE.start, PLATE.stop),
        *range(TRANSFERRED.start, TRANSFERRED.stop),
        OCCLUSION.start,
    }
    for plane in set(range(CHANNELS)) - seen:
        assert torch.equal(after.shown[:, plane], many.shown[:, plane])
    assert torch.equal(after.truth, many.truth)
    assert torch.equal(after.matte, many.matte)


def test_the_candidate_that_has_the_plate_in_it_shows_the_same_occluder(many, after):
    plate = after.shown[:, PLATE] - many.shown[:, PLATE]
    told = after.shown[:, TRANSFERRED] - many.shown[:, TRANSFERRED]
    covered = many.shown[:, COVERED]
    assert torch.allclose(told, plate * covered, atol=1e-5)


def test_the_same_random_state_paints_the_same(many, after):
    torch.manual_seed(1)
    assert torch.equal(with_occluder(many).planes, after.planes)


@pytest.mark.parametrize("kind", ["_hand", "_spectacles", "_ellipses"])
def test_every_kind_is_something_and_not_all(kind):
    for seed in range(8):
        matte = np.zeros((128, 128), np.float32)
        getattr(occlusions, kind)(matte, np.random.default_rng(seed))
        assert 20 < (matte > 0.5).sum() < 0.9 * matte.size


def test_a_shadow_is_as_deep_in_the_right_swap_as_in_the_plate(many, darkened):
    shade = many.shown[:, PLATE] - darkened.shown[:, PLATE]
    assert shade.max() > 0.05
    assert shade.min() > -0.05
    for before, now in (
        (many.truth, darkened.truth),
        (many.shown[:, TRANSFERRED], darkened.shown[:, TRANSFERRED]),
    ):
        assert torch.allclose(before - now, shade, atol=1e-5)


def test_the_chain_knows_of_a_shadow_what_is_smooth_and_no_more(many, darkened):
    shade = many.shown[:, PLATE] - darkened.shown[:, PLATE]
    known = many.shown[:, LIGHT] - darkened.shown[:, LIGHT]
    assert 0.6 * shade.abs().mean() < known.abs().mean() < shade.abs().mean()
    fine = [(planes - blur(planes, 2.0))[..., 8:-8, 8:-8].std() for planes in (shade, known)]
    assert fine[1] < 0.5 * fine[0]


def test_a_shadow_hides_nothing(many, darkened):
    assert torch.equal(darkened.weight, many.weight)
    assert torch.equal(darkened.matte, many.matte)
    assert torch.equal(darkened.shown[:, OCCLUSION], many.shown[:, OCCLUSION])


@pytest.mark.parametrize("paint", [with_occluder, with_shadow])
def test_an_example_given_is_left_as_it_is(cycle_examples, paint):
    before = cycle_examples.batch([0, 1, 2, 3])
    copy = Batch.of(before.planes.clone())
    torch.manual_seed(1)
    paint(before)
    assert torch.equal(before.planes, copy.planes)
