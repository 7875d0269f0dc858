"""A pose is found again from what is left of a face; ground truth is a face made of the mesh."""

import numpy as np
import pytest
import torch

from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.texture import on_texels
from lifemask.nodes.render.texture_alignment import WIDTH, Poses, Stretch
from lifemask.nodes.render.warp import View, Window

SIDE, COUNT = 192, 9


def poses(numbers):
    return Poses(torch.tensor(numbers, dtype=torch.float32), torch.eye(3))


@pytest.fixture(scope="module")
def turned():
    """A head that turns, nods, comes nearer and moves, and its pictures."""
    share = np.linspace(0, 1, COUNT + 2)
    numbers = np.zeros((COUNT + 2, 6), np.float32)
    numbers[:, 1] = 0.15 * np.sin(share * np.pi)
    numbers[:, 0] = 0.1 * share
    numbers[:, 3] = np.log(8 + share)
    numbers[:, 4:] = SIDE / 2 / WIDTH + 0.05 * np.stack([share, np.cos(3 * share)], 1)
    generator = torch.Generator().manual_seed(3)
    texture = torch.nn.functional.interpolate(
        0.4 + 0.05 * torch.randn(1, 3, 32, 32, generator=generator), size=256, mode="bicubic"
    )
    shape = torch.from_numpy(atlas().mean)[None]
    meshes = atlas().mesh(poses(numbers).put(shape.expand(COUNT + 2, -1, -1)).numpy())
    window = Window(0, 0, SIDE, SIDE)
    pictures = []
    for mesh in meshes:
        view = View.of_mesh(mesh, window)
        pictures.append(torch.lerp(torch.full((1, 3, 1, 1), 0.3), view.of(texture), view.covered))
    return numbers, torch.cat(pictures)


def found(numbers, pictures):
    mesh = torch.from_numpy(atlas().mesh(atlas().mean[None]))
    points = on_texels(mesh, 6).flatten(1, 2)
    inside = points.abs().sum(2)[0] > 0
    stretch = Stretch(
        pictures[1:-1],
        points[:, inside].expand(COUNT, -1, -1),
        torch.ones(2, int(inside.sum())),
        torch.from_numpy(numbers[[0, 1, -2, -1]]),
        torch.eye(3),
    )
    return stretch.aligned()


def error(numbers, aligned):
    """Mean distance (COUNT,) of the landmarks from where they are, in pixels."""
    shape = torch.from_numpy(atlas().mean)[None].expand(COUNT, -1, -1)
    exact = poses(numbers[1:-1]).put(shape)
    return (aligned.put(shape) - exact)[..., :2].norm(dim=2).mean(1)


def test_a_face_in_full_view_is_found(turned):
    aligned, seen = found(*turned)
    assert error(turned[0], aligned).max() < 0.7
    assert seen[1:-1].min() > 0.3


def test_a_face_of_which_two_thirds_are_hidden_is_found(turned):
    numbers, pictures = turned
    hidden = pictures.clone()
    hidden[2:-2, :, :, : SIDE // 2 + 16] = 0.55
    aligned, seen = found(numbers, hidden)
    assert error(numbers, aligned).max() < 1.5
    assert 0.02 < seen[1:-1].max() < 0.4


def test_where_nothing_is_seen_nothing_fits(turned):
    numbers, pictures = turned
    hidden = pictures.clone()
    hidden[2:-2] = 0.8
    _, seen = found(numbers, hidden)
    assert seen[1:-1].max() < 0.02
