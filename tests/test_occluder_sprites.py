"""What is laid over faces in training: rendered solids, drawn spectacles, strands and shapes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from lifemask.nodes.learning.augment.make_sprites import main, render
from lifemask.nodes.learning.augment.occluder_sprites import (
    Rendered,
    drawn,
    posed,
    read_sprites,
    spectacles,
)
from lifemask.nodes.learning.augment.solids import SHAPES, Solid
from lifemask.nodes.render.atlas import SIZE

GREY = np.full(3, 0.5)
LEVEL = np.full(3, 0.4, np.float32)
EYES = np.array([(80, 110), (115, 110), (141, 110), (176, 110)], np.float32)


def ball(radius):
    solid = Solid()
    solid.add(np.zeros(3), np.zeros(3), (radius, radius), GREY)
    return solid


@given(some.lists(some.floats(-0.3, 0.3), min_size=3, max_size=3), some.floats(0.01, 0.1))
def test_a_ball_is_as_far_as_its_surface(point, radius):
    found = ball(radius).distance(torch.tensor([point], dtype=torch.float32))
    assert float(found) == pytest.approx(np.linalg.norm(point) - radius, abs=5e-4)


def test_a_slab_is_as_far_as_its_sides():
    solid = Solid()
    solid.slab(np.zeros(3), np.array([0.05, 0.1, 0.01]), GREY, 0)
    points = torch.tensor([[0.08, 0, 0], [0, -0.15, 0], [0, 0, 0.04], [0.0, 0, 0]])
    assert solid.distance(points).tolist() == pytest.approx([0.03, 0.05, 0.03, -0.01], abs=1e-3)


def test_a_ball_is_a_disc_from_every_side():
    whole = 0
    for seed in range(12):
        alpha = render(ball(0.02), np.random.default_rng(seed))[..., 3]
        rows, columns = np.nonzero(alpha > 0.5)
        if len(rows) and 0 < min(rows.min(), columns.min()) < max(rows.max(), columns.max()) < 255:
            across = (np.ptp(rows) + np.ptp(columns) + 2) / 2
            assert alpha.sum() == pytest.approx(np.pi / 4 * across**2, rel=0.05)
            whole += 1
    assert whole >= 3


@pytest.mark.parametrize("kind", SHAPES)
def test_each_kind_is_premultiplied_and_finite(kind):
    random = np.random.default_rng(3)
    rgba = render(SHAPES[kind](random), random, 64)
    assert np.isfinite(rgba).all()
    assert rgba.min() >= 0
    assert 0.9 < rgba[..., 3].max() <= 1
    assert (rgba[rgba[..., 3] == 0] == 0).all()


def test_a_side_that_looks_away_from_the_light_is_darker():
    random = np.random.default_rng(0)
    seen = render(ball(0.03), random)
    luminance = seen[..., :3].mean(-1)[seen[..., 3] == 1]
    assert luminance.max() > 2 * luminance.min()


def test_what_is_there_stays_and_the_rest_is_rendered(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["make_sprites", str(tmp_path), "--count", "2"])
    main()
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    monkeypatch.setattr("sys.argv", ["make_sprites", str(tmp_path), "--count", "3"])
    main()
    assert len([*tmp_path.iterdir()]) == 3
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert {one.kind for one in read_sprites(tmp_path)} <= {*SHAPES}


@settings(max_examples=20, deadline=None)
@given(some.integers(0, 2**32))
def test_what_is_drawn_is_a_matte_and_a_finite_colour(seed):
    random = np.random.default_rng(seed)
    rgba = np.zeros((SIZE, SIZE, 4), np.float16)
    rgba[100:150, 60:200] = 0.5, 0.4, 0.3, 1
    pictures = [random.uniform(0, 0.6, (SIZE, SIZE, 3)).astype(np.float32)]
    for one in (
        drawn(LEVEL, pictures, random, bool(seed % 2)),
        posed(Rendered(rgba, "lump"), LEVEL, random),
        spectacles(EYES, random.uniform(-1, 1), LEVEL, random),
    ):
        assert np.isfinite(one.colour).all()
        for matte in (one.alpha, one.lens, one.passes):
            assert matte.shape == (SIZE, SIZE)
            assert matte.min() >= 0
            assert matte.max() <= 1


def test_spectacles_are_glass_before_the_eyes_and_rims_around_them():
    for seed in range(8):
        one = spectacles(EYES, 0.0, LEVEL, np.random.default_rng(seed))
        middles = [pair.mean(0).astype(int) for pair in (EYES[:2], EYES[2:])]
        assert all(one.lens[y, x] == 1 for x, y in middles)
        assert all(one.alpha[y, x] == 0 for x, y in middles)
        assert one.alpha[:70].max() == 0
        assert one.alpha[170:].max() == 0
