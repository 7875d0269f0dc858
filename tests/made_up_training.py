"""Trainings that begin at once and are over soon, and what is asked of what they leave."""

from dataclasses import replace
from itertools import count

import pytest

from lifemask.nodes import progress
from lifemask.nodes.errors import StoppedError
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.painted_examples import painted_config, train_painted
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.train_refiner import RefinerConfig, train_refiner
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.plugin.commands.cli import main

CONFIG = RefinerConfig(
    size=32,
    crop=32,
    batch=4,
    minutes=60,
    learning_rate=1e-3,
    seed=1,
    performers=["ada", "double"],
)
QUICK = ["--likeness", "ada", "--size", "32", "--batch", "2", "--minutes"]


def clock():
    """A clock by which each look at it is a second after the one before, and so takes a step."""
    looks = count()
    return lambda: float(next(looks))


def minutes(steps):
    """What a training is given, which takes so many steps by that clock."""
    return (steps - 0.5) / 60


def trained(shot, *words, steps=3):
    return main(["train", str(shot), *QUICK, str(minutes(steps)), *words])


def model_of(shot, version=1):
    return shot / f"models/refiner_v{version:03d}/model.safetensors"


def history(folder):
    return checkpoint.load(folder / "checkpoints").history


def steps(count, told=None):
    """A listener that keeps what is told, and stops a training after so many steps."""
    told = [] if told is None else told

    def listen(said):
        told.append(said)
        if sum(one.task == "train" and one.done > 0 for one in told) == count:
            raise StoppedError("enough")

    return progress.reporting(listen)


def run_of(examples, small, folder, count, restart=False):
    """The losses of a training that is stopped when it took ``count`` steps more."""
    with pytest.raises(StoppedError), steps(count):
        train_refiner(RefinerModel.load(small.path), examples, CONFIG, folder, restart)
    return history(folder)


def painted_losses(task, network, save, folder, batch, lasts, count, begun):
    """The losses of a training on painted examples that is stopped after ``count`` steps more.

    It would take ``lasts`` steps; its network has learned for ``begun``.
    """
    config = replace(painted_config(minutes(lasts + 1), 6e-3, 0), batch=batch)
    with pytest.raises(StoppedError), steps(count):
        train_painted(network, task, config, RunFolder(folder), {"steps": begun}, save)
    return [one["loss"] for one in history(folder)]


def contents(folder):
    """Every file with its bytes: nothing is lost where they are the same before and after."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(capsys, work):
    """The one sentence with which ``work`` is refused."""
    capsys.readouterr()
    assert work() == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1, said
    return said[0]
