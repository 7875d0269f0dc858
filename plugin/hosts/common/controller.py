"""The state machine behind a node's buttons, the same in every host.

A press queries the shot, checks what is missing, renders the plate frames that have changed,
submits the command, follows its job and shows its frames. The host, a `NodeHost`, only reads its
knobs, renders its inputs and draws. Standard library only, Python 3.9.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable

from .declared import pressed
from .job_status import Status, outcome, progress
from .plate_frames import PlateFrames
from .requests import fix, folder, plate, requests
from .result_view import ResultView
from .results import numbers, ranges
from .shot_state import UNKNOWN, ShotState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...worker.client import Client, Job
    from .node_host import NodeHost
    from .requests import Request, Values
    from .results import Pattern

IDLE, ASKING, RENDERING, WORKING = "idle", "asking", "rendering", "working"


class NodeController:
    """Runs one node: at most one press, one rendering and one job at a time.

    Use it on the host's main thread only; worker messages arrive through `Client.pump`. ``shot`` is
    the node's settings and what its shot holds, as last read; ``result``, what is shown of it.
    ``text`` is the latest sentence for the artist; ``problem``, why the last press failed.
    """

    def __init__(self, client: Client, host: NodeHost, shot: ShotState = UNKNOWN) -> None:
        """Start idle; ``shot`` is the state that the host has saved, if any."""
        self._client, self._host = client, host
        self._query: Job | None = None
        self._pressed: tuple[str, str] | None = None  # button and frames, until they start
        self._requests: list[Request] = []  # still to be submitted
        self._rendering: object | None = None
        self.job: Job | None = None
        self.shot, self.result = shot, ResultView(host)
        self.text = self.problem = ""

    @property
    def state(self) -> str:
        """The current state: `IDLE`, `ASKING`, `RENDERING` or `WORKING`."""
        if self._running:
            return WORKING
        if self._rendering:
            return RENDERING
        return ASKING if self._query else IDLE

    @property
    def _running(self) -> Job | None:
        """The job that has not ended."""
        return self.job if self.job and not self.job.ended else None

    @property
    def status(self) -> Status:
        """What a host draws."""
        preview, running = self.job.preview if self.job else "", self._running
        if running:
            text = " ".join(filter(None, (self.text, progress(running))))
            return Status(True, running.fraction, text, preview)
        text = self.text or ("Asking the worker" if self.state == ASKING else "")
        return Status(self.state != IDLE, 0.0, text, preview)

    def refresh(self) -> None:
        """Query the shot again and show its result."""
        if self.state == IDLE:
            self.text = self.problem = ""
        self._query_shot()

    def press(self, button: str, frames: str = "") -> None:
        """Start a button's work on ``frames``, by default the node's own.

        Raises RuntimeError if there is no such button.
        """
        wanted = pressed(button)
        if not wanted.command:
            self.stop()
        elif self._is_free(beside=self._running):
            current = str(self._host.current_frame()) if wanted.frames == "frame" else ""
            self._pressed = button, frames or current
            self.text = self.problem = ""
            self._query_shot()

    def copy_fixes(self, frames: str = "") -> None:
        """Render the connected roto and paint inputs into the shot's fixes, even during a job."""
        if self._is_free():
            self.text = self.problem = ""
            self._attempt(lambda: self._copy_fixes(frames))

    def stop(self) -> None:
        """Stop everything that this node has started."""
        if self._pressed or self._rendering:
            self.text = self.problem = "Stopped."
        self._cancel()
        self._host.draw()

    def close(self) -> None:
        """Stop everything and ignore what still arrives: the node is gone."""
        self._cancel()
        self.job = None

    def finish(self, poll: Callable[[], object]) -> None:
        """Poll until the node is idle; raises RuntimeError with the `problem`, if any."""
        while self.state != IDLE:
            poll()
            time.sleep(0.01)
        if self.problem:
            raise RuntimeError(self.problem)

    def show(self) -> None:
        """Show the result frames on disk, if they have changed."""
        try:
            self.result.update(self._read_settings())
        except (OSError, RuntimeError, ValueError) as error:
            self.text = f"the result cannot be shown: {_sentence(error)}"

    def _is_free(self, beside: Job | None = None) -> bool:
        """Return whether new work can start now; tell the artist if not."""
        if not (self._pressed or self._rendering or beside):
            return True
        self.problem = "This node is busy: wait until it is done, or press Stop."
        self._host.refuse(self.problem)
        return False

    def _read_settings(self) -> ShotState:
        """Read the settings; forget what the shot holds if they name another shot."""
        values = self._host.values()
        same = folder(values) == folder(self.shot.values)
        self.shot = ShotState(values, self.shot.info if same else None)
        return self.shot

    def _query_shot(self) -> None:
        """Query the shot; a press continues with the answer."""
        values = self._read_settings().values
        wanted = {name: values.get(name) or "" for name in ("shot", "likeness", "person")}
        self._query = None
        if folder(values):
            self._query = self._client.submit("shot info", wanted, self._query_changed)
            self._host.draw()
        else:
            self._answered({})

    def _query_changed(self, job: Job, _: str) -> None:
        if job is not self._query or not job.ended:
            return
        self._query = None
        if job.params["shot"] != self._read_settings().values.get("shot"):
            self._query_shot()  # the node now names another shot
            return
        no_shot = job.kind == "NoShotError"
        if job.state != "done" and not self.text:  # why a job failed counts more
            self.text, self.problem = job.message, "" if no_shot else job.message
        self._answered(job.result if job.state == "done" else {} if no_shot else None)

    def _answered(self, info: dict[str, Any] | None) -> None:
        self.shot = ShotState(self.shot.values, info)
        self.show()
        if self._pressed:
            self._attempt(self._start)
        self._host.draw()

    def _start(self) -> None:
        """Start the press, now that the shot is known; raises the errors of `NodeHost`."""
        shot = self.shot
        assert self._pressed
        (button, named), self._pressed = self._pressed, None
        problem = self.text if shot.info is None else shot.missing(button)
        if problem:
            raise RuntimeError(problem)
        self.text = ""
        needs_plate = pressed(button).plate and shot.plate == plate(shot.values)
        typed = named or str(shot.values.get("frames") or "")
        frames = numbers(typed) or self._host.plate_frames() if needs_plate else []
        # The input may be longer now than when the shot was made.
        self._requests = requests(button, shot.values, named or ("" if typed else ranges(frames)))
        self._render_plate(shot.values, frames)

    def _render_plate(self, values: Values, frames: list[int]) -> None:
        """Render the plate frames that have changed, then submit."""
        files = plate(values)
        known = PlateFrames(files)
        fingerprints = self._host.fingerprints(frames) if frames else {}
        stale = known.stale(fingerprints)

        def rendered() -> None:
            known.rendered({frame: fingerprints[frame] for frame in stale})
            self._submit()

        if stale:
            self._render(f"Plate: rendering {ranges(stale)}", {"plate": files}, stale, rendered)
        else:
            self._submit()

    def _copy_fixes(self, frames: str) -> None:
        values = self._host.values()
        if not folder(values):
            raise ValueError("Fill in shot first.")
        names = self._host.fixes()
        those = numbers(frames) or [self._host.current_frame()]

        def copied() -> None:
            self.text = f"Copied to fixes/: {', '.join(names)}, frame {ranges(those)}."
            self._host.draw()

        files = {name: fix(values, name) for name in names}
        self._render(f"Fixes: rendering {ranges(those)}", files, those, copied)

    def _render(
        self,
        text: str,
        inputs: Mapping[str, Pattern],
        frames: list[int],
        then: Callable[[], None],
    ) -> None:
        """Let the host render; a rendering that ends after Stop is ignored."""
        token = self._rendering = object()
        self.text = text

        def done(problem: str) -> None:
            if self._rendering is token:
                self._rendering, self.text = None, ""
                self._attempt(then, problem)

        self._host.render(inputs, frames, done)
        self._host.draw()

    def _submit(self) -> None:
        """Submit the next request."""
        self.job = self._client.submit(*self._requests.pop(0), self._job_changed)
        self._host.draw()

    def _job_changed(self, job: Job, what: str) -> None:
        if job is not self.job:
            return
        if what == "frame":
            self.show()
        if job.state == "done" and self._requests:
            self._submit()
        elif job.ended:
            self._requests.clear()
            self.text = outcome(job)
            self.problem = "" if job.state == "done" else self.text
            self._query_shot()
        self._host.draw()

    def _attempt(self, step: Callable[[], None], problem: str = "") -> None:
        """Take a step, unless there is a problem already; drop the press if it fails."""
        try:
            if problem:
                raise RuntimeError(problem)
            step()
        except (OSError, RuntimeError, ValueError) as error:
            self._drop_press()
            self.text = self.problem = _sentence(error)
            self._host.draw()
            self._host.refuse(self.text)

    def _drop_press(self) -> None:
        """Drop the press and its rendering."""
        if self._rendering:
            self._rendering = None
            self._host.stop_rendering()
        self._pressed = None

    def _cancel(self) -> None:
        """Drop the press and cancel its job."""
        self._drop_press()
        self._requests.clear()
        self._query = None
        if self._running:
            self._client.cancel(self._running)


def _sentence(error: Exception) -> str:
    """Return an error's sentence, with the file it is about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
