"""Make the head model that ships with Lifemask.

KIT is an NPZ file of ICT-FaceKit Light (`FaceKit.load`). PEOPLE is a JSON file that gives the
identity of each synthetic person, 60 numbers in standard deviations by their name. Each CORPUS
holds renders of them with their exact ground truth (`head.exact_renders`). Tracking them takes
an eighth of a second a frame, the rest a minute.

Run it as ``python -m lifemask.nodes.head.make_head KIT PEOPLE OUT CORPUS...``.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes import archive, progress
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.head.exact_renders import ExactRenders, tracked
from lifemask.nodes.head.face_kit import FaceKit
from lifemask.nodes.head.head_model import KIND, PACKED
from lifemask.nodes.head.landmarks_on_mesh import landmarks_on_mesh
from lifemask.nodes.head.make_landmark_model import (
    Known,
    landmark_arrays,
    pose_basis,
    pose_part,
)
from lifemask.nodes.head.packed_shapes import named, packed
from lifemask.nodes.provenance import SHIPPED
from lifemask.nodes.render.atlas import atlas

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]

_STILL = 0.003  # centimetres: an expression that moves a vertex less leaves it
_IDENTITY_STEP, _EXPRESSION_STEP = 0.003, 0.008  # centimetres that a byte may stand for
_COMPONENTS = {"mouth": 20, "eyes": 18}  # of their 60 modes, which are nearly affine


def make(
    kit: FaceKit, identities: dict[str, Floats], renders: ExactRenders
) -> tuple[Arrays, dict[str, object]]:
    """Return the arrays of the head, and its provenance."""
    corners, weights = landmarks_on_mesh(kit, renders, identities)
    at = partial(_at, corners=corners, weights=weights)
    mean, turn = _as_atlas(kit, at)
    expressions = kit.expressions @ turn
    identity = kit.identity @ turn
    identity = identity - np.tensordot(pose_part(at(identity)), pose_basis(mean), 1)
    known = Known(at(expressions), at(identity))
    landmarks = landmark_arrays(renders, identities, known)
    arrays: Arrays = {
        "mean": mean,
        "triangles": kit.triangles.astype(np.uint16),
        "corners": corners.astype(np.uint16),
        "weights": weights,
        **packed_identity(identity),
        **named("expressions", packed(expressions, _STILL, _EXPRESSION_STEP)),
        **named("landmarks", landmarks),
    }
    people = len(set(renders.person.tolist()))
    return arrays, {**SHIPPED, "people": people, "frames": len(renders)}


def _at(shapes: Floats, corners: Ints, weights: Floats) -> Floats:
    """The landmarks (..., 478, 3) on shapes of the mesh (..., V, 3)."""
    return np.asarray(np.einsum("...kci,kc->...ki", shapes[..., corners, :], weights), np.float32)


def _as_atlas(kit: FaceKit, at: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """The mean head where the atlas is, and the matrix (3, 3) that turns the kit's shapes so."""
    axes = np.diag([1.0, -1, -1])
    landmarks = at(kit.mean @ axes)
    scale, rotation, shift = similarity(landmarks[None], atlas().mean[None], atlas().rigid)
    turn = scale[0] * axes @ rotation[0].T
    return (kit.mean @ turn + shift[0]).astype(np.float32), turn.astype(np.float32)


def packed_identity(identity: Floats) -> Arrays:
    """Return the modes (60, V, 3) in arrays: those of teeth and eyes as a few components."""
    arrays: Arrays = {}
    for name, part in PACKED.items():
        shapes = identity[:, part]
        if name in _COMPONENTS:
            u, s, vt = np.linalg.svd(shapes.reshape(len(shapes), -1), full_matrices=False)
            kept = slice(_COMPONENTS[name])
            arrays[f"identity/{name}/mix"] = u[:, kept]
            shapes = (s[kept, None] * vt[kept]).reshape(-1, *shapes.shape[1:])
        arrays |= named(f"identity/{name}", packed(shapes, 0, _IDENTITY_STEP))
    return arrays


def _identities(path: Path) -> dict[str, Floats]:
    try:
        people = json.loads(path.read_text(encoding="utf-8"))
        return {name: np.array(numbers, np.float32) for name, numbers in people.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise BrokenFileError(f"{path}: not 60 numbers for each person ({error})") from error


def main() -> None:
    """Make the head of KIT from renders of PEOPLE in every CORPUS, and write it to OUT."""
    parser = ArgumentParser(description="Make the head model from exact renders.")
    parser.add_argument("kit", type=Path, metavar="KIT", help="ICT-FaceKit Light, NPZ.")
    parser.add_argument("people", type=Path, metavar="PEOPLE", help="Their identities, JSON.")
    parser.add_argument("out", type=Path, metavar="OUT", help="The file, head.safetensors.")
    parser.add_argument("corpora", type=Path, metavar="CORPUS", nargs="+", help="TAKE/PERSON.")
    given = parser.parse_args()
    identities = _identities(given.people)
    with progress.reporting(progress.to_stderr):
        renders = tracked(given.corpora, frozenset(identities))
        arrays, about = make(FaceKit.load(given.kit), identities, renders)
    archive.save(given.out, KIND, arrays, about)


if __name__ == "__main__":
    main()
