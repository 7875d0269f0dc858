"""Kills what saves checkpoints, again and again; run as a process of its own, which forks.

`training FOLDER KILLS` compares a short training with ones that are killed at random moments,
`refining FOLDER KILLS STEPS` does so with the refiner, on the model and the examples in the folder;
`saving FOLDER` kills one call of `save` at each of its dealings with the disk in turn.
Each prints what it saw as JSON.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # which an optimiser needs: once, and not in every process that is forked
import torch.utils.tensorboard  # the same
from made_up_training import CONFIG, clock, minutes

from lifemask.nodes.learning import callbacks, trainer
from lifemask.nodes.learning.checkpoint import State, load, randomness, restore, save
from lifemask.nodes.learning.data.examples import ExampleSet
from lifemask.nodes.learning.train_refiner import train_refiner
from lifemask.nodes.refiner.model import RefinerModel

STEPS = 40
TOUCHES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


class Training:
    """A tiny network that learns noise, with everything that a state has to hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        torch.manual_seed(1)
        self.random = np.random.default_rng(1)
        layers = (torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
        self.network = torch.nn.Sequential(*layers)
        self.average = torch.optim.swa_utils.AveragedModel(self.network)
        self.optimiser = torch.optim.AdamW(self.network.parameters())
        self.order, self.place, self.losses = self.random.permutation(12), 0, []
        state = load(folder)
        if state:
            self.take_up(state)

    def take_up(self, state: State) -> None:
        self.network.load_state_dict(state.weights)
        self.average.load_state_dict(state.average)
        self.optimiser.load_state_dict(state.optimiser)
        self.order, self.place = state.order
        self.losses = state.history
        restore(state.randomness, self.random)

    def run(self) -> None:
        while len(self.losses) < STEPS:
            self.step()
            save(self.folder, self.state())

    def step(self) -> None:
        if self.place == len(self.order):
            self.order, self.place = self.random.permutation(12), 0
        value = float(self.order[self.place])
        noise = torch.from_numpy(self.random.normal(value, 1, (3, 4)).astype(np.float32))
        loss = (self.network(noise + torch.randn(3, 4)) - value).square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.place += 1
        self.losses.append(loss.item())

    def state(self) -> State:
        return State(
            step=len(self.losses),
            configuration={"width": 8},
            weights=self.network.state_dict(),
            average=self.average.state_dict(),
            optimiser=self.optimiser.state_dict(),
            order=(self.order, self.place),
            randomness=randomness(self.random),
            history=self.losses,
        )


def small(step: int) -> State:
    """A state that is told from others by its step."""
    return State(step, {}, np.full(3, step), *[[step]] * 5)


def started(work, *given) -> int:
    """Fork a process that does ``work``; its exit status is 0 when that comes to its end."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work(*given)
        status = 0
    finally:
        os._exit(status)


def ended(child: int) -> int:
    """Its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def train(folder: Path) -> None:
    Training(folder).run()


def refine(steps: int, folder: Path) -> None:
    """Train the refiner for so many steps instead of minutes, with a checkpoint after each."""
    trainer.monotonic = clock()
    callbacks.SAVE_INTERVAL = 0.0
    start = RefinerModel.load(folder.parent / "model.safetensors")
    planes = torch.from_numpy(np.load(folder.parent / "examples.npy"))
    examples = ExampleSet(planes, torch.zeros(len(planes), dtype=torch.int64))
    train_refiner(start, examples, replace(CONFIG, minutes=minutes(steps)), folder)


def sets(folder: Path) -> set[Path]:
    return {*folder.glob("checkpoint_*"), *folder.glob("checkpoints/checkpoint_*")}


def outcome(folder: Path) -> list[object]:
    """The losses of a finished run, and its averaged weights."""
    state = load(sets(folder).pop().parent)
    return [state.history, [weight.tolist() for weight in state.average.values()]]


def training(train: Callable[[Path], None], folder: Path, kills: int) -> dict[str, object]:
    longest, statuses = -time.monotonic(), [ended(started(train, folder / "whole"))]
    longest += time.monotonic()
    ends = [outcome(folder / "whole")]
    moments = random.Random(kills)
    while statuses.count(-signal.SIGKILL) < kills or statuses[-1]:
        run = folder / f"{len(ends)}"
        begun, before = time.monotonic(), sets(run)
        child = started(train, run)
        if statuses.count(-signal.SIGKILL) < kills:
            while sets(run) == before and time.monotonic() < begun + longest:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, longest / 4))
            os.kill(child, signal.SIGKILL)
        statuses.append(ended(child))
        if statuses[-1] == 0:
            ends.append(outcome(run))
    return {"statuses": statuses, "ends": ends}


def die_at(count: int) -> None:
    """Kill this process at its next touch but ``count`` of the disk."""
    left = count

    def touched(event: str, _: object) -> None:
        nonlocal left
        if event in TOUCHES:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(touched)


def saving(folder: Path) -> dict[str, object]:
    steps, left = [], []

    def save_and_die() -> None:
        die_at(len(steps))
        save(folder, small(2))

    save(folder, small(0))
    status = -1
    while status:
        save(folder, small(1))
        status = ended(started(save_and_die))
        found = load(folder)
        steps.append(found and (found.step, found.weights.tolist(), found.history))
        save(folder, small(3))
        left.append(len(list(folder.iterdir())))
    return {"steps": steps, "left": left}


def refining(folder: Path, kills: int, steps: int) -> dict[str, object]:
    return training(partial(refine, steps), folder, kills)


WORK = {"training": partial(training, train), "refining": refining, "saving": saving}


def watched(*words: object) -> dict[str, object]:
    """What a process of this file saw."""
    command = [sys.executable, __file__, *map(str, words)]
    return json.loads(subprocess.check_output(command, env=os.environ | {"OMP_NUM_THREADS": "1"}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    kind, folder, *count = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    seen = WORK[kind](Path(folder), *map(int, count))
    sys.stdout.write(json.dumps(seen))
