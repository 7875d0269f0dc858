"""What does not belong to a face is found in one texture, and the face itself is not."""

import re

import cv2
import numpy as np
import pytest
import torch
from conftest import FOOTAGE, QUICK, SPACE
from made_up_training import clock, painted_losses

from lifemask.nodes import archive
from lifemask.nodes.errors import FaceError
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.provider import occlusion_of
from lifemask.nodes.learning import trainer
from lifemask.nodes.learning.augment.painted_faces import Material, paint_face
from lifemask.nodes.learning.train_segmenter import SegmenterTask, read_material, save
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import SIZE
from lifemask.nodes.render.descriptors import finite_texture, mattes
from lifemask.nodes.render.occluders import occlusion
from lifemask.nodes.render.segmenter import Segmenter, segmented
from lifemask.nodes.render.texture import reduced
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

BALL = 150, 128, 22  # row, column and radius, texels
STEPS = 16


@pytest.fixture(scope="module")
def faces(pair):
    """Colour and validity of a woman's and a bearded man's faces; the network never saw them."""
    textures = [one.texture(index) for one in (pair.likeness, pair.double) for index in range(4)]
    planes = torch.from_numpy(np.stack(textures)).permute(0, 3, 1, 2)
    return to_log(planes[:, :3]), planes[:, 3:4]


def ball():
    """Speckled and grey, as a microphone is: colour (3, SIZE, SIZE) less a face's, and matte."""
    row, column, radius = BALL
    y, x = np.mgrid[:SIZE, :SIZE]
    apart = np.hypot(y - row, x - column)
    noise = np.random.default_rng(1).normal(0, 1, (SIZE, SIZE))
    look = cv2.GaussianBlur(noise, (0, 0), 1.5) * 0.1 - 0.002 * apart
    matte = np.clip(radius - apart, 0, 1).astype(np.float32)
    return torch.from_numpy(look.astype(np.float32)), torch.from_numpy(matte)[None, None]


def with_ball(colour):
    look, matte = ball()
    return torch.lerp(
        colour, (colour.mean((1, 2, 3), keepdim=True) + look).expand_as(colour), matte
    )


def mean(front, weight):
    return float((front * weight).sum() / weight.sum())


def test_a_face_alone_has_nothing_before_it(faces):
    colour, valid = faces
    assert mean(segmented(colour, valid), reduced(valid)) < 0.05


def test_a_ball_is_found_in_a_single_texture_and_the_face_around_it_is_not(faces):
    colour, valid = faces
    matte = ball()[1]
    for one, seen in zip(with_ball(colour)[:, None], valid[:, None], strict=True):
        front, there = segmented(one, seen), reduced(matte * seen)
        assert mean(front, there) > 0.7
        assert mean(front, reduced(seen) * (reduced(matte) == 0)) < 0.06


@pytest.mark.parametrize("shift", [-0.2, 0.1])
def test_exposure_is_no_matter(faces, shift):
    colour, valid = faces
    before = segmented(with_ball(colour), valid)
    assert torch.allclose(segmented(with_ball(colour) + shift, valid), before, atol=0.02)


def test_a_soft_shadow_and_a_coloured_light_are_not_in_front(faces):
    colour, valid = faces
    across = torch.linspace(-1, 1, SIZE).expand(SIZE, SIZE)
    shadow = -0.08 * torch.sigmoid(across * 6) + across.T * 0.03
    tint = torch.tensor([0.03, 0.0, -0.03]).view(3, 1, 1) * across
    assert mean(segmented(colour + shadow + tint, valid), reduced(valid)) < 0.06


@pytest.fixture(scope="module")
def material(pair, tmp_path_factory):
    pictures = tmp_path_factory.mktemp("takes") / "take/ada/beauty"
    pictures.mkdir(parents=True)
    source = FOOTAGE / "takes/ada_studio/ada_studio.1001.exr"
    (pictures / "beauty.0001.exr").symlink_to(source)
    return read_material(pair.likeness.folder.parent, pictures.parents[2])


