"""What a picture sees of a mesh, against a search through every triangle at every pixel."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lifemask.nodes.render.raster import rasterise

HEIGHT, WIDTH = 14, 18
FAR = 1e9
UNSURE = 1e-4  # barycentric: so near to an edge either answer is right


def search(mesh, triangles, height, width):
    """Vertex weights (H, W, V) of what each pixel sees, and where that is beyond doubt (H, W)."""
    y, x = np.mgrid[:height, :width] + 0.5
    nearest = np.full((height, width), FAR)
    weights = np.zeros((height, width, len(mesh)))
    sure = np.ones((height, width), bool)
    for triangle in triangles:
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = mesh[triangle].astype(np.float64)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        v = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        w = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        least = np.minimum(np.minimum(v, w), 1 - v - w)
        depth = np.where(least >= 0, (1 - v - w) * az + v * bz + w * cz, FAR)
        sure &= np.abs(least) > UNSURE
        sure &= (depth == FAR) | (np.abs(depth - nearest) > 1e-3)
        front = depth < nearest
        nearest = np.where(front, depth, nearest)
        own = np.zeros_like(weights)
        for corner, share in zip(triangle, (1 - v - w, v, w), strict=True):
            own[..., corner] += share
        weights = np.where(front[..., None], own, weights)
    return weights, sure


def seen(mesh, triangles, height=HEIGHT, width=WIDTH):
    vertices = torch.from_numpy(np.asarray(mesh, np.float32))[None]
    return rasterise(vertices, torch.from_numpy(np.asarray(triangles)), height, width)


def grid(random, x0, y0, columns, rows, pitch):
    """A jittered mesh without gaps: vertices and triangles."""
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    mesh = np.stack([x0 + pitch * x, y0 + pitch * y, 0 * x], -1).astype(np.float32)
    mesh += random.uniform(-0.3, 0.3, mesh.shape).astype(np.float32) * pitch
    number = np.arange(columns * rows).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    return mesh.reshape(-1, 3), triangles


@settings(max_examples=60)
@given(
    arrays(np.int16, (7, 3), elements=st.integers(-12, 80)),
    arrays(np.int64, (6, 3), elements=st.integers(0, 6)),
)
def test_every_pixel_sees_the_nearest_triangle(quarters, triangles):
    mesh = quarters.astype(np.float32) / 4
    fragments = seen(mesh, triangles)
    weights, sure = search(mesh, triangles, HEIGHT, WIDTH)
    found = fragments(torch.eye(len(mesh)))[0].numpy()
    assert np.array_equal(fragments.covered[0].numpy()[sure], weights.any(-1)[sure])
    np.testing.assert_allclose(found[sure], weights[sure], atol=2e-3)


def test_a_batch_sees_what_each_mesh_shows_alone():
    random = np.random.default_rng(1)
    meshes = torch.from_numpy(random.uniform(-4, 22, (3, 9, 3)).astype(np.float32))
    triangles = torch.from_numpy(random.integers(0, 9, (8, 3)))
    together = rasterise(meshes, triangles, HEIGHT, WIDTH)
    for number in range(3):
        alone = rasterise(meshes[number : number + 1], triangles, HEIGHT, WIDTH)
        for name in ("corner", "weight", "covered"):
            assert torch.equal(getattr(together, name)[number], getattr(alone, name)[0])


@pytest.mark.parametrize("x0", [-2.0, 1000.0, 4000.0])
@pytest.mark.parametrize("pitch", [0.8, 3.0, 5.0])
def test_there_are_no_holes_between_triangles_anywhere_in_a_large_picture(x0, pitch):
    for seed in range(8):
        count = int(44 / pitch) + 2
        mesh, triangles = grid(np.random.default_rng(seed), x0, -2.0, count, count, pitch)
        if pitch > 1:
            # Edges through the middle of pixels, where rounding decides.
            mesh[:, :2] = mesh[:, :2].round() + 0.5
        fragments = seen(mesh, triangles, 32, 4096)
        first = max(0, int(x0) + 8)
        assert fragments.covered[0, 8:28, first : first + 24].all()


@pytest.mark.parametrize("x0", [-2.0, 4000.0])
def test_a_linear_field_is_interpolated_exactly(x0):
    random = np.random.default_rng(3)
    mesh, triangles = grid(random, x0, -2.0, 14, 12, 3.0)
    fragments = seen(mesh, triangles, 24, 4096)
    field = np.stack([mesh[:, 0] - x0, mesh[:, 1], np.ones(len(mesh))], 1).astype(np.float32)
    values = fragments(torch.from_numpy(field))[0].numpy()
    covered = fragments.covered[0].numpy()
    y, x = np.nonzero(covered)
    truth = np.stack([x + 0.5 - x0, y + 0.5, np.ones(len(x))], 1)
    np.testing.assert_allclose(values[covered], truth, atol=3e-3)
    assert not values[~covered].any()


def test_weights_sum_to_one_where_something_is_seen_and_are_none_elsewhere():
    random = np.random.default_rng(4)
    fragments = seen(random.uniform(-4, 22, (12, 3)), random.integers(0, 12, (9, 3)))
    total = fragments.weight.sum(-1)
    assert 0 < fragments.covered.sum() < HEIGHT * WIDTH
    torch.testing.assert_close(total, fragments.covered.float())
    assert fragments.weight.min() > -1e-3


def test_the_smallest_z_is_in_front_whichever_comes_first():
    square = [[0, 0], [40, 0], [0, 40]]
    mesh = [[x, y, z] for z in (5.0, -5.0) for x, y in square]
    for triangles in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        fragments = seen(mesh, triangles)
        assert fragments.covered.all()
        assert set(fragments.corner.unique().tolist()) <= {3, 4, 5}


def test_a_mesh_outside_of_the_picture_is_not_seen():
    for x, y in ((-50, 0), (50, 0), (0, -50), (0, 50)):
        mesh = np.float32([[x, y, 0], [x + 9, y, 0], [x, y + 9, 0]])
        fragments = seen(mesh, [[0, 1, 2]])
        assert not fragments.covered.any()
        assert not fragments.weight.any()


def test_a_triangle_without_area_hides_nothing_and_spoils_no_depth():
    mesh = np.float32(
        [
            *([0, 0, 1], [30, 0, 1], [0, 30, 1], [0, 0, 2], [30, 0, 2], [0, 30, 2]),
            *([0, 0, -1e6], [15, 15, 1e6], [30, 30.00001, -1e6]),
            *([5, 5, -9], [5, 5, -9], [5, 5, -9]),
        ]
    )
    triangles = [[3, 4, 5], [0, 1, 2], [6, 7, 8], [9, 10, 11]]
    fragments = seen(mesh, triangles)
    corners = fragments.corner[0].numpy()
    away = np.abs(np.subtract(*np.mgrid[:HEIGHT, :WIDTH])) > 1
    inside = fragments.covered[0].numpy() & away
    assert inside.any()
    assert (corners[inside] < 3).all()
