"""What the occlusion network learns from: faces as it sees them, with something in front."""

import numpy as np
import pytest
import torch
from made_up_training import clock, painted_losses

from lifemask.nodes.errors import FaceError
from lifemask.nodes.faceset.files import INDEX
from lifemask.nodes.learning import train_occlusion, trainer
from lifemask.nodes.learning.augment import picture_occluders
from lifemask.nodes.learning.augment.occluder_sprites import Rendered
from lifemask.nodes.learning.augment.picture_occluders import Material, paint_picture
from lifemask.nodes.learning.data.occlusion_scenes import PLANES, read_scenes
from lifemask.nodes.learning.train_occlusion import OcclusionTask, save
from lifemask.nodes.refiner import occlusion_network as seen
from lifemask.nodes.refiner.occlusion_network import OcclusionNetwork, load

STEPS = 12


@pytest.fixture(scope="module")
def facesets(pair):
    return pair.likeness.folder.parent


@pytest.fixture(scope="module")
def scenes(facesets, tmp_path_factory):
    return read_scenes(facesets, [], tmp_path_factory.mktemp("scenes") / "scenes.npy")


@pytest.fixture(scope="module")
def material(scenes):
    rgba = np.zeros((seen.SIDE, seen.SIDE, 4), np.float16)
    rgba[60:190, 90:170] = 0.5, 0.1, 0.1, 1
    pictures = [np.ascontiguousarray(scenes[0][seen.PLATE].transpose(1, 2, 0), np.float32)]
    return Material(scenes, pictures, [Rendered(rgba, kind) for kind in ("hand", "cup")])


def without(monkeypatch, *names):
    for name in names:
        monkeypatch.setattr(picture_occluders, name, 0)


def test_a_scene_is_a_face_beside_what_it_should_look_like(scenes, facesets):
    assert scenes.shape[1:] == (PLANES, seen.SIDE, seen.SIDE)
    one = scenes[0].astype(np.float32)
    inside = one[seen.FACE][0] > 0.9
    apart = np.abs(one[seen.PLATE] - one[seen.ALBEDO] - one[seen.LIGHT]).mean(0)
    assert inside.mean() > 0.1
    assert apart[inside].mean() < 0.02


def test_scenes_are_kept_and_people_can_be_left_out(scenes, facesets, tmp_path):
    names = [index.parent.name for index in facesets.glob(f"*/{INDEX}")]
    some = read_scenes(facesets, names[:1], tmp_path / "kept.npy")
    assert len(some) < len(scenes)
    assert np.array_equal(read_scenes(tmp_path, [], tmp_path / "kept.npy"), some)
    with pytest.raises(FaceError, match="no faceset"):
        read_scenes(facesets, names, tmp_path / "none.npy")


def test_one_seed_paints_the_same(material):
    first, again = (paint_picture(material, np.random.default_rng(4)) for _ in range(2))
    assert torch.equal(first.shown, again.shown)
    assert torch.equal(first.target, again.target)


def test_nothing_in_front_is_a_face_without_a_target(material, monkeypatch):
    monkeypatch.setattr(picture_occluders, "_EMPTY", 1)
    for seed in range(6):
        one = paint_picture(material, np.random.default_rng(seed))
        covered = one.shown[seen.COVERED][0]
        assert float((one.target[seen.OCCLUDER] * covered).sum() / covered.sum()) < 0.1
        assert one.target[seen.LENS].max() == 0
        assert one.target[seen.SHADOW].max() == 0


def test_the_plate_is_that_of_the_scene_where_nothing_is_in_front(material, monkeypatch):
    without(monkeypatch, "_EMPTY", "_SHADE", "_CAST", "_MISPLACED", "_NO_HAND")
    monkeypatch.setattr(picture_occluders._Painting, "light", lambda self: None)
    monkeypatch.setattr(picture_occluders._Painting, "film", lambda self: None)
    monkeypatch.setattr(picture_occluders, "_mirrored", lambda planes: planes)
    plates = torch.from_numpy(material.scenes[:, seen.PLATE].astype(np.float32))
    changed = 0
    for seed in range(8):
        one = paint_picture(material, np.random.default_rng(seed))
        free = one.target[[seen.OCCLUDER, seen.LENS]].amax(0) == 0
        off = (one.shown[seen.PLATE] - plates).abs().amax(1)
        assert min(float(off[:, part].amax(1).min()) for part in (free, free.flip(-1))) < 1e-6
        changed += bool((one.target[seen.OCCLUDER] > 0.5).sum() > 100)
    assert changed >= 4


def trained(material, folder, count):
    torch.manual_seed(0)
    task = OcclusionTask.of(material, 0)
    return painted_losses(task, OcclusionNetwork(), save, folder, 2, STEPS, count, 3)


def test_a_training_learns_and_one_that_was_stopped_is_the_same(material, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "monotonic", clock())
    monkeypatch.setattr(train_occlusion, "_CROP", 64)
    whole = trained(material, tmp_path / "whole", STEPS)
    assert np.mean(whole[-4:]) < 0.9 * whole[0]
    assert load(tmp_path / "whole" / "model.safetensors")[1] == STEPS + 3
    monkeypatch.setattr(trainer, "monotonic", clock())
    trained(material, tmp_path / "parts", STEPS // 2)
    assert trained(material, tmp_path / "parts", STEPS - STEPS // 2) == whole
