"""Learning of ``perspective.safetensors``: see `head.perspective`.

Each CORPUS is one of `head.make_head`, in which everybody has takes from several distances.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes import archive, progress
from lifemask.nodes.errors import FaceError
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.head.exact_renders import ExactRenders, tracked
from lifemask.nodes.head.fit import fitted
from lifemask.nodes.head.perspective import KIND, nearness
from lifemask.nodes.provenance import SHIPPED
from lifemask.nodes.render.atlas import atlas

Floats = NDArray[np.float32]


def answer(renders: ExactRenders) -> Floats:
    """Return by how much shapes (478, 3) change with a nearness of 1/m, in centimetres.

    By least squares over the neutrals of all takes, each beside the mean of its person's.
    """
    moved, nearer = [], []
    for person in np.unique(renders.person):
        own = renders.person == person
        takes = np.unique(renders.take[own])
        pairs = (_of(renders, own & (renders.take == take)) for take in takes)
        neutrals, near = zip(*pairs, strict=True)
        moved.append(neutrals - np.mean(neutrals, 0))
        nearer.append(near - np.mean(near))
    change, by = np.concatenate(moved), np.concatenate(nearer)
    if not by.any():
        raise FaceError("everybody is seen from one distance")
    return np.asarray(np.tensordot(by, change, 1) / np.square(by).sum(), np.float32)


def _of(renders: ExactRenders, own: NDArray[np.bool_]) -> tuple[Floats, float]:
    """The neutral (478, 3) in the frames of a take, in the mean head's place, and its nearness."""
    arrays = renders.landmarks[own], renders.expression[own], renders.confidence[own]
    head = fitted(*arrays, [])
    scale, rotation, centre = similarity(head.neutral[None], atlas().mean[None], atlas().rigid)
    near = nearness(head.placed.scale, renders.focal[own])
    return scale[0] * head.neutral @ rotation[0].T + centre[0], float(near.mean())


def main() -> None:
    """Learn what distance does to the tracked PEOPLE in every CORPUS, and write it to OUT."""
    parser = ArgumentParser(description="Learn what distance does to tracked landmarks.")
    parser.add_argument("people", type=Path, metavar="PEOPLE", help="JSON, by name.")
    parser.add_argument("out", type=Path, metavar="OUT", help="The file, perspective.safetensors.")
    parser.add_argument("corpora", type=Path, metavar="CORPUS", nargs="+", help="TAKE/PERSON.")
    given = parser.parse_args()
    people = frozenset(json.loads(given.people.read_text(encoding="utf-8")))
    with progress.reporting(progress.to_stderr):
        change = answer(tracked(given.corpora, people))
    archive.save(given.out, KIND, {"change": change.astype(np.float16)}, SHIPPED)


if __name__ == "__main__":
    main()
