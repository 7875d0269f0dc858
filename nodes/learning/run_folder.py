"""The folder of a training: one process works in it, and what began there goes on."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, WriteError
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.checkpoint import State
from lifemask.nodes.train import MODEL

CHECKPOINTS = "checkpoints"
_LOCK = ".training"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let nobody else train in ``folder`` until the block is left or the process ends.

    Raises WriteError when somebody does already, or when nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("w")
    except OSError as error:
        raise WriteError(
            f"{folder}: nothing can be written here ({error.strerror or error})"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WriteError(
                f"{folder}: another training is at work here; wait for it, or train elsewhere"
            ) from error
        except OSError:
            progress.note("train", f"{folder}: cannot be locked; train nothing else here meanwhile")
        try:
            yield
        finally:
            _tidied(folder)


def _tidied(folder: Path) -> None:
    """Leave no folder of a training that never began."""
    # What went wrong in the block is what is told.
    with suppress(OSError):
        if [path.name for path in folder.iterdir()] == [_LOCK]:
            (folder / _LOCK).unlink()
            folder.rmdir()
            folder.parent.rmdir()


def begun(folder: Path, configuration: Mapping[str, Any], anew: bool) -> State | None:
    """The state of the training in ``folder`` that goes on, None where one begins or is ``anew``.

    Raises BrokenFileError when there is a model of which no checkpoint is left, and what
    `checkpoint.load` raises.
    """
    if anew:
        return None
    state = checkpoint.load(folder / CHECKPOINTS, configuration)
    if state is None and (folder / MODEL).exists():
        raise BrokenFileError(
            f"{folder / CHECKPOINTS}: the checkpoints of the model beside them are gone, without "
            f"which its training cannot go on; remove {folder} to train anew"
        )
    return state
