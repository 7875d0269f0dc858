"""What Nuke and Blender share about one Lifemask node at work: what it asks, has and shows.

A host reads its knobs into a flat table of values, by the names of `declared.settings`, draws what
`Desk` says and renders its inputs to disk; nothing more. Standard library only, Python 3.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from .declared import buttons, commands, declaration, pressed
from .requests import folder, plate, requests, result
from .results import Frames, Pattern, Upstream, checked, is_absolute, numbers, pattern

if TYPE_CHECKING:
    from ...worker.client import Client, Job
    from .requests import Values


@dataclass(frozen=True)
class Status:
    """What is drawn of the work: ``fraction`` 0..1 of the task at hand, and a line of text."""

    running: bool
    fraction: float
    text: str
    preview: str


class Desk:
    """One node of a script, at work: what it has asked for, and what its shot has.

    ``values`` reads the host's knobs, by the names of `settings`. ``changed`` is called, from
    `Client.pump`, with what happened (a `Job`'s event, or ``info``) when there is something new to
    draw; after ``frame`` the newest of ``desk.job.frames`` can be shown.
    """

    def __init__(
        self, client: Client, values: Callable[[], Values], changed: Callable[[str], None]
    ) -> None:
        self._client, self._values, self._changed = client, values, changed
        self._jobs: list[Job] = []
        self._asked: Job | None = None
        self.job: Job | None = None
        self.info: dict[str, Any] | None = None
        self.text = ""

    def refresh(self) -> None:
        """Ask for what the shot has, in ``info``: {} without a shot, None until it is known."""
        self.text = ""
        self._ask()

    def _ask(self) -> None:
        values = self._values()
        if not folder(values):
            self.info = {}
            return
        wanted = {name: values.get(name) or "" for name in ("shot", "likeness", "person")}
        self._asked = self._client.submit("shot info", wanted, self._told)

    def _told(self, job: Job, what: str) -> None:
        if job is not self._asked or not job.ended:
            return
        if job.state == "done":
            self.info = job.result
        else:
            self.info = {} if job.kind == "NoShotError" else None
            self.text = self.text or job.message  # why a job failed counts more
        self._changed("info")

    def first(self, button: str) -> str:
        """Return what has to be done before this button, in words; empty when it can be pressed."""
        values, command = self._values(), pressed(button).command
        if not command:
            return ""
        about = commands()[command]
        for param in about["params"]:
            name = param["settings"][0] if param["settings"] else ""
            if name and param["required"] and not values.get(name):
                return f"Fill in {name} first."
        return self._before(command) or self._unfilled(command, values)

    def _before(self, command: str) -> str:
        """Name the first command that this one needs and that has not been run."""
        if self.info is None:
            return ""  # not known yet; the worker refuses what cannot be done
        first = next(iter(commands()))
        if not self.info and command != first:
            return f"Press {_label(first)} first: there is no shot in this folder."
        for need in commands():
            why = self.info.get("missing", {}).get(need, "")
            if why and need in _needs(command):
                return f"Press {_label(need)} first: {why}."
        return ""

    def _unfilled(self, command: str, values: Values) -> str:
        """Name what has to be filled in as long as the shot has nothing for the likeness."""
        about, likeness = commands()[command], values.get("likeness") or ""
        known = (self.info or {}).get("versions", {}).get(about["makes"], {})
        for press in about["button"]["presses"]:
            when = press["when"]
            if when and likeness and likeness not in known and not values.get(when):
                return f"Fill in {when} first: there is no {command} of {likeness} yet."
        return ""

    def press(self, button: str, frames: str = "") -> str:
        """Do what a button is for; return what has to be done first, empty when it has begun."""
        if button == "stop":
            self.stop()
            return ""
        first = self.first(button)
        if not first:
            for request in requests(button, self._values(), frames):
                self._jobs.append(self._client.submit(*request, self._heard))
            self.job = self.job if self.job and not self.job.ended else self._jobs[0]
        self.text = first
        self._changed("pressed")
        return first

    def stop(self) -> None:
        """Stop everything that this node has asked for."""
        for job in self._jobs:
            self._client.cancel(job)

    def _heard(self, job: Job, what: str) -> None:
        if job.ended:
            self._jobs = [other for other in self._jobs if other is not job]
            name = _named(job.method)
            self.text = job.message if job.state == "failed" else f"{name}: {job.state}."
            if not self._jobs:
                self._ask()
        self.job = next((other for other in self._jobs if other.state == "running"), job)
        self._changed(what)

    @property
    def status(self) -> Status:
        """What is to be drawn now."""
        job = self.job
        if not job or (job.ended and not self._jobs):
            return Status(False, 0.0, self.text, job.preview if job else "")
        return Status(True, job.fraction, _progress(job), job.preview)

    @property
    def next(self) -> str:
        """What comes next on this shot, in words; empty when a swap is there."""
        step = (self.info or {}).get("next", "")
        if self.info == {}:
            return f"Press {_label(next(iter(commands())))}."
        return f"Press {_label(step)}: {(self.info or {})['missing'][step]}." if step else ""

    def frames(self, text: str) -> Frames:
        """Return what is on disk of these frames, a range, of the result; raises ValueError."""
        return checked(self.result, self.plate, numbers(text), self.layer)

    @property
    def layer(self) -> str:
        """The layer of the plate that the shot names; empty when its name tells."""
        return str((self.info or {}).get("plate", {}).get("layer", ""))

    @property
    def plate(self) -> Pattern:
        """The plate that the shot names; until that is known, where a host renders its own to."""
        path = (self.info or {}).get("plate", {}).get("path", "")
        if not path:
            return plate(self._values())
        return pattern(path if is_absolute(path) else f"{folder(self._values())}/{path}")

    @property
    def result(self) -> Pattern:
        """Where the frames of the swap are, or will be."""
        return result(self._values(), (self.info or {}).get("name", ""))

    @property
    def upstream(self) -> Upstream:
        """Which frames of the plate have to be rendered again."""
        return Upstream(plate(self._values()))


def _needs(command: str) -> set[str]:
    """Everything that comes before a command, directly or not."""
    known = declaration().every_command
    own = set(known[command]["needs"])
    return own.union(*(_needs(need) for need in own))


def _label(command: str) -> str:
    return next((button.label for button in buttons() if button.command == command), command)


def _named(method: str) -> str:
    return str(commands()[method]["label"])


def _progress(job: Job) -> str:
    if job.state == "queued" or not job.total:
        return f"{_named(job.method)}: {'waiting' if job.state == 'queued' else 'starting'}"
    left = "" if job.seconds_left is None else f", {duration(job.seconds_left)} left"
    return f"{_named(job.method)}: {job.task} {job.done} of {job.total}{left}"


def duration(seconds: float) -> str:
    """Return a time as it is said.

    >>> duration(8), duration(95), duration(7300)
    ('8 s', '1 min 35 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
