"""The methods that a training benchmark compares: Lifemask, and a plain autoencoder."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.roles import FacesetRole
from lifemask.nodes.train import Train
from lifemask.nodes.types import Model
from lifemask.ocio.media.frame import LayeredFrame
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from lifemask.nodes.learning.trainer import Trainer
    from lifemask.plugin.benchmarks.autoencoder import Autoencoder


@dataclass(frozen=True)
class Scene:
    """The task: who goes on whom, in which frames, and with which knobs of training and swap."""

    plate: FrameSource
    role: FacesetRole
    train: Train
    swap: Swap


class Contender(Protocol):
    """A method that trains and swaps; only training time counts."""

    name: str

    @property
    def operations(self) -> int:
        """The floating-point operations of a step."""

    @property
    def spent(self) -> tuple[int, float]:
        """Steps and seconds of training so far."""

    @property
    def prepared(self) -> float:
        """Seconds spent on making examples, which are not in the training time."""

    def until(self, minutes: float) -> None:
        """Train on, up to so many minutes in all."""

    def frames(self) -> Iterator[LayeredFrame]:
        """Yield the swap by the model as trained so far."""


@dataclass
class Ours:
    """`Train` from the model that ships, in a ``folder``, and `Swap` with the result."""

    scene: Scene
    folder: Path
    name: str = "lifemask"
    model: Model = BASE
    spent: tuple[int, float] = (0, 0.0)
    prepared: float = 0.0

    def until(self, minutes: float) -> None:
        """Train, or go on from the checkpoint in the folder."""
        from lifemask.nodes.learning import checkpoint
        from lifemask.nodes.learning.run_folder import RunFolder

        if not minutes:
            return
        begun, before = monotonic(), self.spent[1]
        node = replace(self.scene.train, minutes=minutes)
        self.model = node([self.scene.role], BASE, self.folder)
        took = monotonic() - begun
        state = checkpoint.load(RunFolder(self.folder).checkpoints)
        if state is not None:
            self.spent = state.step, state.order["seconds"]
        self.prepared = self.prepared or took - (self.spent[1] - before)

    def frames(self) -> Iterator[LayeredFrame]:
        """Yield the swap."""
        return self.scene.swap(self.scene.plate, [self.scene.role.role], self.model)

    @cached_property
    def operations(self) -> int:
        """Those of the refiner, forward and backward."""
        from lifemask.nodes.refiner.model import RefinerModel
        from lifemask.plugin.benchmarks.flops import learning

        chosen = self.scene.train.chosen
        return learning(RefinerModel.load(BASE.path).network, chosen.batch, chosen.size)


@dataclass
class Plain:
    """An autoencoder of about so many ``wanted`` operations a step, on the same facesets."""

    scene: Scene
    wanted: int
    name: str = "autoencoder"
    prepared: float = field(init=False, default=0.0)

    @cached_property
    def width(self) -> int:
        """The channels of the autoencoder's largest layers."""
        from lifemask.plugin.benchmarks.autoencoder import as_costly_as

        chosen = self.scene.train.chosen
        return as_costly_as(self.wanted, chosen.size, chosen.batch)

    @property
    def operations(self) -> int:
        """Those of both performers, forward and backward."""
        from lifemask.plugin.benchmarks.autoencoder import cost

        chosen = self.scene.train.chosen
        return cost(self.width, chosen.size, chosen.batch)

    @cached_property
    def trainer(self) -> "Trainer[Autoencoder]":
        """The training run, with all pictures in memory."""
        from lifemask.plugin.benchmarks.autoencoder import (
            Autoencoder,
            autoencoder_trainer,
            pictures,
        )

        begun, train, role = monotonic(), self.scene.train, self.scene.role
        size, batch = train.chosen.size, train.chosen.batch
        likeness, double = (
            pictures(who, size, train.max_examples) for who in (role.likeness, role.double)
        )
        network = Autoencoder(size, self.width)
        trainer = autoencoder_trainer(network, (likeness, double), batch, train.seed)
        self.prepared = monotonic() - begun
        return trainer

    @property
    def spent(self) -> tuple[int, float]:
        """Steps and seconds so far."""
        return len(self.trainer.history), self.trainer.seconds

    def until(self, minutes: float) -> None:
        """Train on."""
        while self.trainer.seconds < minutes * 60:
            self.trainer.step()

    def frames(self) -> Iterator[LayeredFrame]:
        """Yield the swap."""
        from lifemask.plugin.benchmarks.autoencoder import Pasting

        scene, size = self.scene, self.scene.train.chosen.size
        role, network = scene.role.role, self.trainer.network
        return Pasting(scene.swap, scene.plate, role, network, size).frames()
