"""A job, as the worker has reported it to the host.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..hosts.common.host_remedies import with_remedy
from .protocol import STOPPED as WAS_STOPPED

QUEUED, RUNNING, DONE, FAILED, STOPPED = "queued", "running", "done", "failed", "stopped"


@dataclass
class Job:
    """A long request and its reported progress, which only changes in `Client.pump`.

    ``state`` is queued, running, done, failed or stopped. ``task``, ``done`` of ``total`` steps and
    ``seconds_left`` (None until known) are those of the current task; a job may have several in
    turn. ``message`` is the last line for the artist: from the log, or the reason of a failure.
    ``preview`` is the newest picture of the result so far; ``frames`` are the finished files by
    frame number. ``result`` is the command's; ``kind`` names the error of a failed job.
    """

    id: int
    method: str
    params: dict[str, Any]
    state: str = QUEUED
    task: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    message: str = ""
    preview: str = ""
    frames: dict[int, str] = field(default_factory=dict)
    result: Any = None
    kind: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will change."""
        return self.state in (DONE, FAILED, STOPPED)

    @property
    def fraction(self) -> float:
        """The finished share of the current task, 0..1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def note(self, message: dict[str, Any]) -> str:
        """Apply a notification, and return its method."""
        params = dict(message.get("params", {}))
        what = str(message["method"])
        if what == "frame":
            self.frames[params["frame"]] = params["path"]
        elif what == "preview":
            self.preview = params["path"]
        elif what == "log":
            self.message = with_remedy(params["text"], params.get("remedy"))
        else:
            self.state = RUNNING
            for name in ("task", "done", "total", "seconds_left"):
                setattr(self, name, params.get(name, getattr(self, name)))
        return what

    def end(self, message: dict[str, Any]) -> str:
        """Apply the answer, and return the final state."""
        if "error" in message:
            self.message, self.kind = reason(message["error"])
            stopped = message["error"].get("code") == WAS_STOPPED
            self.state = STOPPED if stopped else FAILED
        else:
            self.state, self.result = DONE, message.get("result")
        return self.state


def reason(error: dict[str, Any]) -> tuple[str, str]:
    """Return the sentence of an error, with its remedy, and the name of its kind."""
    data = error.get("data")
    if not isinstance(data, dict):
        data = {}
    text = with_remedy(str(error.get("message", "")), data.get("remedy"))
    return text, str(data.get("kind", ""))