def test_what_is_painted_is_the_face_outside_of_its_matte(material, monkeypatch):
    for name in ("_CAST", "_MAKE_UP", "_SHADOW"):
        monkeypatch.setattr(f"lifemask.nodes.learning.augment.painted_faces.{name}", 0)
    flat = material.faces[0] * 0 + (0.4, 0.35, 0.3, 1)
    alone = Material([flat.astype(np.float32)], material.pictures)
    random = np.random.default_rng(2)
    monkeypatch.setattr(
        "lifemask.nodes.learning.augment.painted_faces._light",
        lambda _: np.zeros((SIZE, SIZE, 3), np.float32),
    )
    hidden = 0
    for _ in range(30):
        one = paint_face(alone, random)
        apart = (one.colour - torch.tensor([0.4, 0.35, 0.3]).view(3, 1, 1)).abs().amax(0)
        assert apart[one.matte[0] == 0].max() < 0.06  # grain
        assert one.matte.min() >= 0
        assert one.matte.max() <= 1
        hidden += bool((one.matte > 0.9).any())
    assert 15 <= hidden <= 29


def trained(material, folder, count):
    """The losses of a training in ``folder`` that is stopped after ``count`` steps more."""
    torch.manual_seed(0)
    task = SegmenterTask.of(material, 0)
    return painted_losses(task, Segmenter(), save, folder, 4, STEPS, count, 5)


@pytest.fixture(scope="module")
def whole(material, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trainer, "monotonic", clock())
        return folder, trained(material, folder, STEPS)


def test_a_training_learns_and_its_header_counts_the_steps(whole):
    folder, losses = whole
    assert len(losses) == STEPS
    assert np.mean(losses[-2:]) < 0.8 * losses[0]
    arrays, about = archive.load(folder / "model.safetensors", "segmenter")
    assert about["steps"] == 5 + STEPS
    Segmenter().load_state_dict({n: torch.from_numpy(a).float() for n, a in arrays.items()})


def test_a_stopped_training_resumes_with_the_same_losses(whole, material, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "monotonic", clock())
    assert len(trained(material, tmp_path, 6)) == 6
    assert trained(material, tmp_path, STEPS - 6) == whole[1]


def test_a_recipe_without_faces_is_refused(tmp_path):
    with pytest.raises(FaceError, match=re.escape(f"{tmp_path}: no faceset")):
        read_material(tmp_path, tmp_path)


def microphone(rgb, at):
    """A picture with something round, grey and speckled ``at`` a place."""
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]] + 0.5
    apart = np.hypot(x - at[0], y - at[1])
    speckle = np.random.default_rng(3).normal(0.25, 0.06, rgb.shape[:2])
    look = (cv2.GaussianBlur(speckle, (0, 0), 0.8) - 0.006 * apart).clip(0.02)
    share = np.clip(16 - apart, 0, 1)[..., None]
    return rgb * (1 - share) + look[..., None] * share


def before_the_chin(faceset):
    """The most that is found in front of each face, around the chin."""
    front = occlusion_of(faceset).textures
    textures = [finite_texture(front, index) for index in range(len(faceset))]
    matte = torch.cat([occlusion(mattes(texture)[0]) for texture in textures])
    return matte[:, 0, 40:58, 22:42].amax((1, 2))


def test_what_stands_before_the_chin_in_every_frame_is_in_front(pair, tmp_path):
    source, track = pair.plate.sequence, pair.track
    chin = track.landmarks[track.confidence > 0, 152, :2].mean(0) - (0, 4)
    for frame in source.frames:
        rgb = microphone(read(source, frame).rgb, chin).astype(np.float16)
        planes = dict(zip("RGB", np.moveaxis(rgb, -1, 0), strict=True))
        exr.write(tmp_path / f"plate.{frame}.exr", planes, {})
    plate = Footage(Sequence.find(tmp_path / "plate.####.exr"), SPACE)
    made = Faceset(every_frame=True)([plate], QUICK(plate)[:1], "double", tmp_path / "double_v001")
    assert (before_the_chin(made) > 0.3).all()
    assert before_the_chin(made).mean() > 0.6
    assert (before_the_chin(pair.double) < 0.1).all()
