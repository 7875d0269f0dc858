"""The renderer, against pictures whose re-rendering is known."""

import numpy as np
import pytest
import torch

from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import atlas, openings, regions
from lifemask.nodes.render.eyes import Irises
from lifemask.nodes.render.source_bank import POINTS
from lifemask.nodes.render.warp import Opening, Source, View, Window, prepared, render

SIZE = 200
NONE = torch.zeros(3)
FLAT = torch.zeros(1, 3, 64, 64)
AHEAD = np.zeros((2, 2), np.float32), np.zeros(2, np.float32)
SEEN = torch.ones(1, 1, 64, 64)


def front(scale=8.0, x=100.0, y=100.0, roll=0.0):
    """Landmarks (478, 3) of the mean head in a picture."""
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    points = atlas().mean * scale
    points[:, :2] = points[:, :2] @ turn.T + [x, y]
    return points.astype(np.float32)


def picture(seed=1):
    """A smooth random picture, scene-linear, (SIZE, SIZE, 3)."""
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    waves = np.random.default_rng(seed).uniform(2, 9, (3, 4))
    planes = [np.sin(a * columns + b) * np.cos(c * rows + d) for a, b, c, d in waves]
    return (0.3 + 0.25 * np.stack(planes, -1)).astype(np.float32)


def log_of(image):
    return to_log(torch.from_numpy(image).permute(2, 0, 1)[None])


def seen_by(landmarks, width=SIZE, height=SIZE):
    mesh = atlas().mesh(landmarks[None])[0]
    window = Window.around([mesh], width, height)
    return View.of_mesh(mesh, window), window


def source_of(log, light, seen):
    """A picture of `front`, whose eyes look ahead."""
    irises = Irises.of(front(), 8.0, 1.0, np.zeros((2, 2), np.float32))
    return Source(log, front(), light, seen, torch.zeros(1, 1, 256, 256), irises)


def everywhere(source):
    return {name: [(1.0, source)] for name in POINTS}


def test_a_likeness_on_its_own_picture_is_that_picture():
    log = log_of(picture())
    view, window = seen_by(front())
    source = source_of(log, FLAT, SEEN)
    result = render(view, everywhere(source), {}, FLAT, FLAT, NONE, AHEAD)
    covered = view.covered.bool().expand_as(result)
    assert covered.float().mean() > 0.4
    error = (result - log[(..., *window.slices)]).abs()[covered]
    assert error.max() < 2e-3


def test_a_face_that_moved_is_carried_along():
    moved = front(8.0, 108.0, 93.0, 0.3)
    view, window = seen_by(moved)
    source = source_of(log_of(picture()), FLAT, SEEN)
    result = render(view, everywhere(source), {}, FLAT, FLAT, NONE, AHEAD)
    rows, columns = np.mgrid[window.slices] + 0.5
    x, y = columns - 108, rows - 93
    cos, sin = np.cos(0.3), np.sin(0.3)
    at = np.stack([cos * x + sin * y + 100, -sin * x + cos * y + 100], -1) * 2 / SIZE - 1
    truth = torch.nn.functional.grid_sample(
        source.log, torch.from_numpy(at).float()[None], "bicubic", align_corners=False
    )
    covered = view.covered.bool().expand_as(result)
    assert (result - truth).abs()[covered].max() < 5e-3


def test_the_light_is_exchanged_and_the_tone_added():
    log = log_of(picture())
    view, window = seen_by(front())
    source = source_of(log, FLAT + 0.3, SEEN)
    tone = torch.tensor([0.02, 0.0, -0.02])
    result = render(view, everywhere(source), {}, FLAT, FLAT + 0.4, tone, AHEAD)
    truth = log[(..., *window.slices)] + 0.1 + tone.view(1, 3, 1, 1)
    assert (result - truth).abs()[view.covered.bool().expand_as(result)].max() < 2e-3


def test_where_no_picture_sees_the_face_its_albedo_stands_in():
    view, _ = seen_by(front())
    source = source_of(log_of(picture()), FLAT, 0 * SEEN)
    result = render(view, everywhere(source), {}, FLAT - 0.1, FLAT + 0.4, NONE, AHEAD)
    torch.testing.assert_close(result, torch.full_like(result, 0.3), atol=1e-3, rtol=0)


