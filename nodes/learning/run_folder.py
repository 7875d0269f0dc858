"""The folder of a training run: one process works in it, and a run that was stopped resumes."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, WriteError
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.checkpoint import State
from lifemask.nodes.refiner.versions import MODEL, PREVIEW

_LOCK = ".training"


@dataclass(frozen=True)
class RunFolder:
    """The files of a run below its ``path``."""

    path: Path

    @property
    def model(self) -> Path:
        """What the run has come to so far."""
        return self.path / MODEL

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoint sets."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """The folder of its TensorBoard log."""
        return self.path / "log"

    @property
    def preview(self) -> Path:
        """Its contact sheet."""
        return self.path / PREVIEW

    @contextmanager
    def locked(self) -> Iterator["RunFolder"]:
        """Return this, and keep other processes from training here inside the block.

        Raises WriteError when one is at it already, or when nothing can be written here.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / _LOCK).open("w")
        except OSError as error:
            raise WriteError(
                f"{self.path}: nothing can be written here ({error.strerror or error})"
            ) from error
        with file:
            self._lock(file.fileno())
            try:
                yield self
            finally:
                self._remove_empty()

    def _lock(self, file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WriteError(
                f"{self.path}: another training is running here; wait for it, or train elsewhere"
            ) from error
        except OSError:
            progress.note("train", f"{self.path}: cannot be locked; start no other training here")

    def _remove_empty(self) -> None:
        """Remove the folder of a run that never began."""
        # An error in the block is the one to report.
        with suppress(OSError):
            if [path.name for path in self.path.iterdir()] == [_LOCK]:
                (self.path / _LOCK).unlink()
                self.path.rmdir()
                self.path.parent.rmdir()

    def resumable(self, configuration: Mapping[str, Any], restart: bool) -> State | None:
        """Return the state of the run that resumes; None where one begins or is to ``restart``.

        Raises BrokenFileError when there is a model whose checkpoints are gone, and what
        `checkpoint.load` raises.
        """
        if restart:
            return None
        state = checkpoint.load(self.checkpoints, configuration)
        if state is None and self.model.exists():
            raise BrokenFileError(
                f"{self.checkpoints}: the checkpoints of the model beside them are gone, without "
                f"which its training cannot resume; remove {self.path} to start over"
            )
        return state
