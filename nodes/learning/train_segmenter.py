"""Training of the network that ships in ``render/segmenter.safetensors``: see `render.segmenter`.

It learns from synthetic people alone. FACESETS is a folder of facesets, such as
`lifemask train --base --facesets` keeps; in front of their faces anything is painted: what PICTURES
(EXRs in folders ``TAKE/PERSON/beauty``) show, other people's skin, plain and speckled textures, in
the shapes of hands, spectacles, microphones, strands of hair, and of nothing in particular. Beards,
make-up, light and shadows are painted on the faces, too; they are no occluders.

Run it as ``python -m lifemask.nodes.learning.train_segmenter FACESETS PICTURES OUT --minutes 38``.
The folder beside OUT keeps checkpoints and losses; a run that was stopped resumes.
"""

import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from copy import deepcopy
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from lifemask.nodes import archive, progress
from lifemask.nodes.amp import mixed_training
from lifemask.nodes.device import device
from lifemask.nodes.errors import FaceError
from lifemask.nodes.faceset.files import INDEX, FaceSet
from lifemask.nodes.learning.augment.painted_faces import Material, Painted, paint_face
from lifemask.nodes.learning.callbacks import Checkpoints, LossLog, TimeLeft
from lifemask.nodes.learning.pytree import Tree
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.trainer import Trainer, TrainingConfig, cosine
from lifemask.nodes.provenance import SHIPPED
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.segmenter import Segmenter, load
from lifemask.nodes.render.texture import reduced
from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING, convert
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.atomic import replacing

_BATCH = 16
_PREFETCHED = 4 * _BATCH  # examples
_VISIBLE = 0.05  # validity from which a texel counts


class PaintedFaces(Dataset[Painted]):
    """Any number of examples; one of the same index and seed is the same."""

    def __init__(self, material: Material, seed: int) -> None:
        """Paint with ``material``."""
        self._material, self._seed = material, seed

    def __getitem__(self, index: int) -> Painted:
        """Paint an example."""
        return paint_face(self._material, np.random.default_rng([self._seed, index]))


class SegmenterTask:
    """Faces with something painted in front, each seen once."""

    def __init__(self, faces: PaintedFaces) -> None:
        """Learn from ``faces``, which another process paints."""
        self._faces, self._drawn = faces, 0
        self._loading: Iterator[Painted] | None = None

    def draw(self, count: int, random: np.random.Generator) -> list[Painted]:
        """Return the next ``count`` examples."""
        if self._loading is None:
            self._loading = self._load()
        self._drawn += count
        return [next(self._loading) for _ in range(count)]

    def _load(self) -> Iterator[Painted]:
        indices = count(self._drawn)
        return iter(
            DataLoader(
                self._faces, None, sampler=indices, num_workers=1, prefetch_factor=_PREFETCHED
            )
        )

    def losses(self, network: Segmenter, examples: list[Painted], step: int) -> dict[str, Tensor]:
        """Return the cross entropy of the matte, per texel that is seen."""
        planes = (torch.stack(same).to(device()) for same in zip(*examples, strict=True))
        batch = Painted(*planes)
        with mixed_training():
            logit = network(batch.colour, batch.valid).float()
        seen, matte = (reduced(batch.valid) > _VISIBLE).float(), reduced(batch.matte)
        total = functional.binary_cross_entropy_with_logits(logit, matte, seen, reduction="sum")
        return {"loss": total / seen.sum()}

    def state(self) -> dict[str, Tree]:
        """Return how many were drawn."""
        return {"drawn": self._drawn}

    def resume(self, state: Mapping[str, Tree]) -> None:
        """Continue after as many as ``state`` has."""
        self._drawn, self._loading = state["drawn"], None


def read_material(facesets: Path, pictures: Path) -> Material:
    """Read every face in the folder ``facesets``, and a picture of each take in ``pictures``.

    Raises FaceError when there is no face.
    """
    known = [FaceSet.load(index.parent) for index in sorted(facesets.glob(f"*/{INDEX}"))]
    faces = [_face(one, index) for one in known for index in range(len(one))]
    if not faces:
        raise FaceError(f"{facesets}: no faceset is in it")
    takes = sorted(pictures.glob("*/*/beauty"))
    return Material(faces, [_picture(take) for take in takes])


