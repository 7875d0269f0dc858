"""Progress of long work: reported by the nodes, shown by whoever started them.

A node wraps its loop in `each`; the command line, a host or a test listens with `reporting`.
A listener stops the work by raising `StoppedError`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lifemask.nodes.errors import Remedy

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` steps of ``task`` are finished.

    Or it carries one of these: ``note``, a line for the log, perhaps with a ``remedy``;
    ``preview``, a picture of the result so far; ``frame``, a finished file of the result.
    """

    task: str
    done: int = 0
    total: int = 0
    note: str = ""
    remedy: Remedy | None = None
    preview: Path | None = None
    frame: Path | None = None


Listener = Callable[[Progress], None]
_listener: ContextVar[Listener] = ContextVar("listener", default=lambda progress: None)


@contextmanager
def reporting(listener: Listener) -> Iterator[None]:
    """Send the progress of everything inside the ``with`` block to ``listener``."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def note(task: str, text: str, remedy: Remedy | None = None) -> None:
    """Send one line for the log; each front end adds the ``remedy`` in its own words."""
    _listener.get()(Progress(task, note=text, remedy=remedy))


def preview(task: str, picture: Path) -> None:
    """Send a picture of the result so far, in a format that browsers read."""
    _listener.get()(Progress(task, preview=picture))


def frames(written: Iterable[Path], task: str) -> Iterator[Path]:
    """Yield the files of a result, and report each one as finished."""
    report = _listener.get()
    for path in written:
        report(Progress(task, frame=path))
        yield path


def reached(task: str, done: int, total: int) -> None:
    """Report that ``done`` of ``total`` steps are finished, for work that loops over no items."""
    _listener.get()(Progress(task, done, total))


def each(items: Iterable[T], task: str, total: int) -> Iterator[T]:
    """Yield ``items``, and report each one as done after it."""
    report = _listener.get()
    report(Progress(task, 0, total))
    for done, item in enumerate(items, 1):
        yield item
        report(Progress(task, done, total))


def to_stderr(step: Progress) -> None:
    """Show a step, for a recipe that is run as a module and has no console of its own."""
    end = "\n" if step.done == step.total else ""
    sys.stderr.write(f"\r{step.task} {step.done}/{step.total}{end}")
