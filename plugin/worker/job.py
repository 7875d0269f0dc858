"""A job, as far as the worker told the host of it.

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
    """A request whose work takes a while, as far as it was told; changes in `Client.pump` alone.

    ``state`` is queued, running, done, failed or stopped. ``task``, ``done`` of ``total`` steps and
    ``seconds_left`` (None until known) are those of the task at hand; a job may have several, one
    after the other. ``message`` is the last line for the artist: of the log, or why it failed.
    ``preview`` is the newest picture of how far it is; ``frames`` are the files that are finished,
    by frame number. ``result`` is what the command made; ``kind`` names the error when it failed.
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
        """How much of the task at hand is done, 0..1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def note(self, message: dict[str, Any]) -> str:
        """Take a notification in, and return what happened: its method."""
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
        """Take the answer in, and return how the job ended: its state."""
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
