"""The training loop of every network: the base, a shot, the segmenter, the benchmark's baseline.

What is particular to a network is its `Task`: where its examples come from, and their losses.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.errors import KnobError, Remedy
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.checkpoint import State
from lifemask.nodes.learning.pytree import Tree
from lifemask.nodes.memory import is_full
from lifemask.ocio.system.signals import deferred_signals

_PATIENCE = 20  # batches in a row that are not finite before a training gives up
_WARM_UP_STEPS = 100
_WARM_UP_TIME = 0.02  # share of the training
_EMA_RAMP = 9  # steps: the average follows faster at first

Network = TypeVar("Network", bound=nn.Module)

Schedule = Callable[[int, float], float]
"""Share of the peak learning rate, after so many steps and after a share of the training's time."""


def constant(step: int, elapsed: float) -> float:
    """Stay at the peak."""
    return 1.0


def warm_up(step: int, elapsed: float) -> float:
    """Rise to the peak over the first steps, then stay."""
    return min(1.0, (step + 1) / _WARM_UP_STEPS)


def cosine(step: int, elapsed: float) -> float:
    """Rise to the peak over the first of the time, then fall to 0 along a cosine."""
    return min(elapsed / _WARM_UP_TIME, 0.5 + 0.5 * math.cos(math.pi * elapsed))


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to train: AdamW on ``batch`` examples a step until the steps took so many ``minutes``.

    ``learning_rate`` is the peak of the ``schedule``; ``ema_decay`` is the share of the averaged
    weights that stays in each step.
    """

    minutes: float
    batch: int
    learning_rate: float
    seed: int
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.02
    max_gradient_norm: float = 1.0
    ema_decay: float = 0.998
    schedule: Schedule = warm_up


class Task(Protocol):
    """What is particular to a network: its examples, and their losses."""

    def draw(self, count: int, random: np.random.Generator) -> list[Any]:
        """Return the next ``count`` examples, or what stands for them."""

    def losses(self, network: Any, examples: list[Any], step: int) -> dict[str, Tensor]:  # noqa: ANN401
        """Return ``loss``, which is minimised, first, and then the parts of it to be logged."""

    def state(self) -> dict[str, Tree]:
        """Return the position in the order of the examples."""

    def resume(self, state: Mapping[str, Tree]) -> None:
        """Continue from a `state`."""


class Callback(AbstractContextManager[Any], Protocol):
    """Is entered before the first step of a training, and left after its last one."""

    def step(self, losses: Mapping[str, float]) -> None:
        """Take note of the losses of one more step."""


class Trainer(Generic[Network]):
    """A run of a `Task`. Its whole `state` can be saved, and `resume` continues from there.

    With a schedule by steps no number that decides on a step comes from the clock: a run that was
    killed and resumed has the losses of one that was not.
    """

    def __init__(
        self, network: Network, average: Network, task: Task, config: TrainingConfig
    ) -> None:
        """Train ``network`` in place, and let ``average``, a copy of it, follow its weights."""
        self.network, self.average, self.task, self.config = network, average, task, config
        self.optimiser = torch.optim.AdamW(
            network.parameters(),
            config.learning_rate,
            config.betas,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.random = np.random.default_rng(config.seed)
        self.batch = config.batch
        self.history: list[dict[str, float]] = []
        self.seconds, self.skipped, self.diverged = 0.0, 0, False

    @property
    def finished(self) -> bool:
        """Whether the steps took the time that they were given."""
        return self.seconds >= self.config.minutes * 60

    def run(self, callbacks: Iterable[Callback]) -> None:
        """Train until it is `finished`."""
        with ExitStack() as stack:
            entered = [stack.enter_context(callback) for callback in callbacks]
            while not self.finished:
                with deferred_signals():
                    losses = self.step()
                    for callback in entered:
                        callback.step(losses)

    def step(self) -> dict[str, float]:
        """Learn from one batch and return its losses; halves the batch when memory runs out.

        A batch whose losses or gradient are not finite is skipped. Raises KnobError when many in
        a row are.
        """
        started = monotonic()
        for _ in range(_PATIENCE):
            losses = self._learn_halving(self.task.draw(self.batch, self.random))
            if _finite(losses):
                break
            self.skipped += 1
            progress.note("train", f"skipped a batch that is not finite ({self.skipped} so far)")
        else:
            self.diverged = True
            raise KnobError(
                f"learning_rate: after {len(self.history)} steps no batch is finite any more",
                Remedy("lower_learning_rate"),
            )
        self._update_average()
        self.history.append(losses)
        self.seconds += monotonic() - started
        return losses

    def _learn_halving(self, examples: list[Any]) -> dict[str, float]:
        """Learn from as many of the ``examples`` as fit in memory."""
        while True:
            try:
                return self._learn(examples)
            except (RuntimeError, MemoryError) as error:
                examples = halved(error, examples)
                self.batch = len(examples)

    def _learn(self, examples: list[Any]) -> dict[str, float]:
        step = len(self.history)
        losses = self.task.losses(self.network, examples, step)
        self.optimiser.zero_grad(set_to_none=True)
        losses["loss"].backward()
        parameters = self.network.parameters()
        losses["gradient"] = nn.utils.clip_grad_norm_(parameters, self.config.max_gradient_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * self.config.schedule(step, self._elapsed())
        # One wait for the device, not one for each.
        numbers = dict(zip(losses, torch.stack([*losses.values()]).tolist(), strict=True))
        if _finite(numbers):
            self.optimiser.step()
        return numbers

    def _elapsed(self) -> float:
        """Share of the training's time, 0..1."""
        return self.seconds / (self.config.minutes * 60) if self.config.minutes else 0.0

    @torch.no_grad()
    def _update_average(self) -> None:
        """Exponential moving average of the weights, which is what is saved and shown."""
        steps = len(self.history) + 1
        share = 1 - min(self.config.ema_decay, steps / (steps + _EMA_RAMP))
        average, current = (
            [weight.data for weight in net.parameters()] for net in (self.average, self.network)
        )
        torch._foreach_lerp_(average, current, share)

    def state(self, configuration: Mapping[str, Any]) -> State:
        """Return all that a checkpoint keeps; ``configuration`` is what the run was begun with."""
        order = {**self.task.state(), "batch": self.batch, "seconds": self.seconds}
        return State(
            step=len(self.history),
            configuration=configuration,
            weights=self.network.state_dict(),
            average=self.average.state_dict(),
            optimiser=self.optimiser.state_dict(),
            order=order,
            randomness=checkpoint.randomness(self.random),
            history=self.history,
        )

    def resume(self, state: State) -> None:
        """Continue from ``state``."""
        self.network.load_state_dict(state.weights)
        self.average.load_state_dict(state.average)
        self.optimiser.load_state_dict(state.optimiser)
        self.task.resume(state.order)
        self.batch, self.seconds = state.order["batch"], state.order["seconds"]
        self.history = state.history
        checkpoint.restore(state.randomness, self.random)


def halved(error: RuntimeError | MemoryError, examples: list[Any]) -> list[Any]:
    """Return the first half of a batch that did not fit in memory.

    Raises ``error`` when it is another one, KnobError when the batch is of one example already.
    """
    if not is_full(error):
        raise error
    if len(examples) == 1:
        raise KnobError(
            "size: there is not enough memory for one example", Remedy("smaller_windows")
        ) from error
    if device().type == "cuda":
        torch.cuda.empty_cache()
    progress.note("train", f"memory is full: batches of {len(examples) // 2} from now on")
    return examples[: len(examples) // 2]


def _finite(numbers: Mapping[str, float]) -> bool:
    return all(map(math.isfinite, numbers.values()))
