"""Training of the network that ships in ``render/segmenter.safetensors``: see `render.segmenter`.

It learns from synthetic people alone. FACESETS is a folder of facesets, such as
`lifemask train --base --facesets` keeps; in front of their faces anything is painted: what PICTURES
(EXRs in folders ``TAKE/PERSON/beauty``) show, other people's skin, plain and speckled textures, in
the shapes of hands, spectacles, microphones, strands of hair, and of nothing in particular. Beards,
make-up, light and shadows are painted on the faces, too; they are no occluders.

Run it as ``python -m lifemask.nodes.learning.train_segmenter FACESETS PICTURES OUT --minutes 38``.
The folder beside OUT keeps checkpoints and losses; a run that was stopped resumes.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import archive, progress
from lifemask.nodes.amp import mixed_training
from lifemask.nodes.device import device
from lifemask.nodes.errors import FaceError
from lifemask.nodes.faceset.files import INDEX, FaceSet
from lifemask.nodes.learning.augment.painted_faces import Material, Painted, paint_face
from lifemask.nodes.learning.painted_examples import (
    PaintedExamples,
    PaintedSet,
    common_arguments,
    write_trained,
)
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.segmenter import Segmenter, load
from lifemask.nodes.render.texture import reduced
from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING, convert
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

_VISIBLE = 0.05  # validity from which a texel counts


class SegmenterTask(PaintedExamples[Painted]):
    """Faces with something painted in front, each seen once."""

    @classmethod
    def of(cls, material: Material, seed: int) -> "SegmenterTask":
        """Paint with ``material``."""
        return cls(PaintedSet(partial(paint_face, material), seed))

    def losses(self, network: Segmenter, examples: list[Painted], step: int) -> dict[str, Tensor]:
        """Return the cross entropy of the matte, per texel that is seen."""
        planes = (torch.stack(same).to(device()) for same in zip(*examples, strict=True))
        batch = Painted(*planes)
        with mixed_training():
            logit = network(batch.colour, batch.valid).float()
        seen, matte = (reduced(batch.valid) > _VISIBLE).float(), reduced(batch.matte)
        total = functional.binary_cross_entropy_with_logits(logit, matte, seen, reduction="sum")
        return {"loss": total / seen.sum()}


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


def _arguments() -> Namespace:
    folders = {"facesets": "Folder of facesets.", "pictures": "Folder of takes."}
    common = common_arguments(folders, "segmenter.safetensors", 38)
    about = "Train the network that tells occluders from faces."
    return ArgumentParser(description=about, parents=[common]).parse_args()


def main() -> None:
    """Learn from FACESETS and PICTURES and write the network to OUT."""
    given = _arguments()
    torch.manual_seed(given.seed)
    start, steps = load(given.start) if given.start else (Segmenter(), 0)
    with progress.reporting(progress.to_stderr):
        source = read_material(given.facesets, given.pictures)
        made_of = {"faces": len(source.faces), "pictures": len(source.pictures)}
        write_trained(given, start, steps, SegmenterTask.of(source, given.seed), made_of, save)


if __name__ == "__main__":
    main()
