"""What was made up for tests: the mean head, turned, without a picture; a network."""

import numpy as np
import torch

from lifemask.nodes.refiner.network import Refiner
from lifemask.nodes.render.atlas import COARSE, atlas, coarse
from lifemask.nodes.render.texture import Textures, unwrap

SKIN = coarse(atlas().skin)[0, 0]


def texture_grid(size):
    """Return columns and rows (size, size) of texture space."""
    rows, columns = torch.meshgrid(*[torch.arange(size)] * 2, indexing="ij")
    return columns, rows


def coarse_blob(x, y, sigma):
    """A soft spot (COARSE, COARSE) of height 1 at a texel."""
    columns, rows = texture_grid(COARSE)
    return torch.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / sigma**2)


def faces(count, seed):
    """Coarse textures of ``count`` turned mean heads, all of log 0."""
    random = np.random.default_rng(seed)
    yaw, pitch = random.uniform(-0.5, 0.5, count), random.uniform(-0.3, 0.3, count)
    zero, one = np.zeros(count), np.ones(count)
    around_y = [
        [np.cos(yaw), zero, np.sin(yaw)],
        [zero, one, zero],
        [-np.sin(yaw), zero, np.cos(yaw)],
    ]
    around_x = [
        [one, zero, zero],
        [zero, np.cos(pitch), -np.sin(pitch)],
        [zero, np.sin(pitch), np.cos(pitch)],
    ]
    rotation = np.array(around_y).transpose(2, 0, 1) @ np.array(around_x).transpose(2, 0, 1)
    landmarks = np.einsum("ki,nji->nkj", atlas().mean, rotation) * 10 + np.array([128, 128, 0])
    mesh = torch.from_numpy(atlas().mesh(landmarks.astype(np.float32)))
    parts = [unwrap(torch.zeros(1, 3, 256, 256), one_mesh[None]).coarse for one_mesh in mesh]
    return Textures(
        *(torch.cat([getattr(p, n) for p in parts]) for n in ("colour", "valid", "normal"))
    )


def opinionated(width=8, seed=3):
    """A network whose answer is about everything that it is shown."""
    torch.manual_seed(seed)
    network = Refiner(width)
    torch.nn.init.normal_(network.members[0].head.weight, std=0.5)
    return network.eval().requires_grad_(False)
