"""Training of the refiner: from nothing to the base, and from the base to a shot."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.amp import mixed_training
from lifemask.nodes.learning.augment.identity import vary_identity
from lifemask.nodes.learning.augment.jitter import jittered, random_windows
from lifemask.nodes.learning.augment.occlusions import with_occluder, with_shadow
from lifemask.nodes.learning.callbacks import Checkpoints, LossLog, TimeLeft
from lifemask.nodes.learning.data.examples import (
    PLANES,
    Batch,
    ExampleSet,
    Kind,
    evenly_spaced,
)
from lifemask.nodes.learning.losses import losses, total
from lifemask.nodes.learning.preview import SHOWN, Preview
from lifemask.nodes.learning.pytree import Tree
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.trainer import Callback, Trainer, TrainingConfig
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.refiner.network import Refiner

_ACTIVATIONS = 12  # floats kept for the way back, for each number shown in a window; measured
_CROP_COPIES = 3  # of the crops that the windows are cut from
_STATE = 6  # floats a weight: itself, its average, its gradient, AdamW's two moments, the start


@dataclass(frozen=True, kw_only=True)
class RefinerConfig(TrainingConfig):
    """How a refiner is trained: in windows of ``size`` pixels a side, out of crops of ``crop``.

    It learns from up to ``max_examples`` of each faceset of the ``performers``; ``facesets`` is a
    hash of these.
    """

    size: int
    crop: int
    performers: list[str]
    max_examples: int = 0
    facesets: str = ""

    def configuration(self, start: RefinerModel) -> dict[str, Any]:
        """Return what must be the same for a training of ``start`` to resume.

        It may be given more time. The names are those of the checkpoints' and models' headers.
        """
        return {
            "size": self.size,
            "crop": self.crop,
            "batch": self.batch,
            "rate": self.learning_rate,
            "seed": self.seed,
            "whom": self.performers,
            "faces": self.max_examples,
            "facesets": self.facesets,
            "from": start.digest,
        }

    def report_memory(self, network: Refiner, count: int) -> None:
        """Report how much memory a training of ``network`` on ``count`` examples takes."""
        weights = sum(weight.numel() for weight in network.parameters())
        pixels = max(_ACTIVATIONS * self.size**2, _CROP_COPIES * self.crop**2)
        examples = _in_words(count * PLANES * self.crop**2 * 2)
        batch = _in_words(PLANES * pixels * self.batch * 4)
        state = _in_words(weights * _STATE * 4)
        progress.note(
            "train",
            f"memory: {examples} of examples, {state} for the network, {batch} a batch of "
            f"{self.batch}",
        )


def _in_words(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


class RefinerTask:
    """Every example once, in a new order, before any comes again."""

    def __init__(self, examples: ExampleSet, size: int) -> None:
        """Learn from windows of ``size`` pixels of the ``examples``."""
        self.examples, self.size = examples, size
        self.waiting: list[int] = []

    def draw(self, count: int, random: np.random.Generator) -> list[int]:
        """Return the indices of the next ``count`` examples."""
        while len(self.waiting) < count:
            self.waiting += random.permutation(len(self.examples)).tolist()
        drawn, self.waiting = self.waiting[:count], self.waiting[count:]
        return drawn

    def losses(self, network: Refiner, examples: list[int], step: int) -> dict[str, Tensor]:
        """Return the loss of the member whose turn it is, and its parts.

        One member learns in a step: networks that learn apart err apart.
        """
        batch = random_windows(augmented(self.examples.batch(examples)), self.size)
        with mixed_training():
            prediction = network(batch.shown, member=step)
        parts = losses(prediction, batch)
        return {"loss": total(parts), **parts}

    def state(self) -> dict[str, Tree]:
        """Return the indices that are still to come in this order."""
        return {"waiting": self.waiting}

    def resume(self, state: Mapping[str, Tree]) -> None:
        """Continue in the order of ``state``."""
        self.waiting = state["waiting"]


def augmented(batch: Batch) -> Batch:
    """Return ``batch`` jittered; rendered ones get other people, occluders and shadows, too."""
    rendered = batch.kind == Kind.RENDERED
    batch = jittered(batch, warped=rendered)
    if not rendered.any():
        return batch
    return batch.with_replaced(
        rendered, with_occluder(with_shadow(vary_identity(batch.select(rendered))))
    )


def train_refiner(
    start: RefinerModel,
    examples: ExampleSet,
    config: RefinerConfig,
    path: Path,
    restart: bool = False,
) -> Path:
    """Train ``start`` on ``examples`` for its time, and return the file of the model it became.

    The folder ``path`` keeps model, checkpoints, losses and a preview; a run that is there resumes,
    unless it is to ``restart``.
    """
    folder = RunFolder(path)
    configuration = {**config.configuration(start), "examples": len(examples)}
    trainer = refiner_trainer(start.network, examples, config)
    state = folder.resumable(configuration, restart)
    if state is not None:
        progress.note("train", f"resumes in {path} after {state.step} steps")
        trainer.resume(state)
    run = RefinerRun(trainer, start, config, configuration)
    trainer.run(run.callbacks(folder, examples))
    return folder.model


def refiner_trainer(
    network: Refiner, examples: ExampleSet, config: RefinerConfig
) -> Trainer[Refiner]:
    """Return a trainer of a copy of ``network``."""
    torch.manual_seed(config.seed)
    learning, average = network.copy_to_device().train(), network.copy_to_device().eval()
    return Trainer(learning, average, RefinerTask(examples, config.size), config)


@dataclass(frozen=True)
class RefinerRun:
    """A ``trainer`` of the model ``start``, and the ``configuration`` that its header keeps."""

    trainer: Trainer[Refiner]
    start: RefinerModel
    config: RefinerConfig
    configuration: Mapping[str, Any]

    def callbacks(self, folder: RunFolder, examples: ExampleSet) -> list[Callback]:
        """Return what reports and saves the run in ``folder``; on the way out the last is first."""
        shown = examples.batch(list(evenly_spaced(len(examples), SHOWN)))
        log = LossLog(self.trainer, folder)
        preview = Preview(shown, lambda: self.model().network, folder.preview, log)
        checkpoints = Checkpoints(
            self.trainer, folder, self.configuration, lambda path: self.model().save(path)
        )
        return [log, preview, checkpoints, TimeLeft(self.trainer)]

    def model(self) -> RefinerModel:
        """Return what the run has come to so far."""
        trainer, earlier = self.trainer, self.start.about.get("trained", [])
        spent = {"steps": len(trainer.history), "minutes": round(trainer.seconds / 60, 1)}
        this = {**self.configuration, **spent, "finished": trainer.finished}
        about = {**self.start.about, "trained": [*earlier, this]}
        # The mean of the weights before and after keeps the one and most of the other.
        network = self.start.network.averaged_with(trainer.average) if earlier else trainer.average
        return RefinerModel(network, max(self.start.size, self.config.crop), about)
