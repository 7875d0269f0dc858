"""The network that ships finds hands and spectacles before faces that it never saw."""

import numpy as np
import pytest
import torch

from lifemask.nodes.learning.augment import picture_occluders
from lifemask.nodes.learning.augment.make_sprites import render
from lifemask.nodes.learning.augment.occluder_sprites import Rendered
from lifemask.nodes.learning.augment.picture_occluders import Material, paint_picture
from lifemask.nodes.learning.augment.solids import SHAPES
from lifemask.nodes.learning.data.occlusion_scenes import read_scenes
from lifemask.nodes.refiner import occlusion_network as seen
from lifemask.nodes.refiner.occlusion_network import segmented

MANY = 12
NEVER_SEEN = 10_000  # seeds of sprites that no training had


@pytest.fixture(scope="module")
def material(pair, tmp_path_factory):
    folder = pair.likeness.folder.parent
    scenes = read_scenes(folder, [], tmp_path_factory.mktemp("scenes") / "scenes.npy")
    pictures = [np.ascontiguousarray(scenes[0][seen.PLATE].transpose(1, 2, 0), np.float32)]
    sprites = [_sprite(kind, NEVER_SEEN + seed) for kind in ("hand", "cup") for seed in range(4)]
    return Material(scenes, pictures, sprites)


def _sprite(kind, seed):
    random = np.random.default_rng(seed)
    return Rendered(render(SHAPES[kind](random), random).astype(np.float16), kind)


def painted(material, monkeypatch, kind):
    """Examples with one thing of a ``kind`` in front: mattes found, exact, and the face."""
    monkeypatch.setattr(picture_occluders, "_EMPTY", 1.0 if kind == "none" else 0.0)
    monkeypatch.setattr(picture_occluders, "_TWICE", 0)
    monkeypatch.setattr(picture_occluders, "_KINDS", {kind: 1.0})
    examples = [paint_picture(material, np.random.default_rng([7, seed])) for seed in range(MANY)]
    found = [segmented(one.shown[None]).sigmoid()[0] for one in examples]
    targets = [one.target for one in examples]
    faces = [one.shown[seen.FACE][0] > 0.5 for one in examples]
    return torch.stack(found), torch.stack(targets), torch.stack(faces)


def overlap(found, target, face):
    found, target = (matte[face] > 0.5 for matte in (found, target))
    return float((found & target).sum() / (found | target).sum())


def test_hands_and_cups_are_found(material, monkeypatch):
    found, target, face = painted(material, monkeypatch, "sprite")
    assert overlap(found[:, seen.OCCLUDER], target[:, seen.OCCLUDER], face) > 0.8


def test_lenses_are_found(material, monkeypatch):
    found, target, face = painted(material, monkeypatch, "glasses")
    assert overlap(found[:, seen.LENS], target[:, seen.LENS], face) > 0.5


def test_a_face_alone_has_nothing_in_front(material, monkeypatch):
    found, target, face = painted(material, monkeypatch, "none")
    bare = face & (target[:, seen.OCCLUDER] < 0.1)
    assert found[:, seen.OCCLUDER][bare].mean() < 0.02
    assert found[:, seen.LENS][bare].mean() < 0.02


def test_the_file_is_small():
    assert seen._FILE.stat().st_size < 8e6
