"""The recipe of the head on a kit and two renders: a file that the product reads."""

import sys

import numpy as np
import pytest
from made_up_head import PERSON, corpus, face_kit, kit_file, people_file

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError, FaceError
from lifemask.nodes.head import head_model, landmark_model, make_head
from lifemask.nodes.head.exact_renders import tracked
from lifemask.nodes.head.make_head import packed_identity

FRAMES = (1015, 1031)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The file of the command line."""
    kit, people = kit_file(tmp_path / "kit.npz"), people_file(tmp_path / "people.json")
    renders, out = corpus(tmp_path / "corpus", FRAMES), tmp_path / "head.safetensors"
    monkeypatch.setattr(sys, "argv", ["make_head", *map(str, (kit, people, out, renders))])
    make_head.main()
    return out


def test_the_file_is_a_head_and_a_landmark_model(made, monkeypatch):
    assert archive.header(made, head_model.KIND)["frames"] == len(FRAMES)
    shipped = head_model.head_model()
    for module in (head_model, landmark_model):
        monkeypatch.setattr(module, "FILE", made)
    head = head_model.head_model.__wrapped__()
    np.testing.assert_array_equal(head.triangles, shipped.triangles)
    scale = np.ptp(head.mean, axis=0) / np.ptp(shipped.mean, axis=0)
    np.testing.assert_allclose(scale, scale.mean(), rtol=0.05)
    size = np.linalg.norm(shipped.expressions, axis=-1)
    np.testing.assert_allclose(
        np.linalg.norm(head.expressions, axis=-1), size * scale.mean(), rtol=0.05, atol=0.05
    )
    model = landmark_model.landmark_model.__wrapped__()
    assert model.motions.shape == (52, 478, 3)
    assert model.identity.shape == landmark_model.landmark_model().identity.shape


def test_teeth_and_eyes_keep_their_modes_in_a_few_components():
    """Of people by chance, less than a tenth of a millimetre is lost."""
    modes = face_kit().identity
    found = head_model.identity_of(packed_identity(modes))
    random = np.random.default_rng(1)
    far = np.tensordot(random.normal(size=(8, 60)), found - modes, 1)
    for name, part in head_model.PARTS.items():
        assert np.sqrt(np.square(far[:, part]).sum(-1).mean()) < 0.01, name


def test_a_corpus_without_the_people_is_refused(tmp_path):
    with pytest.raises(FaceError, match=r"corpus: no TAKE/PERSON/beauty"):
        tracked([corpus(tmp_path / "corpus", FRAMES)], frozenset({"ada"}))


def test_a_render_without_its_truth_is_refused(tmp_path):
    renders = corpus(tmp_path / "corpus", FRAMES)
    (renders / "take" / PERSON / "gt" / "gt.1015.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BrokenFileError, match=r"gt\.1015\.json: holds no ground truth"):
        tracked([renders], frozenset({PERSON}))
