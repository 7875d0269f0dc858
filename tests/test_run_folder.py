"""In the folder of a training one process is at work, and nothing that it learned is lost."""

import fcntl
import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch
from made_up_training import CONFIG, contents, history, minutes, model_of, refused, run_of, trained

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, KnobError, WriteError
from lifemask.nodes.learning.preview import Preview
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.train_refiner import train_refiner
from lifemask.nodes.learning.trainer import Trainer
from lifemask.nodes.refiner.model import RefinerModel

pytestmark = pytest.mark.usefixtures("clock")


def test_two_trainings_do_not_share_a_folder(quick, capsys):
    assert trained(quick) == 0
    shutil.rmtree(model_of(quick).parent / "log")
    folder = model_of(quick, 2).parent
    with RunFolder(folder).locked():
        before = contents(quick / "models")
        assert f"{folder}: another training is running" in refused(capsys, partial(trained, quick))
        assert contents(quick / "models") == before
    assert trained(quick) == 0


def test_a_folder_that_cannot_be_written_is_said_before_the_cycle_pairs(tmp_path):
    (tmp_path / "models").touch()
    with (
        pytest.raises(WriteError, match="models/refiner_v001: nothing can be written here"),
        RunFolder(tmp_path / "models/refiner_v001").locked(),
    ):
        raise AssertionError


def test_where_nothing_can_be_locked_that_is_told_and_the_training_goes_on(tmp_path, monkeypatch):
    def without_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    notes = []
    with (
        progress.reporting(lambda said: notes.append(said.note)),
        RunFolder(tmp_path / "models").locked(),
    ):
        notes.append("at work")
    assert notes == [
        f"{tmp_path / 'models'}: cannot be locked; start no other training here",
        "at work",
    ]


def test_a_model_without_its_checkpoints_is_not_begun_again_in_silence(examples, small, tmp_path):
    run_of(examples, small, tmp_path, 2)
    shutil.rmtree(tmp_path / "checkpoints")
    before = contents(tmp_path)
    with pytest.raises(BrokenFileError, match="are gone"):
        train_refiner(RefinerModel.load(small.path), examples, CONFIG, tmp_path)
    assert contents(tmp_path) == before
    assert len(run_of(examples, small, tmp_path, 1, restart=True)) == 1


def failing(monkeypatch, after, error):
    """Let a training fail when it took so many steps."""
    learn = Trainer._learn

    def learned(self, chosen):
        if len(self.history) == after:
            raise error
        return learn(self, chosen)

    monkeypatch.setattr(Trainer, "_learn", learned)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), OSError(28, "full"), KeyError("what"), SystemExit(1)]
)
def test_whatever_stops_a_training_what_it_learned_is_kept(
    examples, small, tmp_path, monkeypatch, error
):
    failing(monkeypatch, 3, error)
    with pytest.raises(type(error)):
        train_refiner(RefinerModel.load(small.path), examples, CONFIG, tmp_path)
    assert len(history(tmp_path)) == 3
    assert RefinerModel.load(tmp_path / "model.safetensors").about["trained"][0]["steps"] == 3


def test_what_is_nothing_finite_is_not_kept(examples, small, tmp_path, monkeypatch):
    learn = Trainer._learn

    def learned(self, chosen):
        if len(self.history) == 2:
            return {"loss": float("nan")}
        return learn(self, chosen)

    monkeypatch.setattr(Trainer, "_learn", learned)
    with pytest.raises(KnobError, match="learning_rate"):
        train_refiner(RefinerModel.load(small.path), examples, CONFIG, tmp_path)
    assert not (tmp_path / "checkpoints").exists()


def test_a_log_that_cannot_be_written_stops_nothing(examples, small, tmp_path):
    (tmp_path / "log").touch()
    notes = []
    with progress.reporting(lambda said: notes.append(said.note)):
        train_refiner(
            RefinerModel.load(small.path), examples, replace(CONFIG, minutes=minutes(2)), tmp_path
        )
    assert sum("log: no more losses are written" in note for note in notes) == 1
    assert len(history(tmp_path)) == 2


def test_the_last_preview_is_of_the_model_that_is_kept(examples, small, tmp_path, monkeypatch):
    shown, write = [], Preview.write

    def seen(self):
        shown.append(self._network().state_dict())
        write(self)

    monkeypatch.setattr(Preview, "write", seen)
    run_of(examples, small, tmp_path, 3)
    kept = RefinerModel.load(tmp_path / "model.safetensors").network.state_dict()
    assert all(torch.allclose(shown[-1][name], kept[name], atol=0.02) for name in kept)
