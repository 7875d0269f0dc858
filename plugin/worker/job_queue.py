"""Jobs of the worker: queued by one thread, done one after the other by the main thread."""

import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from lifemask.nodes.command import Command
from lifemask.nodes.errors import StoppedError
from lifemask.plugin.commands.console import interruptible

Id = str | int


@dataclass
class Job:
    """A command that was asked for by the request ``id``."""

    id: Id
    command: Command
    cancelled: bool = False


class JobQueue:
    """The queue. `running` is for the main thread, which alone can be interrupted anywhere."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[Job] = deque()
        self._current: Job | None = None
        self._closed = False

    def __contains__(self, number: object) -> bool:
        with self._changed:
            current = [self._current] if self._current else []
            return any(job.id == number for job in [*current, *self._queue])

    def put(self, job: Job) -> None:
        """Add a job to the queue."""
        with self._changed:
            self._queue.append(job)
            self._changed.notify()

    def cancel(self, number: Id) -> Job | None:
        """Interrupt the job if it runs, take it out if it is queued; return the one taken out."""
        with self._changed:
            if self._current and self._current.id == number:
                self._interrupt()
            dropped = next((job for job in self._queue if job.id == number), None)
            if dropped:
                self._queue.remove(dropped)
            return dropped

    def close(self) -> None:
        """Stop the running job, drop the others, and let `waiting` end."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._interrupt()
            self._changed.notify()

    def _interrupt(self) -> None:
        if self._current and not self._current.cancelled:
            self._current.cancelled = True
            with suppress(ProcessLookupError):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def waiting(self) -> Iterator[Job]:
        """Yield each job when it is its turn, until the queue is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                self._current = self._queue.popleft()
            yield self._current
            self._done()

    @contextmanager
    def running(self, job: Job) -> Iterator[None]:
        """Let the block be stopped: `cancel` makes it raise StoppedError, wherever it is."""
        with interruptible(signal.SIGINT):
            if job.cancelled:
                raise StoppedError("stopped before it began")
            try:
                yield
            finally:
                self._done()

    def _done(self) -> None:
        with self._changed:
            self._current = None
