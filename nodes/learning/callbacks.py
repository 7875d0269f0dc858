"""What a training reports while it runs, and what it saves: time left, losses, checkpoints."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lifemask.nodes import progress
from lifemask.nodes.errors import StoppedError, WriteError
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.trainer import Trainer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch.utils.tensorboard import SummaryWriter

SAVE_INTERVAL = 30.0  # seconds

SECONDARY = (WriteError, StoppedError, RuntimeError, MemoryError)
"""Errors on the way out of a training that failed: the first error is the one to report."""


class Interval:
    """Whether so many ``seconds`` have passed since it was made or restarted."""

    def __init__(self, seconds: float) -> None:
        """Start now."""
        self.seconds, self._started = seconds, monotonic()

    def passed(self) -> bool:
        """Return whether they have."""
        return monotonic() - self._started > self.seconds

    def restart(self) -> None:
        """Count from now."""
        self._started = monotonic()


class TimeLeft:
    """Reports the seconds of training that are done and left.

    Of a resumed run only what is left counts, so that a host's estimate is right.
    """

    def __init__(self, trainer: Trainer[Any]) -> None:
        """Report on ``trainer``."""
        self._trainer, self._before = trainer, trainer.seconds
        self._total = max(1, round(trainer.config.minutes * 60 - trainer.seconds))

    def __enter__(self) -> Self:
        """Report the time left."""
        progress.reached("train", 0, self._total)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last report as it is."""

    def step(self, losses: Mapping[str, float]) -> None:
        """Report the time left; a listener may raise StoppedError."""
        done = max(1, int(self._trainer.seconds - self._before))
        progress.reached("train", min(done, self._total), self._total)


class LossLog:
    """Writes losses and previews for TensorBoard to the folder of a run."""

    def __init__(self, trainer: Trainer[Any], folder: RunFolder) -> None:
        """Log ``trainer``."""
        self._trainer, self._path = trainer, folder.log
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> Self:
        """Open the log."""
        from torch.utils.tensorboard import SummaryWriter

        with self._writing():
            # A killed run logged steps after its last checkpoint, which are run again.
            first = len(self._trainer.history) + 1
            self._writer = SummaryWriter(self._path, purge_step=first)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the log."""
        with self._writing():
            if self._writer:
                self._writer.close()

    def step(self, losses: Mapping[str, float]) -> None:
        """Log ``losses``."""
        with self._writing():
            if self._writer:
                for name, value in losses.items():
                    self._writer.add_scalar(f"loss/{name}", value, len(self._trainer.history))

    def image(self, name: str, picture: "NDArray[np.uint8]") -> None:
        """Log a ``picture`` (H, W, 3)."""
        with self._writing():
            if self._writer:
                step = len(self._trainer.history)
                self._writer.add_image(name, picture, step, dataformats="HWC")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Train on without the log when it cannot be written, and report that once."""
        try:
            yield
        except OSError as error:
            self._writer = None
            why = error.strerror or error
            progress.note("train", f"{self._path}: no more losses are written ({why})")


class Checkpoints:
    """Saves the state of a run and the model it has come to, now and then and at its end."""

    def __init__(
        self,
        trainer: Trainer[Any],
        folder: RunFolder,
        configuration: Mapping[str, Any],
        save_model: Callable[[Path], None],
    ) -> None:
        """Save ``trainer``, which was begun with ``configuration``, in ``folder``."""
        self._trainer, self._folder = trainer, folder
        self._configuration, self._save_model = dict(configuration), save_model
        self._interval = Interval(SAVE_INTERVAL)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Save what was learned, whatever ended the run.

        Not after it diverged: there the checkpoint before is the better one.
        """
        if error is None or isinstance(error, StoppedError | KeyboardInterrupt):
            self.save()
        elif self._trainer.history and not self._trainer.diverged:
            with suppress(*SECONDARY):
                self.save()

    def step(self, losses: Mapping[str, float]) -> None:
        """Save when the last checkpoint is old."""
        if self._interval.passed():
            self.save()
            self._interval.restart()

    def save(self) -> None:
        """Save a checkpoint, and the model."""
        checkpoint.save(self._folder.checkpoints, self._trainer.state(self._configuration))
        self._save_model(self._folder.model)
