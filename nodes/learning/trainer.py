"""The training loop: the base and a shot learn by the same page."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from lifemask.nodes import progress
from lifemask.nodes.errors import KnobError, Remedy
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.amp import memory, mixed, without_memory
from lifemask.nodes.learning.augment.identity import recast
from lifemask.nodes.learning.augment.occlusions import obstructed, shadowed
from lifemask.nodes.learning.callbacks import Watch
from lifemask.nodes.learning.checkpoint import State
from lifemask.nodes.learning.data.examples import PLANES, Example, Examples, Kind, varied, windowed
from lifemask.nodes.learning.losses import losses, total
from lifemask.nodes.learning.run_folder import begun
from lifemask.nodes.refiner.crop import STEP
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.refiner.network import Refiner
from lifemask.nodes.train import MODEL
from lifemask.ocio.system.signals import deferred_signals

if TYPE_CHECKING:
    from lifemask.nodes.train import Train

_WARM_UP = 100  # steps
_AVERAGED = 0.998  # of the averaged weights stays in a step
_LONGEST = 1.0  # norm of the gradient
_DECAY = 0.02
_PATIENCE = 20  # batches in a row that teach nothing before the training is given up


@dataclass(frozen=True)
class Plan:
    """How to train: in windows of ``size`` pixels, ``batch`` a step, for so many ``minutes``.

    The examples are crops of ``crop`` pixels. ``rate`` is the highest step, ``seed`` draws the
    order; ``whom`` says what is learned from, at most so many ``faces`` of each, and a hash of
    their ``facesets`` that these are the same.
    """

    size: int
    crop: int
    batch: int
    minutes: float
    rate: float
    seed: int
    whom: list[str]
    faces: int = 0
    facesets: str = ""

    @classmethod
    def of(cls, node: "Train", whom: list[str], crop: int, facesets: str = "") -> "Plan":
        """What the knobs come to, for a training on crops of ``crop`` pixels of ``whom``.

        Raises KnobError for a size that the refiner cannot see.
        """
        chosen = node.chosen
        if chosen.size % STEP:
            raise KnobError(f"size: {chosen.size} is not a multiple of {STEP}")
        size, rate = min(chosen.size, crop), node.rate / 1000
        seen = whom, node.faces, facesets
        return cls(size, crop, chosen.batch, chosen.minutes, rate, node.seed, *seen)

    def configuration(self, start: RefinerModel) -> dict[str, Any]:
        """What a training of ``start`` keeps when it goes on; it may be given more time."""
        kept = {name: value for name, value in asdict(self).items() if name != "minutes"}
        return {**kept, "from": start.digest}

    def announce(self, start: RefinerModel, count: int) -> None:
        """Tell how much memory a training of ``start`` on ``count`` examples will take."""
        shape = count, PLANES, self.crop
        progress.note("train", memory(shape, start.network, self.batch, self.size))


def train(
    start: RefinerModel, examples: Examples, plan: Plan, folder: Path, anew: bool = False
) -> Path:
    """Train ``start`` on ``examples`` until it had its time, and return the file it became.

    ``folder`` keeps model, checkpoints, losses and a preview; a run that began there goes on,
    unless one is wanted ``anew``.
    """
    about = {**plan.configuration(start), "examples": len(examples)}
    run = Run(start.network, examples, plan)
    state = begun(folder, about, anew)
    if state is not None:
        progress.note("train", f"goes on in {folder} after {state.step} steps")
        run.resume(state)
    with Watch(run, start, folder, about) as watch:
        while not run.finished:
            with deferred_signals():
                watch.tell(run.step())
    return folder / MODEL


class Run:
    """One training run; its whole `state` can be kept, and `resume` goes on from there.

    Every number that decides what a step does is in the state, none comes from the clock: a run
    that was killed and resumed has the losses of one that was not.
    """

    def __init__(self, network: Refiner, examples: Examples, plan: Plan) -> None:
        """Begin with the weights of ``network``, which is left as it is."""
        torch.manual_seed(plan.seed)
        self.examples, self.plan, self.batch = examples, plan, plan.batch
        self.network, self.average = network.twin().train(), network.twin().eval()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), plan.rate, (0.9, 0.98), weight_decay=_DECAY, fused=True
        )
        self.random = np.random.default_rng(plan.seed)
        self.waiting: list[int] = []
        self.history: list[dict[str, float]] = []
        self.seconds, self.left_out, self.sound = 0.0, 0, True

    @property
    def finished(self) -> bool:
        """Whether it had its time."""
        return self.seconds >= self.plan.minutes * 60

    def step(self) -> dict[str, float]:
        """Learn from one batch and return its losses; halves the batch when memory runs out.

        A batch whose gradient is not finite is left out, which is told, and another one is drawn.
        Raises KnobError when none of many in a row is finite.
        """
        begun = monotonic()
        for _ in range(_PATIENCE):
            parts = self._learned(self._draw())
            if _finite(parts):
                break
            self.left_out += 1
            progress.note("train", f"a batch is not finite, left out ({self.left_out} so far)")
        else:
            self.sound = False
            raise KnobError(
                f"rate: after {len(self.history)} steps nothing that is learned is finite any more",
                Remedy("lower_learning_rate"),
            )
        self._average()
        self.history.append(parts)
        self.seconds += monotonic() - begun
        return parts

    def _learned(self, chosen: list[int]) -> dict[str, float]:
        """Learn from as many of those ``chosen`` as memory has room for."""
        while True:
            try:
                return self._learn(chosen)
            except (RuntimeError, MemoryError) as error:
                chosen = without_memory(error, chosen)
                self.batch = len(chosen)

    def _draw(self) -> list[int]:
        """Every example once, in a new order, before any comes again."""
        while len(self.waiting) < self.batch:
            self.waiting += self.random.permutation(len(self.examples)).tolist()
        chosen, self.waiting = self.waiting[: self.batch], self.waiting[self.batch :]
        return chosen

    def _learn(self, chosen: list[int]) -> dict[str, float]:
        example = windowed(_made_over(self.examples.batch(chosen)), self.plan.size)
        with mixed():
            # One member a step: what learns apart errs apart.
            answer = self.network(example.shown, turn=len(self.history))
        parts = losses(answer, example)
        loss = total(parts)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        length = nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST)
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate * min(1.0, (len(self.history) + 1) / _WARM_UP)
        told = {"loss": loss, **parts, "gradient": length}
        # One wait for the device, not one for each.
        numbers = dict(zip(told, torch.stack([*told.values()]).tolist(), strict=True))
        if _finite(numbers):
            self.optimiser.step()
        return numbers

    @torch.no_grad()
    def _average(self) -> None:
        """Follow the weights slowly, at first less so: what is saved and shown."""
        steps = len(self.history) + 1
        follow = 1 - min(_AVERAGED, steps / (steps + 9))
        slow, quick = (
            [weight.data for weight in net.parameters()] for net in (self.average, self.network)
        )
        torch._foreach_lerp_(slow, quick, follow)

    def state(self, configuration: dict[str, Any]) -> State:
        """All of it."""
        return State(
            step=len(self.history),
            configuration=configuration,
            weights=self.network.state_dict(),
            average=self.average.state_dict(),
            optimiser=self.optimiser.state_dict(),
            order={"waiting": self.waiting, "batch": self.batch, "seconds": self.seconds},
            randomness=checkpoint.randomness(self.random),
            history=self.history,
        )

    def resume(self, state: State) -> None:
        """Go on from ``state``."""
        self.network.load_state_dict(state.weights)
        self.average.load_state_dict(state.average)
        self.optimiser.load_state_dict(state.optimiser)
        self.waiting, self.batch = state.order["waiting"], state.order["batch"]
        self.seconds, self.history = state.order["seconds"], state.history
        checkpoint.restore(state.randomness, self.random)


def _made_over(example: Example) -> Example:
    """The same, varied; what was rendered is of other people, obstacles and shadows before them."""
    rendered = example.kind == Kind.RENDERED
    example = varied(example, bent=rendered)
    if not rendered.any():
        return example
    return example.but(rendered, obstructed(shadowed(recast(example.only(rendered)))))


def _finite(numbers: dict[str, float]) -> bool:
    return all(map(math.isfinite, numbers.values()))
