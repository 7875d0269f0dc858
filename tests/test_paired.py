"""What the base learns from: a corpus of renders, both ways, and what is wrong with one."""

import re
import shutil
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import FOOTAGE
from made_up import opinionated
from made_up_training import minutes

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, FaceError, KnobError
from lifemask.nodes.learning.data.examples import Batch
from lifemask.nodes.learning.data.paired import Corpus
from lifemask.nodes.refiner.crop import CHANNELS, PLATE
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.train import Train, tune
from lifemask.ocio.media import exr
from lifemask.plugin.commands.cli import main

pytestmark = pytest.mark.usefixtures("clock")

FRAMES = (1015, 1030)
MOST = 100


def link(target, source, frames):
    """Make ``target`` show ``frames`` of ``source``, both with a frame's number as ``####``."""
    for frame in frames:
        file = target.parent / target.name.replace("####", f"{frame}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(FOOTAGE / source.replace("####", f"{frame}"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return two frames of a pair in two shots, and takes of both performers."""
    folder = tmp_path_factory.mktemp("corpus")
    for name, person in (("ben", "performer_b"), ("ada_on_ben", "performer_a_on_b")):
        for what in ("beauty", "mattes"):
            of = f"a1_dialogue/{person}/{what}/{what}.####.exr"
            link(folder / f"dialogue/{name}/{what}/{what}.####.exr", of, FRAMES)
    ada, ben = "takes/ada_studio/ada_studio.####.exr", "a2_hand/performer_b/beauty/beauty.####.exr"
    link(folder / "studio/ada/beauty/beauty.####.exr", ada, range(1001, 1009))
    first = min(int(file.name.split(".")[1]) for file in (FOOTAGE / ben).parent.iterdir())
    link(folder / "hand/ben/beauty/beauty.####.exr", ben, range(first, first + 10))
    return folder


@pytest.fixture(scope="module")
def corpus(folder, tmp_path_factory):
    return Corpus(folder, tmp_path_factory.mktemp("facesets"))


@pytest.fixture(scope="module")
def made(corpus):
    return list(corpus.examples(64, 0, MOST))


@pytest.fixture(scope="module")
def examples(made):
    return Batch.of(torch.cat([one.planes for one in made]))


@pytest.fixture
def at_hand(made, monkeypatch):
    """Let what pairs teach be made already, where another thing is tested than how it is made."""
    monkeypatch.setattr(
        Corpus, "examples", lambda corpus, size, seed, most: made[: corpus.count(most)]
    )


def test_a_pair_is_learned_both_ways(corpus):
    both = [(pair.plate.name, pair.truth.name, pair.likeness, pair.double) for pair in corpus.pairs]
    assert both == [("ben", "ada_on_ben", "ada", "ben"), ("ada_on_ben", "ben", "ben", "ada")]


def test_the_truth_is_the_other_performer_in_the_same_instant(corpus, examples):
    assert len(examples.truth) == corpus.count(MOST) == 2 * len(FRAMES) * 3
    assert torch.isfinite(examples.planes).all()
    assert (examples.weight.mean((1, 2, 3)) > 0.1).all()
    counts = examples.weight.expand_as(examples.truth) > 0.9
    off = (examples.shown[:, PLATE] - examples.truth).abs()
    assert off[counts].mean() > 0.01
    # Away from the face both performers' renders are one picture.
    rim = torch.ones(64, 64, dtype=torch.bool)
    rim[4:-4, 4:-4] = False
    plate, truth = (part.mean((0, 1)) for part in (examples.shown[:, PLATE], examples.truth))
    assert (plate - truth)[rim].abs().mean() < 0.3 * off[counts].mean()


def test_the_same_seed_draws_the_same_beards_and_pictures(corpus, examples):
    again, other = (
        torch.cat([one.planes for one in islice(corpus.examples(64, seed, MOST), 6)])
        for seed in (0, 1)
    )
    assert torch.equal(again, examples.planes[:6])
    assert not torch.equal(other, examples.planes[:6])


def test_no_more_of_a_pair_is_learned_from_than_was_asked_for(corpus, examples):
    few = [one.planes for one in corpus.examples(64, 0, 3)]
    assert len(few) == corpus.count(3) == 2 * 3
    # The first frame, by each choice of pictures.
    assert torch.equal(torch.cat(few[:2]), examples.planes[[0, 2]])


@pytest.mark.slow
def test_corpora_whose_people_are_called_alike_keep_facesets_in_one_folder(
    corpus, examples, folder, tmp_path, monkeypatch
):
    def planes(of, facesets):
        return torch.cat([one.planes for one in Corpus(of, facesets).examples(64, 0, 3)])

    other, shared, alone = (tmp_path / name for name in ("other", "facesets", "alone"))
    shutil.copytree(folder, other, symlinks=True)
    shutil.rmtree(other / "studio/ada")
    beauty = "takes/ada_overcast/ada_overcast.####.exr"
    link(other / "studio/ada/beauty/beauty.####.exr", beauty, range(1001, 1009))
    shutil.copytree(corpus.facesets, shared)
    mixed = planes(other, shared)
    monkeypatch.chdir(tmp_path)
    assert torch.equal(mixed, planes(Path("other"), alone))
    made = {*shared.iterdir(), *alone.iterdir()}
    # From another folder, what is there is found again.
    monkeypatch.chdir(folder.parent)
    assert torch.equal(planes(Path(folder.name), shared)[:2], examples.planes[[0, 2]])
    for facesets in (shared, alone):
        assert torch.equal(planes(other, facesets), mixed)
    assert made == {*shared.iterdir(), *alone.iterdir()}


def test_a_double_is_known_by_other_takes_now_and_then(corpus, examples):
    made = {folder.name for folder in corpus.facesets.iterdir()}
    plates = ("dialogue.ben", "dialogue.ada_on_ben")
    for kind in ("double", "known"):
        assert made & {f"{plate}.{kind}" for plate in plates}


def test_a_shot_learns_from_pairs_along(corpus, made, at_hand, pair, small, tmp_path, monkeypatch):
    cycles = SimpleNamespace(own=made[:2], examples=lambda size, most: made[:2])
    monkeypatch.setattr(tune, "cycle_pairs", lambda *_: [cycles])
    node = Train(size=32, batch=2, minutes=minutes(3), max_examples=8)
    model = node([pair.facesets], small, tmp_path / "b", False, [corpus.folder], corpus.facesets)
    (spent,) = RefinerModel.load(model.path).about["trained"]
    distilled = 1
    assert spent["whom"] == ["ada", "double", corpus.folder.name]
    assert spent["examples"] == len(cycles.own) + distilled + corpus.count(8)
    with pytest.raises(KnobError, match="facesets: name a folder"):
        node([pair.facesets], small, tmp_path / "c", False, [corpus.folder])


def test_anybody_can_train_a_base(corpus, small, tmp_path):
    out = tmp_path / "base.safetensors"
    words = ["--facesets", str(corpus.facesets), "--out", str(out), "--start", str(small.path)]
    knobs = ["--size", "32", "--batch", "2", "--minutes", str(minutes(3))]
    assert main(["train", "--base", str(corpus.folder), *words, *knobs]) == 0
    (spent,) = RefinerModel.load(out).about["trained"]
    assert spent["whom"] == [corpus.folder.name]
    assert spent["examples"] == corpus.count(MOST)
    assert (tmp_path / "base/preview.png").exists()


def test_what_is_at_out_is_replaced_by_its_own_training_or_when_told(
    corpus, at_hand, small, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "base.safetensors"
    words = ["base", str(corpus.folder), "--facesets", str(corpus.facesets), "--out", str(out)]
    words += ["--start", str(small.path), "--size", "32", "--batch", "2", "--max-examples", "8"]

    for steps in (1, 4):
        assert main([*words, "--minutes", str(minutes(steps))]) == 0
        assert RefinerModel.load(out).about["trained"][-1]["steps"] == steps
    RefinerModel(opinionated(8, 0), 64, {"trained": [{"whom": ["others"], "steps": 9}]}).save(out)
    others = out.read_bytes()
    assert main([*words, "--minutes", str(minutes(6))]) == 1
    assert f"{out}: is there already; --overwrite replaces it" in capsys.readouterr().err
    assert out.read_bytes() == others
    cut = [*words, "--minutes", str(minutes(1)), "--learning-rate", "1", "--overwrite"]

    def full(source, target):
        target.write_bytes(source.read_bytes()[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", full)
        assert main(cut) == 1
    assert f"{out}: cannot be written (No space left" in capsys.readouterr().err
    assert out.read_bytes() == others
    assert {path.name for path in tmp_path.iterdir()} == {"base", out.name}
    assert main(cut) == 0
    assert RefinerModel.load(out).about["trained"][-1]["rate"] == 0.001


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder", "is no file's name"),
        ("base", "is no file's name"),
        ("letter.txt/base.st", "letter.txt is a file, and has to be a folder"),
        ("letter.st", "letter is a file, and has to be a folder"),
        ("letter.txt", "is there already; --overwrite replaces it"),
    ],
)
def test_an_out_that_cannot_be_written_is_refused_before_the_work(
    corpus, tmp_path, capsys, name, said
):
    (tmp_path / "folder").mkdir()
    # A letter to whom it would be lost.
    letter = tmp_path / ("letter" if name == "letter.st" else "letter.txt")
    letter.write_text("dear")
    facesets = tmp_path / "facesets"
    words = [
        "--facesets",
        str(facesets),
        "--out",
        str(tmp_path / name),
        "--minutes",
        str(minutes(3)),
    ]
    assert main(["base", str(corpus.folder), *words]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert letter.read_text() == "dear"
    assert not facesets.exists()


@pytest.fixture
def models(tmp_path):
    """Return two models of one width and another one of a greater one."""
    paths = [tmp_path / f"{name}.safetensors" for name in ("one", "other", "wide")]
    for seed, (path, width) in enumerate(zip(paths, (8, 8, 12), strict=True)):
        licence = "MIT" if path.stem == "other" else "Apache-2.0"
        about = {"licence": licence, "trained": [{"whom": [path.stem], "finished": True}]}
        RefinerModel(opinionated(width, seed), 64, about).save(path)
    return paths


def test_models_are_put_together_without_pairs_and_go_on_with_them(
    corpus, at_hand, models, tmp_path, capsys
):
    out = tmp_path / "base.safetensors"
    start = [word for path in models[:2] for word in ("--start", str(path))]
    assert main(["base", *start, "--out", str(out)]) == 0
    alone, both = [RefinerModel.load(path) for path in models[:2]], RefinerModel.load(out)
    shown = torch.rand(1, CHANNELS, 64, 64) * 0.1
    for turn, one in enumerate(alone):
        torch.testing.assert_close(both.network(shown, turn).residual, one.network(shown).residual)
    assert [run["whom"] for run in both.about["trained"]] == [["one"], ["other"]]
    assert both.about["together"] == [one.digest for one in alone]
    assert both.about["licence"] == "Apache-2.0; MIT"
    words = ["--facesets", str(corpus.facesets), "--out", str(out), "--overwrite", *start]
    words += ["--size", "32", "--batch", "2", "--minutes", str(minutes(3))]
    assert main(["train", "--base", *words, str(corpus.folder)]) == 0
    after = RefinerModel.load(out)
    assert len(after.network.members) == 2
    assert after.about["trained"][-1]["from"] == f"{alone[0].digest} {alone[1].digest}"


def test_models_that_cannot_be_put_together_are_refused(models, tmp_path, capsys):
    out = tmp_path / "base.safetensors"
    start = [word for path in models for word in ("--start", str(path))]
    assert main(["base", *start, "--out", str(out)]) == 1
    assert "these have [8, 8, 12]" in capsys.readouterr().err
    for few in ([], start[:2]):
        assert main(["base", *few, "--out", str(out)]) == 1
        assert "pairs: name folders of renders" in capsys.readouterr().err
    models[1].write_bytes(models[1].read_bytes()[:-10])
    assert main(["base", *start, "--out", str(out)]) == 1
    assert str(models[1]) in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_without_a_pair_is_refused(tmp_path):
    said = re.escape(f"{tmp_path}: no SHOT/A_on_B beside a SHOT/B")
    with pytest.raises(FaceError, match=said):
        Corpus(tmp_path, tmp_path).pairs  # noqa: B018


def test_a_corpus_that_is_not_there_is_named(tmp_path, capsys):
    folder = tmp_path / "corpus"
    words = ["--facesets", str(tmp_path / "facesets"), "--out", str(tmp_path / "base.safetensors")]
    assert main(["train", "--base", str(folder), *words]) == 1
    assert f"{folder}: there is no such folder" in capsys.readouterr().err


def test_a_folder_that_is_half_of_no_pair_is_told_and_skipped(corpus, folder, tmp_path):
    copy, notes = tmp_path / "corpus", []
    shutil.copytree(folder, copy, symlinks=True)
    (copy / "dialogue/a_on_b_on_c/beauty").mkdir(parents=True)
    (copy / "dialogue/notes_on_light.txt").touch()
    with progress.reporting(lambda said: notes.append(said.note)):
        found = Corpus(copy, tmp_path / "facesets").pairs
    assert [pair.name for pair in found] == [pair.name for pair in corpus.pairs]
    assert notes == [
        f"{copy}/dialogue/a_on_b_on_c: skipped; 'b_on_c' beside it and takes of 'a' and 'b_on_c' "
        "are needed"
    ]


def test_a_matte_that_is_not_there_is_named(corpus, folder, monkeypatch):
    read = exr.read_channels

    def without_face(path):
        planes, header = read(path)
        kept = {name: plane for name, plane in planes.items() if not name.startswith("face")}
        return kept or {"hair.V": np.zeros((4, 4), np.float32)}, header

    monkeypatch.setattr(exr, "read_channels", without_face)
    said = f"{folder}/dialogue/ben/mattes/mattes.1015.exr: the matte face is not there"
    with pytest.raises(BrokenFileError, match=re.escape(said)):
        list(corpus.examples(64, 0, MOST))


@pytest.mark.parametrize("missing", ["ben/mattes/mattes.1030", "ada_on_ben/beauty/beauty.1030"])
def test_a_file_that_a_pair_lacks_is_named_before_the_work(corpus, folder, tmp_path, missing):
    copy, out = tmp_path / "corpus", str(tmp_path / "base.safetensors")
    shutil.copytree(folder, copy, symlinks=True)
    (copy / f"dialogue/{missing}.exr").unlink()
    lacking = Corpus(copy, tmp_path / "facesets")
    said = re.escape(f"{copy}/dialogue/{missing}.exr: there is no such")
    with pytest.raises(BrokenFileError, match=said):
        lacking.count(MOST)
    assert main(["train", "--base", str(copy), "--facesets", str(lacking.facesets), "--out", out])
    assert not lacking.facesets.exists()
