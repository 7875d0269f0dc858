"""Training of the network that ships in ``refiner/occlusion.safetensors``.

`refiner.occlusion_network` says what it is. It learns from synthetic people alone. FACESETS is a
folder of facesets with nothing in front, such as `lifemask train --base --facesets` keeps; in front
of their faces lie rendered SPRITES (premultiplied RGBA, ``KIND_NUMBER.exr``, by
`augment.make_sprites`) and things that are drawn, see `augment.picture_occluders`.

Run it as ``python -m lifemask.nodes.learning.train_occlusion FACESETS SPRITES OUT --minutes 60``.
The folder beside OUT keeps scenes, checkpoints and losses; a run that was stopped resumes.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import EllipsisType

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import archive, progress
from lifemask.nodes.amp import mixed_training
from lifemask.nodes.device import device
from lifemask.nodes.learning.augment.occluder_sprites import read_sprites
from lifemask.nodes.learning.augment.picture_occluders import Example, Material, paint_picture
from lifemask.nodes.learning.data.occlusion_scenes import read_scenes
from lifemask.nodes.learning.painted_examples import (
    PaintedExamples,
    PaintedSet,
    common_arguments,
    run_of,
    write_trained,
)
from lifemask.nodes.refiner import occlusion_network as seen
from lifemask.nodes.refiner.occlusion_network import OcclusionNetwork, load

_CROP = 192  # pixels a side
_OUTSIDE = 0.1  # weight of a pixel beside the face
_EDGE, _EDGES = 3.0, 5  # weight of a pixel near an edge of the matte, and how near that is
_MATTES = ("occluder", "lens", "transmission", "shadow")
_PARTS = dict(zip((*_MATTES, "overlap"), (1.0, 0.4, 0.2, 0.2, 0.3), strict=True))  # weights
_FEW = 60.0  # pixels: what an occluder smaller than that counts as
_EVERY = 12  # scenes: one of so many lends its picture to textures


class OcclusionTask(PaintedExamples[Example]):
    """Faces with something painted in front, each seen once."""

    @classmethod
    def of(cls, material: Material, seed: int) -> "OcclusionTask":
        """Paint with ``material``."""
        return cls(PaintedSet(partial(paint_picture, material), seed))

    def losses(
        self, network: OcclusionNetwork, examples: list[Example], step: int
    ) -> dict[str, Tensor]:
        """Return the weighted cross entropy of the mattes, and that of each."""
        part = _part(step)
        shown, target = (
            torch.stack(same)[part].to(device()) for same in zip(*examples, strict=True)
        )
        with mixed_training():
            logits = network(shown).float()
        face = (shown[:, seen.COVERED] > 0.5).float()
        weight = _weights(target, face)
        parts = {
            name: functional.binary_cross_entropy_with_logits(
                logits[:, plane], target[:, plane], weight[:, plane], reduction="sum"
            )
            / weight[:, plane].sum().clamp(min=1)
            for plane, name in enumerate(_MATTES)
        }
        parts["overlap"] = _overlap_loss(logits[:, seen.OCCLUDER].sigmoid(), target, face)
        total = torch.stack([share * parts[name] for name, share in _PARTS.items()]).sum()
        return {"loss": total, **parts}


def _overlap_loss(found: Tensor, target: Tensor, face: Tensor) -> Tensor:
    """Soft Dice (Milletari et al. 2016) of the occluder on the face; a strand counts as a hand."""
    front, face = target[:, seen.OCCLUDER], face[:, 0]
    both = (found * front * face).sum((1, 2))
    either = ((found + front) * face).sum((1, 2))
    return (1 - (2 * both + _FEW) / (either + _FEW)).mean()


def _part(step: int) -> tuple[slice | EllipsisType, ...]:
    """The rows and columns that a step learns from, for speed; others in each."""
    random = np.random.default_rng(step)
    y, x = random.integers(0, seen.SIDE - _CROP + 1, 2).tolist()
    return ..., slice(y, y + _CROP), slice(x, x + _CROP)


def _weights(target: Tensor, face: Tensor) -> Tensor:
    """How much each pixel of each matte counts; light passes through what is a lens."""
    near = functional.max_pool2d(target, _EDGES, 1, _EDGES // 2)
    far = -functional.max_pool2d(-target, _EDGES, 1, _EDGES // 2)
    weight = (face + (1 - face) * _OUTSIDE) * (1 + (_EDGE - 1) * (near - far))
    glass = target[:, seen.LENS, None]
    parts = list(weight.split(1, 1))
    parts[seen.TRANSMISSION] = glass * face
    return torch.cat(parts, 1)


def save(path: Path, network: OcclusionNetwork, about: Mapping[str, object]) -> None:
    """Write the ``network`` in half floats."""
    arrays = {name: value.half().cpu().numpy() for name, value in network.state_dict().items()}
    archive.save(path, seen.KIND, arrays, about)


def read_material(facesets: Path, sprites: Path, left_out: list[str], kept: Path) -> Material:
    """Read scenes of all ``facesets`` but some people's, which stay ``kept`` in a file."""
    scenes = read_scenes(facesets, left_out, kept)
    pictures = [
        np.ascontiguousarray(scene[seen.PLATE].transpose(1, 2, 0), np.float32)
        for scene in scenes[::_EVERY]
    ]
    return Material(scenes, pictures, read_sprites(sprites))


def _arguments() -> Namespace:
    folders = {"facesets": "Folder of facesets.", "sprites": "Folder of occluders."}
    common = common_arguments(folders, "occlusion.safetensors", 60)
    about = "Train the network that finds what is before a face."
    parser = ArgumentParser(description=about, parents=[common])
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="NAME", help="Of people.")
    return parser.parse_args()


def main() -> None:
    """Learn from FACESETS and SPRITES and write the network to OUT."""
    given = _arguments()
    torch.manual_seed(given.seed)
    start, steps = load(given.start) if given.start else (OcclusionNetwork(), 0)
    with progress.reporting(progress.to_stderr):
        kept = run_of(given).path / "scenes.npy"
        material = read_material(given.facesets, given.sprites, given.leave_out, kept)
        made_of = {"scenes": len(material.scenes), "sprites": len(material.sprites)}
        write_trained(given, start, steps, OcclusionTask.of(material, given.seed), made_of, save)


if __name__ == "__main__":
    main()
