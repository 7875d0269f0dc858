"""Examples made over stay true: what is added to a picture is added to its right swap."""

import pytest
import torch

from lifemask.nodes.learning.augment import identity
from lifemask.nodes.learning.augment.jitter import JitterConfig, jittered, smooth_noise
from lifemask.nodes.learning.data.examples import PLANES, Batch
from lifemask.nodes.refiner.crop import (
    CHANNELS,
    COVERED,
    LIGHT,
    NORMAL,
    PLATE,
    PREDICTED,
    RENDER,
    SHADED,
    TRANSFERRED,
)


@pytest.fixture(scope="module")
def many(cycle_examples):
    return cycle_examples.batch([*range(len(cycle_examples))] * 3)


@pytest.fixture
def after(many, monkeypatch):
    for name in ("_HARD", "_VIVID"):
        monkeypatch.setattr(identity, name, 0.0)
    torch.manual_seed(4)
    return identity.vary_identity(many)


def added(many, after, planes):
    return after.shown[:, planes] - many.shown[:, planes]


def test_what_the_likeness_gains_is_in_its_right_swap_too(many, after):
    gained = after.truth - many.truth
    assert gained.abs().mean() > 0.005
    for planes in (RENDER, TRANSFERRED, SHADED):
        assert torch.allclose(added(many, after, planes), gained, atol=1e-6)


def test_the_plate_is_as_its_prediction_and_all_share_one_light(many, after):
    double = added(many, after, PLATE)
    assert torch.allclose(added(many, after, PREDICTED), double, atol=1e-6)
    light = added(many, after, LIGHT)
    assert light.abs().mean() > 0.005
    assert (double - light).abs().mean() > 0.002
    assert (after.truth - many.truth - double).abs().mean() > 0.002


def test_shapes_and_mattes_stay(many, after):
    assert torch.equal(after.shown[:, NORMAL.start : CHANNELS], many.shown[:, NORMAL.start :])
    assert torch.equal(after.weight, many.weight)
    assert torch.equal(after.matte, many.matte)


def test_more_contrast_is_more_of_the_likeness_s_own_albedo(many, monkeypatch):
    for name in ("_LIT", "_SKIN", "_HARD", "_VIVID"):
        monkeypatch.setattr(identity, name, 0.0)
    torch.manual_seed(4)
    after = identity.vary_identity(many)
    assert torch.equal(after.shown[:, PLATE], many.shown[:, PLATE])
    inside = many.shown[:, COVERED] > 0.99
    albedo = many.shown[:, SHADED] - many.shown[:, LIGHT]
    for own, more, there in zip(albedo, after.truth - many.truth, inside, strict=True):
        seen = torch.stack([own[there.expand_as(own)], more[there.expand_as(own)]])
        assert abs(float(torch.corrcoef(seen)[0, 1])) > 0.9


def test_a_harder_light_is_harder_in_all_that_has_colour(many, monkeypatch):
    for name in ("_LIT", "_SKIN", "_CONTRAST", "_VIVID"):
        monkeypatch.setattr(identity, name, 0.0)
    torch.manual_seed(4)
    after = identity.vary_identity(many)
    for planes in (RENDER, TRANSFERRED, SHADED, PLATE, PREDICTED):
        before = (many.shown[:, planes] - many.truth).flatten(1)
        now = (after.shown[:, planes] - after.truth).flatten(1)
        harder = (before * now).sum(1) / (before**2).sum(1)
        assert torch.allclose(now, harder[:, None] * before, atol=1e-4)
        assert harder.std() > 0.05


def test_what_is_uneven_is_smooth_and_of_a_known_size():
    torch.manual_seed(0)
    planes = smooth_noise(torch.zeros(64, 1, 128, 128), 2)
    assert planes.shape == (64, 2, 128, 128)
    assert planes.std() == pytest.approx(0.8, abs=0.25)
    assert (planes[..., 1:] - planes[..., :-1]).std() < 0.06


def test_a_face_is_bent_in_all_of_its_planes_alike():
    still = JitterConfig(angle=0, zoom=0, shift=0, exposure=0)
    torch.manual_seed(7)
    column = torch.linspace(0, 1, 64).expand(64, 64)
    planes = torch.zeros(8, PLANES, 64, 64) + column
    planes[:, NORMAL] = 0
    straight, bent = (jittered(Batch.of(planes), warped, still) for warped in (False, True))
    for example in (straight, bent):
        assert torch.allclose(example.truth, example.shown[:, PLATE], atol=1e-6)
        assert torch.allclose(example.weight, example.matte, atol=1e-6)
    few = jittered(Batch.of(planes), torch.arange(8) < 2, still).truth[:, 0].std(1).mean(1)
    assert (few > 0.004).tolist() == [True] * 2 + [False] * 6
    rows = bent.truth[:, 0].std(1).mean()
    assert rows > 0.004 > straight.truth[:, 0].std(1).mean()
