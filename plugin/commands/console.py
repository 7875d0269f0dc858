"""Run one command: show progress and the result, or one sentence when it is refused."""

import json
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from lifemask.nodes.command import Command
from lifemask.nodes.errors import LifemaskError, StoppedError, WriteError
from lifemask.nodes.progress import Progress, reporting
from lifemask.plugin.commands.remedies import with_remedy
from lifemask.plugin.commands.system_errors import sentence

if TYPE_CHECKING:
    from rich.progress import TaskID

DONE, REFUSED, STOPPED = 0, 1, 130
_LOOK_AGAIN = 0.02  # seconds until an interrupt is tried again that came during an import


class Voice(Protocol):
    """The output of a command, for a person or for a program."""

    def __enter__(self) -> "Voice": ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def progress(self, progress: Progress) -> None:
        """Show progress."""

    def result(self, result: Mapping[str, Any]) -> None:
        """Show the result."""


def execute(command: Command) -> int:
    """Run ``command`` and return the exit status: 0 done, 1 refused, 130 stopped by the user."""
    try:
        with interruptible(signal.SIGINT, signal.SIGTERM):
            voice: Voice = Lines() if command.json else Bars()
            with voice, reporting(voice.progress):
                result = command.run()
        voice.result(result)
    except NobodyListensError:
        return STOPPED  # quietly
    except StoppedError:
        return refuse(StoppedError(f"{command.name}: stopped by the user"), command.json)
    except LifemaskError as error:
        return refuse(error, command.json)
    except Exception as error:
        if (refusal := sentence(error, command.name)) is None:
            raise
        return refuse(refusal, command.json)
    return DONE


class NobodyListensError(StoppedError):
    """The reader of the standard output is gone."""


def refuse(error: LifemaskError, as_json: bool) -> int:
    """Print the reason as one sentence on standard error, and return the exit status."""
    text = with_remedy(str(error), error.remedy)
    if as_json:
        with suppress(NobodyListensError, WriteError):
            _line(event="error", kind=type(error).__name__, text=text)
    print(f"lifemask: {text}", file=sys.stderr)
    return STOPPED if isinstance(error, StoppedError) else REFUSED


def say(text: str = "", end: str = "\n") -> None:
    """Print ``text`` at once.

    Raises WriteError when it cannot be written, NobodyListensError when nobody reads it; after
    that nothing more is printed.
    """
    try:
        print(text, end=end, flush=True)
    except OSError as error:
        sys.stdout = None
        if isinstance(error, BrokenPipeError):
            raise NobodyListensError("nobody listens") from error
        raise WriteError(f"standard output: cannot be written ({error.strerror})") from error


@contextmanager
def interruptible(*signals: signal.Signals) -> Iterator[None]:
    """Turn ``signals``, such as Ctrl-C and a farm's SIGTERM, into StoppedError anywhere.

    During an import they wait: interrupted there, torch's C++ ends the process.
    """
    asked = 0

    def stop(number: int, at: FrameType | None) -> None:
        nonlocal asked
        asked = number
        if not _loading(at):
            raise KeyboardInterrupt
        signal.setitimer(signal.ITIMER_REAL, _LOOK_AGAIN)

    before = {number: signal.getsignal(number) for number in (*signals, signal.SIGALRM)}
    for number in signals:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, stop)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(asked))
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        # A library may turn an interrupt into some other error.
        if asked or isinstance(error, KeyboardInterrupt):
            raise StoppedError("stopped by the user") from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _loading(at: FrameType | None) -> bool:
    """Whether the frame ``at`` which a signal strikes is part of an import."""
    while at and not at.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
        at = at.f_back
    return at is not None


class Events:
    """Progress as events for a program, with the seconds that are left.

    ``word`` returns the parts of an event for a note and its remedy.
    """

    def __init__(self, word: Callable[[Progress], dict[str, Any]]) -> None:
        self._word = word
        self._started: dict[str, float] = {}

    def of(self, progress: Progress) -> dict[str, Any]:
        """Return an event: its name, and its fields about the task."""
        if progress.note:
            return {"event": "note", "task": progress.task, **self._word(progress)}
        if progress.preview:
            return {"event": "preview", "task": progress.task, "path": progress.preview}
        if progress.frame:
            return {"event": "frame", "frame": _number(progress.frame), "path": progress.frame}
        return {
            "event": "progress",
            "task": progress.task,
            "done": progress.done,
            "total": progress.total,
            "seconds_left": self._left(progress),
        }

    def _left(self, progress: Progress) -> float | None:
        if not progress.done:
            self._started[progress.task] = monotonic()
            return None
        spent = monotonic() - self._started.setdefault(progress.task, monotonic())
        return round(spent / progress.done * (progress.total - progress.done), 1)


def _number(file: Path) -> int:
    found = re.search(r"(-?\d+)\.[^.]+$", file.name)
    return int(found[1]) if found else 1


class Lines:
    """For a program: one JSON object a line on standard output."""

    def __init__(self) -> None:
        self._events = Events(lambda note: {"text": _worded(note)})

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        """Write a line for each finished step, with the seconds left if known."""
        _line(**self._events.of(progress))

    def result(self, result: Mapping[str, Any]) -> None:
        """Write the last line."""
        _line(event="result", **result)


class Bars:
    """For a person: bars with the time left on standard error, results on standard output."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        self._bar = Bar(*columns, console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *error: object) -> None:
        if self._tasks:
            self._bar.stop()

    def progress(self, progress: Progress) -> None:
        """Move the bar of the task; a task that starts again gets a new bar."""
        if progress.note:
            self._bar.console.print(f"{progress.task}: {_worded(progress)}", markup=False)
            return
        if progress.preview or progress.frame:
            return  # a terminal cannot show pictures
        self._bar.start()
        if progress.task not in self._tasks or not progress.done:
            self._tasks[progress.task] = self._bar.add_task(progress.task, total=progress.total)
        task = self._tasks[progress.task]
        self._bar.update(task, completed=progress.done, total=progress.total)

    def result(self, result: Mapping[str, Any]) -> None:
        """Print the result, one value a line."""
        for word, value in result.items():
            for item in value if isinstance(value, list) else [value]:
                say(str(item) if word == "text" else f"{word}: {item}")


def _worded(progress: Progress) -> str:
    return with_remedy(progress.note, progress.remedy)


def _line(**values: object) -> None:
    say(json.dumps(values, default=plain))


def plain(value: object) -> object:
    """Return a value of a result in a form that JSON can hold."""
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} is no result of a command")