def segmenter_config(minutes: float, learning_rate: float, seed: int) -> TrainingConfig:
    """Return how to train: the rate rises to its peak, then falls to 0 along a cosine."""
    return TrainingConfig(
        minutes=minutes,
        batch=_BATCH,
        learning_rate=learning_rate,
        seed=seed,
        betas=(0.9, 0.999),
        weight_decay=1e-3,
        schedule=cosine,
    )


def train_segmenter(
    start: Segmenter,
    material: Material,
    config: TrainingConfig,
    run: RunFolder,
    about: Mapping[str, Any],
) -> Path:
    """Train ``start``, and return the file of what it became; ``about`` is for its header.

    The folder of the ``run`` keeps checkpoints and losses; a run that is there resumes.
    """
    network = start.to(device()).train()
    task = SegmenterTask(PaintedFaces(material, config.seed))
    trainer = Trainer(network, deepcopy(network).eval(), task, config)
    configuration = {
        "batch": config.batch,
        "rate": config.learning_rate,
        "seed": config.seed,
        **about,
    }

    def save_model(path: Path) -> None:
        steps = about.get("steps", 0) + len(trainer.history)
        save(path, trainer.average, {**about, "steps": steps})

    with run.locked():
        state = run.resumable(configuration, restart=False)
        if state is not None:
            trainer.resume(state)
        checkpoints = Checkpoints(trainer, run, configuration, save_model)
        trainer.run([LossLog(trainer, run), checkpoints, TimeLeft(trainer)])
    return run.model


def save(path: Path, network: Segmenter, about: Mapping[str, object]) -> None:
    """Write the ``network`` in half floats."""
    arrays = {name: value.half().cpu().numpy() for name, value in network.state_dict().items()}
    archive.save(path, "segmenter", arrays, about)


def _face(faceset: FaceSet, index: int) -> Floats:
    texture = faceset.texture(index)
    log = to_log(torch.from_numpy(texture[..., :3])).numpy()
    return np.concatenate([log, texture[..., 3:4]], -1)


def _picture(beauty: Path) -> Floats:
    sequence = Sequence.find(beauty / "beauty.####.exr")
    space = tagged_space(sequence) or LINEAR_SRGB
    rgb = convert(read(sequence, sequence.frames[0]).rgb, space, WORKING)
    return to_log(torch.from_numpy(rgb)).numpy()


def _report(step: progress.Progress) -> None:
    line = step.note or f"{step.done} of {step.total} s"
    sys.stderr.write(f"{step.task}: {line}\n")


def _arguments() -> Namespace:
    parser = ArgumentParser(description="Train the network that tells occluders from faces.")
    parser.add_argument("facesets", type=Path, metavar="FACESETS", help="Folder of facesets.")
    parser.add_argument("pictures", type=Path, metavar="PICTURES", help="Folder of takes.")
    parser.add_argument("out", type=Path, metavar="OUT", help="The file, segmenter.safetensors.")
    parser.add_argument("--start", type=Path, metavar="FILE", help="A network to start from.")
    parser.add_argument("--minutes", type=float, default=38, help="Time to train (default 38).")
    about = "Peak, in thousandths (default 3)."
    parser.add_argument("--learning-rate", type=float, default=3, help=about)
    parser.add_argument("--seed", type=int, default=0, help="Draws the examples (default 0).")
    return parser.parse_args()


def main() -> None:
    """Learn from FACESETS and PICTURES and write the network to OUT."""
    given = _arguments()
    torch.manual_seed(given.seed)
    start, steps = load(given.start) if given.start else (Segmenter(), 0)
    config = segmenter_config(given.minutes, given.learning_rate / 1000, given.seed)
    with progress.reporting(_report):
        source = read_material(given.facesets, given.pictures)
        about = {
            **SHIPPED,
            "faces": len(source.faces),
            "pictures": len(source.pictures),
            "from": sha256(given.start.read_bytes()).hexdigest() if given.start else "nothing",
            "steps": steps,
        }
        run = RunFolder(given.out.with_suffix(""))
        model = train_segmenter(start, source, config, run, about)
    with replacing(given.out) as temporary:
        shutil.copyfile(model, temporary)


if __name__ == "__main__":
    main()
