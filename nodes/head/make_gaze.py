"""The recipe of the shipped gaze: a ridge regression over renders with exact gaze.

CORPUS is as `head.exact_renders` reads it; PEOPLE is a JSON file whose keys name who counts. Run
it as ``python -m lifemask.nodes.head.make_gaze PEOPLE OUT CORPUS...``.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes import archive, progress
from lifemask.nodes.head.exact_renders import ExactRenders, tracked
from lifemask.nodes.head.fit import fitted
from lifemask.nodes.head.gaze import KIND, features, openness
from lifemask.nodes.provenance import SHIPPED

_RIDGE = 0.01  # of the standardised features
_TURNED = 0.5  # sine of the yaw from which an eye is seen too much from the side
_SURE = 0.7  # confidence

Floats = NDArray[np.float64]


def regression(seen: Floats, gaze: Floats) -> dict[str, Floats]:
    """Return the weights (F, 2) and the mean (F,) of what a gaze (N, 2) is read from, (N, F)."""
    spread = np.maximum(seen.std(0), 1e-6)
    spread[-1] = 1
    mean = seen.mean(0)
    mean[-1] = 0
    apart = (seen - mean) / spread
    held = _RIDGE * len(seen) * np.eye(len(spread))
    held[-1, -1] = 0
    weights = np.linalg.solve(apart.T @ apart + held, apart.T @ gaze) / spread[:, None]
    return {"weights": weights, "mean": mean}


def examples(renders: ExactRenders) -> tuple[Floats, Floats]:
    """Return what is seen of open eyes near the front, (N, F), and their gaze (N, 2), + down."""
    rows = []
    for person in np.unique(renders.person):
        own = renders.person == person
        arrays = renders.landmarks[own], renders.expression[own], renders.confidence[own]
        placed = fitted(*arrays, []).placed
        used = openness(placed.shape) == 1
        used &= (np.abs(placed.rotation[:, 0, 2]) < _TURNED) & (arrays[2] > _SURE)
        seen = features(placed.shape, placed.rotation, arrays[1])
        rows.append((seen[used], (renders.gaze[own] * (1, -1))[used]))
    seen, gaze = (np.concatenate(part) for part in zip(*rows, strict=True))
    return seen, gaze


def main() -> None:
    """Learn the gaze of PEOPLE in every CORPUS, and write it to OUT."""
    parser = ArgumentParser(description="Learn to read gaze from tracked landmarks.")
    parser.add_argument("people", type=Path, metavar="PEOPLE", help="JSON, by name.")
    parser.add_argument("out", type=Path, metavar="OUT", help="The file, gaze.safetensors.")
    parser.add_argument("corpora", type=Path, metavar="CORPUS", nargs="+", help="TAKE/PERSON.")
    given = parser.parse_args()
    people = frozenset(json.loads(given.people.read_text(encoding="utf-8")))
    with progress.reporting(progress.to_stderr):
        seen, gaze = examples(tracked(given.corpora, people))
    archive.save(given.out, KIND, regression(seen, gaze), {**SHIPPED, "frames": len(seen)})


if __name__ == "__main__":
    main()
