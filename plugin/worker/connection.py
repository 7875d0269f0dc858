"""One worker process on the host's side: its lines in and out, its log, its end.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from .protocol import lines, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

_HOSTS = {
    *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONNOUSERSITE"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"),
}
"""What a host sets for its own Python and libraries, and would break the worker's."""

_MOST_RUBBISH = 100
_TOLD = 5  # last lines of the log that an error quotes
_LATE = 2.0  # seconds that a process may live on after closing its output


class WorkerError(Exception):
    """The worker cannot be used, or refuses a request; the message is one sentence.

    ``kind`` is the name of Lifemask's error when a command refuses (ShotError, ReleaseError...).
    """

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class Connection:
    """A running worker. ``heard`` gets each message, ``lost`` the reason when it has ended.

    Both are called on a thread of the connection, ``lost`` exactly once and last.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        log: Path,
        heard: Callable[[dict[str, Any]], None],
        lost: Callable[[str], None],
        without: Collection[str] = (),
    ) -> None:
        """Start the process; raises WorkerError when there is no such command.

        It gets none of the environment variables in ``without``.
        """
        self._heard, self._lost = heard, lost
        self.log = log
        self._reason = ""
        self._rubbish = 0
        self._out: SimpleQueue[bytes | None] = SimpleQueue()
        self._process = _started(command, log, _HOSTS.union(without))
        self._threads = [
            threading.Thread(target=work, name="lifemask " + work.__name__, daemon=True)
            for work in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, line: bytes) -> None:
        """Send the line of a message; never waits."""
        self._out.put(line)

    def give_up(self, reason: str) -> None:
        """Kill the process for this reason, which ``lost`` gets."""
        self._reason = self._reason or reason
        self._signal("SIGKILL")

    def close(self, seconds: float) -> None:
        """Ask the process to end, and kill it after so many seconds; return when it has ended."""
        self._out.put(None)
        for name in ("SIGTERM", "SIGKILL"):
            if self._ended(seconds):
                break
            self._signal(name)
        self._ended(seconds)
        for thread in self._threads:
            thread.join(seconds)

    def _ended(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def _signal(self, name: str) -> None:
        """Send a signal to the process and its children, as a shell would."""
        with contextlib.suppress(OSError):
            if os.name == "nt":
                self._process.kill()
            else:
                os.killpg(self._process.pid, getattr(signal, name))

    def _write(self) -> None:
        """Write the sent lines, on a thread, because a full pipe blocks."""
        pipe = self._process.stdin
        assert pipe
        with contextlib.suppress(OSError):
            for line in iter(self._out.get, None):
                pipe.write(line)
                pipe.flush()
        with contextlib.suppress(OSError):
            pipe.close()

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe
        for line in lines(pipe):
            self._take(line)
        pipe.close()
        self._out.put(None)
        if not self._ended(_LATE):
            self.give_up("the worker closed its output and went on")
            self._ended(_LATE)
        self._lost(self._sentence())

    def _take(self, line: bytes | None) -> None:
        try:
            message = unpacked(line or b"")
        except ValueError:
            message = None
        if _is_message(message):
            self._heard(message)
        elif self._rubbish < _MOST_RUBBISH:
            self._rubbish += 1
            with self.log.open("ab") as log:
                log.write(b"not a message: " + (line or b"a huge line")[:1000].rstrip() + b"\n")
        else:
            self.give_up("what was started prints rubbish, not messages; is it `lifemask worker`?")

    def _sentence(self) -> str:
        status = self._process.returncode
        ended = f"signal {-status}" if status and status < 0 else f"status {status}"
        what = self._reason or f"the worker ended with {ended}"
        lines = last_lines(self.log)
        said = f"; it said last: {lines}" if lines else ""
        return f"{what}{said} (its log is {self.log})"


def _is_message(message: Any) -> bool:  # noqa: ANN401
    """Whether a line's content is a message of the protocol."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return False
    params, error = message.get("params", {}), message.get("error", {})
    tables = isinstance(params, dict) and isinstance(error, dict)
    numbers = (message.get("id"), params.get("job") if tables else None)
    return tables and all(isinstance(number, (int, type(None))) for number in numbers)


def _started(
    command: str | Sequence[str], log: Path, without: Collection[str]
) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if key not in without}
    try:
        words = _words(command)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            return subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=environment,
                start_new_session=os.name != "nt",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
    except (OSError, ValueError, IndexError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise WorkerError(
            f"{_line(command)}: the worker cannot be started with this command ({why}); "
            "set the command in Lifemask's settings"
        ) from error


def _words(command: str | Sequence[str]) -> str | list[str]:
    if isinstance(command, str):
        return command if os.name == "nt" else shlex.split(os.path.expandvars(command))
    return list(command)


def _line(command: str | Sequence[str]) -> str:
    return command if isinstance(command, str) else " ".join(command)


def last_lines(log: Path) -> str:
    """Return the last lines of a log as one line; empty when there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return " / ".join([line.strip() for line in text.splitlines() if line.strip()][-_TOLD:])
