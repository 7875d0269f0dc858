"""A head kit as it is published, from the head that ships; renders that saw it."""

import json
import re
import shutil
from functools import cache
from pathlib import Path

import numpy as np
from made_up import rotations

from lifemask.nodes.faces import blendshapes
from lifemask.nodes.head import arkit
from lifemask.nodes.head.exact_renders import ExactRenders
from lifemask.nodes.head.face_kit import FaceKit
from lifemask.nodes.head.head_model import PARTS, head_model

AXES = np.float32([1, -1, -1])
FOOTAGE = Path(__file__).parent / "footage/a1_dialogue"
PERSON = "performer_b"
WHOLE = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")


def _side(found):
    return f"_{found[0][0]}"


@cache
def face_kit():
    """The shipped head in the kit's axes."""
    head = head_model()
    return FaceKit(
        mean=head.mean * AXES,
        identity=head.identity * AXES,
        expressions=head.expressions * AXES,
        triangles=head.triangles,
        rigid=np.arange(PARTS["head"].start, PARTS["head"].stop),
    )


def kit_file(path):
    """Write the kit as it is published: with lashes after the head, and two sides of each brow."""
    kit, names, shapes = face_kit(), [], []
    for name, shape in zip(arkit.NAMES, kit.expressions, strict=True):
        if name in ("browInnerUp", "cheekPuff"):
            names += [f"{name}_L", f"{name}_R"]
            shapes += [shape / 4, shape * 3 / 4]
        elif name != "tongueOut":
            names.append(name if name in WHOLE else re.sub("(Left|Right)$", _side, name))
            shapes.append(shape)
    quads = np.hstack([kit.triangles, np.full((len(kit.triangles), 1), -1)])
    lashes = np.full((1, 4), len(kit.mean))
    np.savez(
        path,
        V=np.vstack([kit.mean, np.zeros((1, 3), np.float32)]),
        I=np.pad(kit.identity, ((0, 0), (0, 1), (0, 0))).astype(np.float16),
        E=np.pad(shapes, ((0, 0), (0, 1), (0, 0))).astype(np.float16),
        F=np.concatenate([quads, lashes]).astype(np.int32),
        names=np.array(names),
        rigid=kit.rigid,
    )
    return path


def corpus(folder, frames):
    """A corpus of one take in ``folder``, with ``frames`` of the demo's double."""
    for number in frames:
        for kind, ending in (("beauty", "exr"), ("gt", "json")):
            file = Path(PERSON, kind, f"{kind}.{number}.{ending}")
            (folder / "take" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(FOOTAGE / file, folder / "take" / file)
    return folder


def people_file(path):
    """Write the identity of the double: the mean head."""
    path.write_text(json.dumps({PERSON: [0.0] * 60}), encoding="utf-8")
    return path


def seen(random, count, identities):
    """Renders (``count`` of each person) in which every landmark is tracked where it is."""
    head, kit = head_model(), face_kit()
    person = np.repeat(sorted(identities), count)
    coefficients = random.uniform(0, 0.7, (len(person), 52)).astype(np.float32)
    coefficients *= random.random(coefficients.shape) < 0.15
    camera = np.zeros((len(person), 3, 4))
    camera[:, :, :3] = rotations(random, len(person), 0.3) * AXES * 0.01
    camera[:, 2, 3] = 1
    camera = np.array([[800, 0, 150], [0, 800, 150], [0, 0, 1]]) @ camera
    landmarks = np.zeros((len(person), 478, 3), np.float32)
    renders = ExactRenders(
        person=person,
        take=np.full(len(person), "take"),
        landmarks=landmarks,
        expression=np.zeros((len(person), len(blendshapes.NAMES)), np.float32),
        confidence=np.ones(len(person), np.float32),
        coefficients=coefficients,
        gaze=random.normal(0, 5, (len(person), 2)).astype(np.float32),
        camera=camera,
    )
    for row, name in enumerate(person):
        mesh = kit.posed(kit.neutral(identities[name]), coefficients[row], renders.gaze[row])
        landmarks[row, :, :2], _ = renders.project(row, head.landmarks(mesh))
    return renders
