"""The faces of single pictures, and what their landmarks' coordinates mean."""

import json
from pathlib import Path

import numpy as np
import pytest

from lifemask.nodes.faces import detector
from lifemask.nodes.faces.photographs import find_faces, landmarks_of
from lifemask.nodes.faces.pyramid import picture
from lifemask.nodes.faces.topology import MESH_COUNT, canonical
from lifemask.ocio.colour.transform import WORKING, convert
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

FOOTAGE = Path(__file__).parent / "footage"
PLATE = FOOTAGE / "a1_dialogue/performer_b"


def frame(path, number):
    sequence = Sequence.find(path)
    return convert(read(sequence, number).rgb, "Linear Rec.709 (sRGB)", WORKING)


@pytest.fixture(scope="module")
def ben():
    return frame(PLATE / "beauty/beauty.####.exr", 1020)


@pytest.fixture(scope="module")
def ada():
    return frame(FOOTAGE / "takes/ada_studio/ada_studio.####.exr", 1003)


@pytest.fixture(scope="module")
def face(ada):
    return landmarks_of(ada).landmarks


def test_a_picture_that_moves_by_whole_pixels_moves_its_landmarks_as_far(ada, face):
    moved = landmarks_of(np.roll(ada, (-11, 17), (0, 1))).landmarks
    assert np.abs((moved - face)[:, :2].mean(0) - [17, -11]).max() < 0.1


def test_a_picture_in_the_mirror_mirrors_its_landmarks_about_the_middle(ada, face):
    vertices = canonical().vertices
    mirrored = vertices * [-1, 1, 1]
    partner = np.linalg.norm(mirrored[:, None] - vertices[None], axis=-1).argmin(1)
    seen = landmarks_of(ada[:, ::-1].copy()).landmarks[:MESH_COUNT][partner]
    expected = [ada.shape[1], 0] + face[:MESH_COUNT, :2] * [-1, 1]
    # Half a pixel of error in the convention would show as one whole pixel here.
    assert np.abs((seen[:, :2] - expected).mean(0)).max() < 0.5


def test_a_larger_picture_has_its_landmarks_at_the_same_place(ada, face):
    large = ada.repeat(6, 0).repeat(6, 1)
    assert large.shape[1] > 2048
    found = landmarks_of(large).landmarks
    assert np.abs((found / 6 - face)[:, :2].mean(0)).max() < 0.1
    assert np.isclose(np.ptp(found[:, 2]), 6 * np.ptp(face[:, 2]), rtol=0.02)


@pytest.mark.parametrize("stops", [-8, 5])
def test_exposure_changes_nothing(ada, face, stops):
    assert np.abs(landmarks_of(ada * 2.0**stops).landmarks - face).max() < 0.05


def test_a_lamp_in_the_picture_changes_little(ada, face):
    lit = ada.copy()
    lit[:30, :30] = 2000
    assert np.abs(landmarks_of(lit).landmarks - face).max() < 1


def test_depth_grows_away_from_the_camera(face):
    nose, ears = face[1, 2], face[[234, 454], 2]
    assert (ears - nose > 20).all()


def test_several_faces_are_given_the_largest_first(ben, ada):
    both = np.concatenate([ben, np.full((360, 384, 3), 0.18, np.float32)], axis=1)
    both[:, 640:] = ada[:360]
    faces = find_faces(both)
    areas = [one.area for one in faces]
    assert len(faces) == 2
    assert areas == sorted(areas, reverse=True)
    truth = json.loads((PLATE / "gt/gt.1020.json").read_text())["people"][0]["landmarks68"]
    noses = [one.landmarks[1, :2] for one in faces]
    assert min(np.linalg.norm(nose - truth[30]) for nose in noses) < 8
    assert all(one.confidence > 0.7 for one in faces)


@pytest.mark.parametrize("shape", [(40, 60, 3), (1, 1, 3), (7, 300, 3)])
def test_a_picture_without_a_face_has_none(shape):
    noise = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)
    assert find_faces(noise) == []
    assert landmarks_of(noise * np.nan) is None


@pytest.mark.parametrize(("border", "exposures"), [(0, 3), (200, 4)])
def test_only_what_is_framed_is_looked_at_in_an_exposure_more(monkeypatch, border, exposures):
    looked, look = [], detector.candidates
    monkeypatch.setattr(detector, "candidates", lambda *given: looked.append(given) or look(*given))
    pixels = np.full((128, 128, 3), np.linspace(0.1, 0.6, 128)[:, None], np.float32)
    seen = picture(np.pad(pixels, ((border,) * 2, (border,) * 2, (0, 0)), constant_values=1e-4))
    assert not len(detector.find(seen).boxes)
    assert len(looked) == 2 * exposures  # each by two networks
