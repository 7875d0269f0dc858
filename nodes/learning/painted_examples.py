"""Training on examples that are painted: each is drawn once, by another process."""

import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from lifemask.nodes.device import device
from lifemask.nodes.learning.callbacks import Checkpoints, LossLog, TimeLeft
from lifemask.nodes.learning.pytree import Tree
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.trainer import Task, Trainer, TrainingConfig, cosine
from lifemask.nodes.provenance import SHIPPED
from lifemask.ocio.system.atomic import replacing

_BATCH = 16
_PREFETCHED = 4 * _BATCH  # examples

E = TypeVar("E")
Network = TypeVar("Network", bound=torch.nn.Module)

Save = Callable[[Path, Any, Mapping[str, object]], None]
"""Writes a network and its header."""


class PaintedSet(Dataset[E]):
    """Any number of examples; one of the same index and seed is the same."""

    def __init__(self, paint: Callable[[np.random.Generator], E], seed: int) -> None:
        """Draw each by ``paint``."""
        self._paint, self._seed = paint, seed

    def __getitem__(self, index: int) -> E:
        """Paint an example."""
        return self._paint(np.random.default_rng([self._seed, index]))


class PaintedExamples(Generic[E]):
    """Examples in their order, each seen once: a part of a `trainer.Task`."""

    def __init__(self, examples: PaintedSet[E]) -> None:
        """Take ``examples``, which another process paints."""
        self._examples, self._drawn = examples, 0
        self._loading: Iterator[E] | None = None

    def draw(self, count: int, random: np.random.Generator) -> list[E]:
        """Return the next ``count`` examples."""
        if self._loading is None:
            self._loading = self._load()
        self._drawn += count
        return [next(self._loading) for _ in range(count)]

    def _load(self) -> Iterator[E]:
        indices = count(self._drawn)
        return iter(
            DataLoader(
                self._examples, None, sampler=indices, num_workers=1, prefetch_factor=_PREFETCHED
            )
        )

    def state(self) -> dict[str, Tree]:
        """Return how many were drawn."""
        return {"drawn": self._drawn}

    def resume(self, state: Mapping[str, Tree]) -> None:
        """Continue after as many as ``state`` has."""
        self._drawn, self._loading = state["drawn"], None


def painted_config(minutes: float, learning_rate: float, seed: int) -> TrainingConfig:
    """Return how to train: the rate rises to its peak, then falls to 0 along a cosine."""
    return TrainingConfig(
        minutes=minutes,
        batch=_BATCH,
        learning_rate=learning_rate,
        seed=seed,
        betas=(0.9, 0.999),
        weight_decay=1e-3,
        schedule=cosine,
    )


def train_painted(
    start: Network,
    task: Task,
    config: TrainingConfig,
    run: RunFolder,
    about: Mapping[str, Any],
    save: Save,
) -> Path:
    """Train ``start``, and return the file of what it became; ``about`` is for its header.

    The folder of the ``run`` keeps checkpoints and losses; a run that is there resumes.
    """
    network = start.to(device()).train()
    trainer = Trainer(network, deepcopy(network).eval(), task, config)
    configuration = {
        "batch": config.batch,
        "rate": config.learning_rate,
        "seed": config.seed,
        **about,
    }

    def save_model(path: Path) -> None:
        steps = about.get("steps", 0) + len(trainer.history)
        save(path, trainer.average, {**about, "steps": steps})

    with run.locked():
        state = run.resumable(configuration, restart=False)
        if state is not None:
            trainer.resume(state)
        checkpoints = Checkpoints(trainer, run, configuration, save_model)
        trainer.run([LossLog(trainer, run), checkpoints, TimeLeft(trainer)])
    return run.model


def common_arguments(folders: Mapping[str, str], out: str, minutes: float) -> ArgumentParser:
    """The parent of a parser that takes ``folders``, with their help, a file, and how to learn."""
    parser = ArgumentParser(add_help=False)
    for name, contents in folders.items():
        parser.add_argument(name, type=Path, metavar=name.upper(), help=contents)
    parser.add_argument("out", type=Path, metavar="OUT", help=f"The file, {out}.")
    parser.add_argument("--start", type=Path, metavar="FILE", help="A network to start from.")
    time = f"Time to train (default {minutes:g})."
    parser.add_argument("--minutes", type=float, default=minutes, help=time)
    peak = "Peak, in thousandths (default 3)."
    parser.add_argument("--learning-rate", type=float, default=3, help=peak)
    parser.add_argument("--seed", type=int, default=0, help="Draws the examples (default 0).")
    return parser


def run_of(given: Namespace) -> RunFolder:
    """The folder beside the file that is asked for; it is made when it is missing."""
    run = RunFolder(given.out.with_suffix(""))
    run.path.mkdir(parents=True, exist_ok=True)
    return run


def write_trained(
    given: Namespace,
    start: Network,
    steps: int,
    task: Task,
    made_of: Mapping[str, int],
    save: Save,
) -> None:
    """Train ``start``, which has learned for some ``steps``, as is asked, and write the file."""
    about = {
        **SHIPPED,
        **made_of,
        "from": sha256(given.start.read_bytes()).hexdigest() if given.start else "nothing",
        "steps": steps,
    }
    config = painted_config(given.minutes, given.learning_rate / 1000, given.seed)
    model = train_painted(start, task, config, run_of(given), about, save)
    with replacing(given.out) as temporary:
        shutil.copyfile(model, temporary)
