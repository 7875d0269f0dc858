"""The recipe of the network that ships in ``segment.safetensors``: see `segment`.

It learns from synthetic people alone. FACESETS is a folder of facesets, such as
`lifemask train --base --facesets` keeps; before their faces anything is painted: what PICTURES
(EXRs in folders ``TAKE/PERSON/beauty``) show, other people's skin, plain and speckled things, in
the shapes of hands, spectacles, microphones, strands of hair, and of nothing known. Beards,
make-up, light and shadows are painted on the faces, too, and are none of it.

Run it as ``python -m lifemask.nodes.learning.train_segmenter FACESETS PICTURES OUT --minutes 38``.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from lifemask.nodes import archive, progress
from lifemask.nodes.errors import FaceError
from lifemask.nodes.faceset.files import INDEX, FaceSet
from lifemask.nodes.learning.amp import mixed
from lifemask.nodes.learning.augment.painted_faces import Material, Painted, painted
from lifemask.nodes.provenance import LEARNED_FROM, LICENCE
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.segmenter import Segmenter, load
from lifemask.nodes.render.texture import reduced
from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING, convert
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

_BATCH = 16
_KEPT = 0.998  # of the averaged weights, each step
_WARM = 0.02  # of the time: how long the rate rises
_TOLD = 100  # steps
_SEEN = 0.05  # validity from which a texel counts


class _Endless(IterableDataset[Painted]):
    """Examples drawn of a material for ever."""

    def __init__(self, material: Material, seed: int) -> None:
        self._material, self._seed = material, seed

    def __iter__(self) -> Iterator[Painted]:
        torch.set_num_threads(1)
        random = np.random.default_rng(self._seed)
        while True:
            yield painted(self._material, random)


def material(facesets: Path, pictures: Path) -> Material:
    """Read every face in the folder ``facesets``, and a picture of each take in ``pictures``.

    Raises FaceError when there is no face.
    """
    known = [FaceSet.load(index.parent) for index in sorted(facesets.glob(f"*/{INDEX}"))]
    faces = [_face(one, index) for one in known for index in range(len(one))]
    if not faces:
        raise FaceError(f"{facesets}: no faceset is in it")
    takes = sorted(pictures.glob("*/*/beauty"))
    return Material(faces, [_picture(take) for take in takes])


def learned(
    network: Segmenter, material: Material, minutes: float, highest: float, seed: int
) -> tuple[Segmenter, int]:
    """Return what ``network`` learns from ``material`` in so many minutes, and in how many steps.

    The rate rises to its ``highest``, and falls to nothing along a cosine; the weights are
    averaged.
    """
    average = deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), highest, weight_decay=1e-3)
    examples = iter(DataLoader(_Endless(material, seed), _BATCH, num_workers=1, prefetch_factor=4))
    begun, steps, total = monotonic(), 0, 0.0
    while (share := (monotonic() - begun) / (60 * minutes)) < 1:
        rate = highest * min(share / _WARM, 0.5 + 0.5 * np.cos(np.pi * share))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = _step(network, optimiser, next(examples))
        steps, total = steps + 1, total + loss
        kept = min(_KEPT, steps / (steps + 10))
        for own, new in zip(average.parameters(), network.parameters(), strict=True):
            own.data.lerp_(new.data, 1 - kept)
        if steps % _TOLD == 0:
            progress.note("learn", f"step {steps}, {share:.0%}: loss {total / _TOLD:.4f}")
            total = 0.0
    return average.eval(), steps


def save(path: Path, network: Segmenter, about: Mapping[str, object]) -> None:
    """Write the ``network`` in half floats."""
    arrays = {name: value.half().numpy() for name, value in network.state_dict().items()}
    archive.save(path, "segmenter", arrays, about)


def _step(network: Segmenter, optimiser: torch.optim.Optimizer, batch: Painted) -> float:
    with mixed():
        logit = network(batch.colour, batch.valid).float()
    seen, matte = (reduced(batch.valid) > _SEEN).float(), reduced(batch.matte)
    losses = functional.binary_cross_entropy_with_logits(logit, matte, seen, reduction="sum")
    loss = losses / seen.sum()
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach())


def _face(faceset: FaceSet, index: int) -> Floats:
    texture = faceset.texture(index)
    log = to_log(torch.from_numpy(texture[..., :3])).numpy()
    return np.concatenate([log, texture[..., 3:4]], -1)


def _picture(beauty: Path) -> Floats:
    sequence = Sequence.find(beauty / "beauty.####.exr")
    space = tagged_space(sequence) or LINEAR_SRGB
    rgb = convert(read(sequence, sequence.frames[0]).rgb, space, WORKING)
    return to_log(torch.from_numpy(rgb)).numpy()


def _tell(step: progress.Progress) -> None:
    sys.stderr.write(f"{step.task}: {step.note}\n" if step.note else "")


def main() -> None:
    """Learn from FACESETS and PICTURES and write the network to OUT."""
    parser = ArgumentParser(description="Make the network that tells occluders from faces.")
    parser.add_argument("facesets", type=Path, metavar="FACESETS", help="Folder of facesets.")
    parser.add_argument("pictures", type=Path, metavar="PICTURES", help="Folder of takes.")
    parser.add_argument("out", type=Path, metavar="OUT", help="The file, segment.safetensors.")
    parser.add_argument("--start", type=Path, metavar="FILE", help="One to go on from.")
    parser.add_argument("--minutes", type=float, default=38, help="Time to learn (default 38).")
    parser.add_argument("--rate", type=float, default=3, help="Thousandths, at most (default 3).")
    parser.add_argument("--seed", type=int, default=0, help="What is drawn (default 0).")
    given = parser.parse_args()
    with progress.reporting(_tell):
        source = material(given.facesets, given.pictures)
        torch.manual_seed(given.seed)
        begun, earlier = load(given.start) if given.start else (Segmenter(), 0)
        network, steps = learned(begun, source, given.minutes, given.rate / 1000, given.seed)
    about = {"learned from": LEARNED_FROM, "licence": LICENCE, "faces": len(source.faces)}
    save(given.out, network, about | {"pictures": len(source.pictures), "steps": earlier + steps})


if __name__ == "__main__":
    main()
