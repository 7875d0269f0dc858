"""What was made up for tests: heads, turned, without a picture; a network."""

import numpy as np
import torch

from lifemask.nodes.refiner.network import Refiner
from lifemask.nodes.render.atlas import COARSE, atlas, coarse
from lifemask.nodes.render.shape import turned
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


def rotations(random, count, most=0.6):
    """Rotations (N, 3, 3) by up to ``most`` radians (Rodrigues)."""
    vector = random.normal(size=(count, 3))
    axis = vector / np.linalg.norm(vector, axis=1, keepdims=True)
    angle = random.uniform(-most, most, (count, 1, 1))
    cross = np.zeros((count, 3, 3))
    cross[:, [2, 0, 1], [1, 2, 0]], cross[:, [1, 2, 0], [2, 0, 1]] = axis, -axis
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def posed(random, shapes, most=0.6):
    """Landmarks of ``shapes`` (N, K, 3) put into a picture; scale, rotation, centre."""
    return put(random, shapes, rotations(random, len(shapes), most))


def put(random, shapes, rotation):
    """The same with the ``rotation`` (N, 3, 3) that is asked for."""
    count = len(shapes)
    scale = random.uniform(5, 40, count)
    centre = random.uniform(100, 900, (count, 3))
    landmarks = np.einsum("nki,nji->nkj", shapes, rotation) * scale[:, None, None]
    return (landmarks + centre[:, None]).astype(np.float32), scale, rotation, centre


def tracked(random, shapes, side=None):
    """What a tracker makes of ``shapes``, turned at random, or only to a ``side`` (1 or -1)."""
    rotation = rotations(random, len(shapes))
    if side:
        turn = rotation[:, 0, 2] * side < 0
        flip = np.diag([-1, 1, 1])
        rotation[turn] = flip @ rotation[turn] @ flip
    amiss = np.einsum("np,pki->nki", turned(rotation), atlas().turns)
    return put(random, shapes + amiss, rotation)[0]


def somebody(random):
    """A neutral face that is not the mean one: smoothly wider, longer and deeper in places."""
    mean = atlas().mean
    stretch = np.diag(random.uniform(0.9, 1.1, 3))
    return (mean @ stretch + 0.15 * np.sin(mean / 3 + random.uniform(0, 6, 3))).astype(np.float32)
