"""The host's client: starts the worker, sends it requests, watches it, and restarts it.

Standard library only, Python 3.9: hosts import this. Every wait has a limit, and a host's callbacks
are only called on the thread of `Client.pump`.
"""

from __future__ import annotations

import atexit
import itertools
import os
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Callable

from ..hosts.common.storage_paths import PathMap
from .connection import Connection, WorkerError
from .job import Job, reason
from .protocol import LONGEST, PROTOCOL, packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Client", "Job", "WorkerError"]

_HELLO = 0
_WEEK = 7 * 24 * 3600.0


Changed = Callable[[Job, str], None]
"""Called after a job changed, with what happened: started, progress, log, preview, frame, done,
failed or stopped."""


class Client:
    """A worker that is started when it is first needed, and again after it died.

    ``command`` is a line (``lifemask worker``, ``ssh gpu01 lifemask worker``) or its words;
    ``paths`` are pairs of folders, (here, there), where the worker mounts the storage elsewhere.
    Messages of the worker wait until the host calls `pump` on its own thread, from a timer. Or, if
    ``deliver`` is given, it is called with `pump` for every message, on a thread of the client:
    ``deliver=nuke.executeInMainThread``. ``logs`` is the folder for the worker's log, ``without``
    the environment variables that the host has set for itself.

    ``state`` is stopped, starting or ready; ``about`` has protocol and lifemask (its version) once
    it is ready, and the name of its device once everything is loaded.
    """

    def __init__(
        self,
        command: str | Sequence[str] = "lifemask worker",
        paths: Iterable[tuple[str, str]] = (),
        deliver: Callable[[Callable[[], Any]], Any] | None = None,
        logs: str = "",
        patience: float = 60.0,
        without: Iterable[str] = (),
    ) -> None:
        """Start nothing yet. ``patience`` is how many seconds a worker may take to say hello."""
        self.command, self._deliver, self._patience = command, deliver, patience
        self._paths, self._without = PathMap(paths), frozenset(without)
        folder = Path(logs) if logs else _log_folder()
        self._log = folder / f"worker-{os.getpid()}-{token_hex(4)}.log"
        self._lock = threading.RLock()
        self._ids = itertools.count(_HELLO + 1)
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._jobs: dict[int, tuple[Job, Changed]] = {}
        self._calls: dict[int, SimpleQueue[dict[str, Any]]] = {}
        self._waiting: list[bytes] = []
        self._connection: Connection | None = None
        self._timer: threading.Timer | None = None
        self._closing = self._kept = False
        self.state = "stopped"
        self.about: dict[str, Any] = {}

    def start(self) -> None:
        """Start the worker, unless it runs, ahead of the first request; does not wait.

        Raises WorkerError when there is no such command.
        """
        with self._lock:
            if self._connection is None:
                atexit.register(self.close)
                self._connection = Connection(
                    self.command, self._log, self._heard, self._lost, self._without
                )
                self.state, self.about = "starting", {}
                self._timer = threading.Timer(self._patience, self._impatient, [self._connection])
                self._timer.daemon = True
                self._timer.start()
                hello = {"protocol": PROTOCOL}
                self._connection.send(packed({"id": _HELLO, "method": "hello", "params": hello}))

    def call(
        self, method: str, params: Mapping[str, Any] | None = None, seconds: float = 10.0
    ) -> Any:  # noqa: ANN401
        """Return the answer to a query; raises WorkerError after so many seconds without one.

        For queries such as ``shot info``, which a worker answers at once, also while a job runs.
        """
        answer: SimpleQueue[dict[str, Any]] = SimpleQueue()
        with self._lock:
            self.start()
            number = next(self._ids)
            self._calls[number] = answer
            self._send(number, method, params or {})
        try:
            message = answer.get(timeout=seconds)
        except Empty:
            raise WorkerError(f"the worker did not answer {method} in {seconds:g} s") from None
        finally:
            with self._lock:
                self._calls.pop(number, None)
        if "error" in message:
            raise WorkerError(*reason(self._paths.here(message["error"])))
        return self._paths.here(message.get("result"))

    def submit(
        self, method: str, params: Mapping[str, Any], changed: Changed = lambda job, what: None
    ) -> Job:
        """Return a job that the worker will do after those before it; does not wait.

        ``changed`` is called from `pump`, also when the worker cannot be started or dies: then the
        job has failed and ``job.message`` is the sentence.
        """
        with self._lock:
            job = Job(next(self._ids), method, dict(params))
            self._jobs[job.id] = job, changed
            try:
                self.start()
                self._send(job.id, method, params)
            except WorkerError as error:
                self._tell(job.id, {"error": {"message": str(error)}})
        if job.id not in self._jobs:
            self._call_host()
        return job

    def cancel(self, job: Job) -> None:
        """Stop a job, a running one at its next step, a queued one at once; does not wait."""
        with self._lock:
            if self._connection and not job.ended:
                self._send(None, "cancel", {"job": job.id})

    def pump(self) -> int:
        """Deliver the waiting messages on the caller's thread; return their number."""
        count = 0
        while True:
            try:
                event = self._events.get_nowait()
            except Empty:
                return count
            event()
            count += 1

    def wait(self, job: Job, seconds: float) -> Job:
        """Return the job, ended, pumping meanwhile; for scripts and farms.

        Raises WorkerError after so many seconds.
        """
        end = time.monotonic() + seconds
        while not job.ended:
            if time.monotonic() > end:
                raise WorkerError(f"{job.method} did not end in {seconds:g} s")
            if not self.pump():
                time.sleep(0.01)
        return job

    def close(self, seconds: float = 3.0) -> None:
        """End the worker, which stops its job; return when the process has ended.

        It has so many seconds to end by itself. The client can be used again afterwards. Also
        called when the host's Python ends.
        """
        atexit.unregister(self.close)
        connection = self._connection
        if connection:
            self._closing = True
            connection.close(seconds)
            self._closing = False
        if not self._kept and self._log.exists():
            self._log.unlink()

    def _send(self, number: int | None, method: str, params: Mapping[str, Any]) -> None:
        request: dict[str, Any] = {"method": method, "params": self._paths.there(dict(params))}
        if number is not None:
            request["id"] = number
        try:
            line = packed(request)
        except (TypeError, ValueError) as error:
            raise WorkerError(f"{method}: JSON cannot hold what it is given ({error})") from error
        if len(line) > LONGEST:
            raise WorkerError(f"{method}: a request may have {LONGEST} bytes at most")
        if self.state == "ready" and self._connection:
            self._connection.send(line)
        else:
            self._waiting.append(line)

    def _heard(self, message: dict[str, Any]) -> None:
        """Handle a message, on the connection's thread."""
        with self._lock:
            number = message.get("id")
            if number == _HELLO and "method" not in message:
                self._greeted(message)
            elif number in self._calls:
                self._calls[number].put(message)
            elif number in self._jobs:
                self._tell(number, message)
            elif message.get("method") == "ready":
                self.about.update(message.get("params", {}))
            elif "method" in message:
                self._tell(message.get("params", {}).get("job"), message)
        self._call_host()

    def _greeted(self, message: dict[str, Any]) -> None:
        """Send the requests that waited for the worker's hello; end one of another protocol."""
        if self._timer:
            self._timer.cancel()
        about = message.get("result")
        if self._connection is None:
            return
        if not isinstance(about, dict) or about.get("protocol") != PROTOCOL:
            why = reason(message.get("error", {}))[0]
            self._connection.give_up(why or f"the worker does not speak protocol {PROTOCOL}")
            return
        self.about.update(about)
        self.state = "ready"
        for line in self._waiting:
            self._connection.send(line)
        self._waiting.clear()

    def _impatient(self, connection: Connection) -> None:
        connection.give_up(f"the worker did not say hello in {self._patience:g} s")

    def _lost(self, sentence: str) -> None:
        """Fail all open requests, on the connection's thread; the next one restarts the worker."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            self._connection = None
            self.state = "stopped"
            self._waiting.clear()
            if self._closing:
                sentence = "the worker was closed"
            elif self._calls or self._jobs:
                self._kept = True  # the sentence names the log
            for answer in self._calls.values():
                answer.put({"error": {"message": sentence}})
            for number in list(self._jobs):
                self._tell(number, {"error": {"message": sentence}})
        self._call_host()

    def _tell(self, number: Any, message: dict[str, Any]) -> None:  # noqa: ANN401
        """Queue a change of a job for `pump`."""
        if number not in self._jobs:
            return
        notification = self._paths.here(message)
        ends = "method" not in message
        job, changed = self._jobs.pop(number) if ends else self._jobs[number]
        self._events.put(
            lambda: changed(job, job.end(notification) if ends else job.note(notification))
        )

    def _call_host(self) -> None:
        if self._deliver and not self._events.empty():
            self._deliver(self.pump)


def _log_folder() -> Path:
    """The folder of the logs, after removing those older than a week."""
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_STATE_HOME")
    folder = (Path(home) if home else Path.home() / ".local/state") / "lifemask"
    for log in folder.glob("worker-*.log"):
        if log.stat().st_mtime < time.time() - _WEEK:
            log.unlink()
    return folder