def test_shares_of_pictures_are_mixed():
    view, window = seen_by(front())
    one, two = (source_of(log_of(picture(seed)), FLAT, SEEN) for seed in (1, 2))
    mixed = {name: [(0.25, one), (0.75, two)] for name in POINTS}
    result = render(view, mixed, {}, FLAT, FLAT, NONE, AHEAD)
    truth = (0.25 * one.log + 0.75 * two.log)[(..., *window.slices)]
    assert (result - truth).abs()[view.covered.bool().expand_as(result)].max() < 2e-3


def test_an_opening_is_graded_and_the_skin_is_not():
    view, window = seen_by(front())
    source = source_of(log_of(picture()), FLAT, SEEN)
    plain = render(view, everywhere(source), {}, FLAT, FLAT, NONE, AHEAD)
    fix = Opening(1.0, NONE.numpy(), np.float32([0.1, 0.1, 0.1]))
    lifted = render(view, everywhere(source), {"right_eye": fix}, FLAT, FLAT, NONE, AHEAD) - plain
    eyes = {name: front()[list(POINTS[name]), :2].mean(0).astype(int) for name in POINTS}
    for name, expected in (("right_eye", 0.1), ("left_eye", 0.0), ("mouth", 0.0)):
        x, y = eyes[name] - (window.x0, window.y0)
        assert lifted[0, 1, y, x] == pytest.approx(expected, abs=0.02)
    lids = (view.of_atlas(regions()["right_eye"]) > 0.5) & (
        view.of_atlas(openings()["right_eye"]) < 0.05
    )
    assert lids.any()
    assert lifted.abs()[lids.expand_as(lifted)].max() < 6e-3


def test_an_openings_contrast_is_taken_about_its_bright_colour():
    view, _ = seen_by(front())
    source = source_of(log_of(picture()), FLAT, SEEN)
    plain = render(view, everywhere(source), {}, FLAT, FLAT, NONE, AHEAD)
    fix = Opening(1.5, np.float32([0.4, 0.4, 0.4]), NONE.numpy())
    graded = render(view, everywhere(source), {"mouth": fix}, FLAT, FLAT, NONE, AHEAD)
    inside = (view.of_atlas(openings()["mouth"]) > 0.99).expand_as(plain)
    assert inside.any()
    truth = 0.4 + 1.5 * (plain[inside] - 0.4)
    torch.testing.assert_close(graded[inside], truth, atol=5e-3, rtol=0)


def test_a_flat_picture_stays_flat_whatever_its_reduction():
    for reduction in (0.5, 1.5, 4.0):
        log = prepared(np.full((64, 64, 3), 0.5, np.float32), reduction)
        inner = log[..., 20:-20, 20:-20]
        torch.testing.assert_close(inner, to_log(torch.full_like(inner, 0.5)), atol=1e-4, rtol=0)


def test_a_picture_that_gets_small_has_no_detail_that_would_alias():
    noise = np.random.default_rng(1).uniform(0.1, 0.9, (96, 96, 3)).astype(np.float32)
    spread = [float(prepared(noise, r)[..., 20:-20, 20:-20].std()) for r in (1.0, 3.0, 6.0)]
    assert spread[1] < 0.4 * spread[0]
    assert spread[2] < 0.6 * spread[1]


@pytest.mark.parametrize(("x", "y"), [(5.0, 100.0), (195.0, 100.0), (100.0, 4.0), (100.0, 196.0)])
def test_a_window_is_clipped_by_the_picture(x, y):
    view, window = seen_by(front(8.0, x, y))
    assert 0 <= window.x0 < window.x1 <= SIZE
    assert 0 <= window.y0 < window.y1 <= SIZE
    rows, columns = window.slices
    assert view.covered.shape == (1, 1, rows.stop - rows.start, columns.stop - columns.start)
    whole, at = seen_by(front(8.0, x + 400, y + 400), 1000, 1000)
    part = whole.covered[..., 400 + window.y0 - at.y0 :, 400 + window.x0 - at.x0 :]
    part = part[..., : view.covered.shape[2], : view.covered.shape[3]]
    assert (part != view.covered).float().mean() < 0.002


def test_a_face_outside_of_the_picture_has_no_window():
    for x, y in ((-300, 100), (500, 100), (100, -300), (100, 500)):
        assert Window.around([front(8.0, x, y)], SIZE, SIZE) is None


def test_a_window_holds_every_mesh():
    meshes = [front(8.0, 60.0, 90.0), front(6.0, 130.0, 110.0)]
    window = Window.around(meshes, 1000, 1000)
    points = np.concatenate(meshes)
    assert (points[:, :2] > [window.x0, window.y0]).all()
    assert (points[:, :2] < [window.x1, window.y1]).all()
