"""Render the sprites that are laid over faces in the training of the occlusion network.

Each is one of `solids.SHAPES`, sphere traced (Hart 1996) from a random side in random light.

Run it as ``python -m lifemask.nodes.learning.augment.make_sprites FOLDER --count 600``. It writes
``KIND_NUMBER.exr``: premultiplied linear RGBA. What is there stays; a higher count adds to it.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import progress
from lifemask.nodes.learning.augment.solids import SHAPES, Random, Solid
from lifemask.nodes.render.atlas import SIZE, Floats
from lifemask.ocio.media import exr

_STEPS, _SHADOW_STEPS = 40, 14
_NEAR = 2e-4  # metres: a ray this near has hit
_AWAY, _DEEP = 0.6, 1.2  # metres to where rays begin, and that they go
_HANDS = 0.5  # share of the sprites


@torch.inference_mode()
def render(solid: Solid, random: Random, side: int = SIZE) -> Floats:
    """Premultiplied linear RGBA (side, side, 4) of a solid, seen from somewhere."""
    turn = _rotation(random)
    width = float(np.exp(random.uniform(np.log(0.1), np.log(0.26))))
    line = (torch.arange(side) + 0.5) / side - 0.5
    y, x = torch.meshgrid(-line, line, indexing="ij")
    flat = torch.stack([x, y, torch.zeros_like(x)], -1).reshape(-1, 3) * width
    centre = torch.tensor([0.0, random.uniform(-0.02, 0.1), 0.0])
    origin = flat @ turn.T + _AWAY * turn[:, 2] + centre
    at, apart = _traced(solid, origin, -turn[:, 2], width / side)
    alpha = (0.5 - apart / (width / side)).clamp(0, 1)
    seen = alpha > 0
    colour = torch.zeros(len(flat), 3)
    colour[seen] = _shaded(solid, at[seen], turn, random)
    rgba = torch.cat([colour * alpha[:, None], alpha[:, None]], 1)
    return rgba.reshape(side, side, 4).numpy()


def _rotation(random: Random) -> Tensor:
    """A rotation (3, 3), mirrored half of the time: there are left hands, too."""
    return torch.from_numpy(np.linalg.qr(random.normal(size=(3, 3)))[0].astype(np.float32))


def _traced(solid: Solid, origin: Tensor, ray: Tensor, pixel: float) -> tuple[Tensor, Tensor]:
    """Where each ray is nearest to the solid, (N, 3), and how near, (N,); below 0 where it hits."""
    at, nearest = origin.clone(), origin.clone()
    apart = torch.full((len(origin),), torch.inf)
    going = torch.arange(len(origin))
    for _ in range(_STEPS):
        distance = solid.distance(at[going])
        closer = distance < apart[going]
        nearest[going[closer]], apart[going[closer]] = at[going[closer]], distance[closer]
        far = (at[going] - origin[going]).norm(dim=1) > _DEEP
        on = (distance > _NEAR) & ~far
        going, distance = going[on], distance[on]
        if not len(going):
            break
        at[going] += distance[:, None] * ray
    apart[apart <= _NEAR] = -pixel
    return nearest, apart


def _shaded(solid: Solid, at: Tensor, turn: Tensor, random: Random) -> Tensor:
    """Linear colours (N, 3): a key light with its shadow, light from all sides, gloss."""
    normal, towards = _normal(solid, at), turn[:, 2]
    looks = solid.looks[solid.distances(at).argmin(1)]
    albedo = looks[:, :3] * (1 + _grain(at, random))[:, None]
    key = _direction(turn @ _drawn_from(random, (0, 0.3, 0.9), (1, 1, 0.5)))
    colour = _drawn_from(random, (1, 1, 1), (0.12, 0.12, 0.12)).clamp(min=0)
    lit = _lit(solid, at + normal * 0.002, key, 4 + 60 * random.random())
    wrapped = ((normal @ key + 0.25) / 1.25).clamp(min=0) * lit
    open_ = (solid.distance(at + normal * 0.02) / 0.02).clamp(0, 1)
    around = random.uniform(0.05, 0.6) * (0.4 + 0.6 * open_) * (0.8 + 0.2 * normal @ turn[:, 1])
    facing = (normal @ _direction(key + towards)).clamp(min=0)
    glossy = 0.35 * looks[:, 3] * lit * facing ** (8 + 40 * random.random())
    return albedo * (wrapped[:, None] * colour + around[:, None]) + glossy[:, None]


def _direction(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors, dim=-1)


def _drawn_from(random: Random, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    return torch.from_numpy(random.normal(mean, deviation)).float()


def _normal(solid: Solid, at: Tensor) -> Tensor:
    steps = torch.eye(3) * 5e-4
    slopes = [solid.distance(at + step) - solid.distance(at - step) for step in steps]
    return _direction(torch.stack(slopes, 1))


def _lit(solid: Solid, at: Tensor, key: Tensor, sharpness: float) -> Tensor:
    """How much of the key light reaches each point, 0..1 (Quilez, "Soft shadows")."""
    lit, gone = torch.ones(len(at)), torch.full((len(at),), 0.003)
    for _ in range(_SHADOW_STEPS):
        distance = solid.distance(at + gone[:, None] * key)
        lit = torch.minimum(lit, sharpness * distance / gone)
        gone = gone + distance.clamp(0.003, 0.04)
    return lit.clamp(0, 1)


def _grain(at: Tensor, random: Random) -> Tensor:
    """What albedo changes by within a part: waves of many lengths."""
    lengths = np.exp(random.uniform(np.log(60), np.log(900), 10))
    waves = torch.tensor(random.normal(size=(3, 10)) * lengths).float()
    strength = torch.tensor(random.uniform(0, 0.08, 10)).float()
    return (torch.sin(at @ waves) * strength).sum(1).clamp(-0.6, 0.6)


def sprite(number: int) -> tuple[str, Floats]:
    """The kind and the picture of a sprite; every second one is a hand."""
    random = np.random.default_rng([number, 77])
    others = [kind for kind in SHAPES if kind != "hand"]
    kind = "hand" if random.random() < _HANDS else others[int(random.integers(len(others)))]
    return kind, render(SHAPES[kind](random), random)


def main() -> None:
    """Write the sprites that FOLDER lacks."""
    parser = ArgumentParser(description="Render things that pass before faces.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=600, help="How many (default 600).")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with progress.reporting(progress.to_stderr):
        for number in progress.each(range(given.count), "sprites", given.count):
            if any(given.folder.glob(f"*_{number:05d}.exr")):
                continue
            kind, rgba = sprite(number)
            planes = {name: rgba[..., i].astype(np.float16) for i, name in enumerate("RGBA")}
            exr.write(given.folder / f"{kind}_{number:05d}.exr", planes, {})


if __name__ == "__main__":
    main()
