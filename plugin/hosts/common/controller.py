"""What a press of a node's button sets in motion, the same in every host.

A press asks what the shot has, checks what is missing, renders the frames of the plate that have
changed, submits the command, follows its job and shows its frames. A host is a `NodeHost`: it reads
its knobs, renders its inputs and draws. Standard library only, Python 3.9.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from .declared import pressed
from .job_status import Status, outcome, progress
from .plate_frames import PlateFrames
from .requests import fix, folder, plate, requests
from .results import Frames, Pattern, numbers, ranges
from .shot_state import UNKNOWN, ShotState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...worker.client import Client, Job
    from .node_host import NodeHost
    from .requests import Request, Values

IDLE, ASKING, RENDERING, WORKING = "idle", "asking", "rendering", "working"


class NodeController:
    """One node at work: at most one press, one rendering and one job at a time.

    Used on the host's main thread alone; the worker's messages arrive in `Client.pump`. ``shot`` is
    the node's settings and what its shot has, as last looked at, ``frames`` the result's on disk.
    ``text`` is the last sentence for the artist, ``wrong`` why the last press came to nothing.
    """

    def __init__(self, client: Client, host: NodeHost, shot: ShotState = UNKNOWN) -> None:
        """Ask and read nothing yet; ``shot`` is what the host remembers of it."""
        self._client, self._host = client, host
        self._query: Job | None = None
        self._pressed: tuple[str, str] | None = None  # a button and its frames, not begun yet
        self._requests: list[Request] = []  # of the press, not submitted yet
        self._rendering: object | None = None
        self._shown: tuple[Pattern, Frames, dict[str, int]] | None = None
        self.job: Job | None = None
        self.shot, self.frames = shot, Frames()
        self.text = self.wrong = ""

    @property
    def state(self) -> str:
        """What goes on: `IDLE`, `ASKING`, `RENDERING` or `WORKING`."""
        if self.job and not self.job.ended:
            return WORKING
        if self._rendering:
            return RENDERING
        return ASKING if self._query else IDLE

    @property
    def status(self) -> Status:
        """What is to be drawn now."""
        preview, state = self.job.preview if self.job else "", self.state
        if state == WORKING and self.job:
            text = " ".join(filter(None, (self.text, progress(self.job))))
            return Status(True, self.job.fraction, text, preview)
        text = self.text or ("Asking the worker" if state == ASKING else "")
        return Status(state != IDLE, 0.0, text, preview)

    def refresh(self) -> None:
        """Ask what the shot has, and show what is there."""
        if self.state == IDLE:
            self.text = self.wrong = ""
        self._ask()

    def press(self, button: str, frames: str = "") -> None:
        """Begin what a button is for, on these frames or on those of the node.

        Raises RuntimeError when there is no such button.
        """
        wanted = pressed(button)
        if not wanted.command:
            self.stop()
        elif self._is_free(self.job):
            current = str(self._host.current_frame()) if wanted.frames == "frame" else ""
            self._pressed = button, frames or current
            self.text = self.wrong = ""
            self._ask()

    def copy_fixes(self, frames: str = "") -> None:
        """Render the artist's inputs that are connected to the shot's fixes; a job may run."""
        if self._is_free():
            self.text = self.wrong = ""
            self._attempt(lambda: self._copy_fixes(frames))

    def stop(self) -> None:
        """Stop everything that this node has begun."""
        if self._pressed or self._rendering:
            self.text = self.wrong = "Stopped."
        self._abandon()
        self._host.draw()

    def close(self) -> None:
        """Stop everything and hear nothing more: the node is gone."""
        self._abandon()
        self.job = None

    def finish(self, poll: Callable[[], object]) -> None:
        """Poll until nothing goes on any more; raises RuntimeError when the press went wrong."""
        while self.state != IDLE:
            poll()
            time.sleep(0.01)
        if self.wrong:
            raise RuntimeError(self.wrong)

    def show(self) -> None:
        """Show the frames of the result that are on disk, if these are others than before."""
        shot = self._look()
        try:
            self.frames = shot.frames()
            files = [shot.result.file(frame) for frame in self.frames.on_disk]
            dates = {file: Path(file).stat().st_mtime_ns for file in files}
            self._show(shot.result, dates)
        except (OSError, RuntimeError, ValueError) as error:
            self.text = f"the result cannot be shown: {_sentence(error)}"

    def _show(self, result: Pattern, dates: dict[str, int]) -> None:
        known = self._shown[2] if self._shown else {}
        replaced = any(known.get(file, date) != date for file, date in dates.items())
        if self._shown != (result, self.frames, dates):
            self._host.show(result, self.frames, replaced)
            self._shown = result, self.frames, dates

    def _is_free(self, job: Job | None = None) -> bool:
        """Return whether something new can begin beside ``job``; says so if not."""
        if not (self._pressed or self._rendering or (job and not job.ended)):
            return True
        self.wrong = "This node is at work: wait until it has ended, or press Stop."
        self._host.refuse(self.wrong)
        return False

    def _look(self) -> ShotState:
        """Read the settings; what is known of the shot holds as long as it is the same one."""
        values = self._host.values()
        same = folder(values) == folder(self.shot.values)
        self.shot = ShotState(values, self.shot.info if same else None)
        return self.shot

    def _ask(self) -> None:
        """Ask what the shot has; a press goes on with the answer."""
        values = self._look().values
        wanted = {name: values.get(name) or "" for name in ("shot", "likeness", "person")}
        self._query = None
        if folder(values):
            self._query = self._client.submit("shot info", wanted, self._hear_answer)
            self._host.draw()
        else:
            self._answered({})

    def _hear_answer(self, job: Job, _: str) -> None:
        if job is not self._query or not job.ended:
            return
        self._query = None
        if job.params["shot"] != self._look().values.get("shot"):
            self._ask()  # the node has been set to another shot meanwhile
            return
        no_shot = job.kind == "NoShotError"
        if job.state != "done" and not self.text:  # why a job failed counts more
            self.text, self.wrong = job.message, "" if no_shot else job.message
        self._answered(job.result if job.state == "done" else {} if no_shot else None)

    def _answered(self, info: dict[str, Any] | None) -> None:
        self.shot = ShotState(self.shot.values, info)
        self.show()
        if self._pressed:
            self._attempt(self._go_on)
        self._host.draw()

    def _go_on(self) -> None:
        """Go on with the press, now that the shot is known; raises an error of `NodeHost`."""
        shot = self.shot
        assert self._pressed
        (button, named), self._pressed = self._pressed, None
        wrong = self.text if shot.info is None else shot.missing(button)
        if wrong:
            raise RuntimeError(wrong)
        self.text = ""
        needs_plate = pressed(button).plate and shot.plate == plate(shot.values)
        typed = named or str(shot.values.get("frames") or "")
        frames = numbers(typed) or self._host.plate_frames() if needs_plate else []
        # The node's input may have become longer than the shot was.
        self._requests = requests(button, shot.values, named or ("" if typed else ranges(frames)))
        self._render_plate(shot.values, frames)

    def _render_plate(self, values: Values, frames: list[int]) -> None:
        """Render those frames of the plate that have changed, then submit."""
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
        """Let the host render; what it says after a Stop is not heard."""
        token = self._rendering = object()
        self.text = text

        def done(wrong: str) -> None:
            if self._rendering is token:
                self._rendering, self.text = None, ""
                self._attempt(then, wrong)

        self._host.render(inputs, frames, done)
        self._host.draw()

    def _submit(self) -> None:
        """Submit the next request of the press."""
        self.job = self._client.submit(*self._requests.pop(0), self._hear)
        self._host.draw()

    def _hear(self, job: Job, what: str) -> None:
        if job is not self.job:
            return
        if what == "frame":
            self.show()
        if job.state == "done" and self._requests:
            self._submit()
        elif job.ended:
            self._requests.clear()
            self.text = outcome(job)
            self.wrong = "" if job.state == "done" else self.text
            self._ask()
        self._host.draw()

    def _attempt(self, step: Callable[[], None], wrong: str = "") -> None:
        """Take a step, unless something is wrong; give up what was pressed when it is."""
        try:
            if wrong:
                raise RuntimeError(wrong)
            step()
        except (OSError, RuntimeError, ValueError) as error:
            self._drop()
            self.text = self.wrong = _sentence(error)
            self._host.draw()
            self._host.refuse(self.text)

    def _drop(self) -> None:
        """Forget what has not become a job yet."""
        if self._rendering:
            self._rendering = None
            self._host.stop_rendering()
        self._pressed = None

    def _abandon(self) -> None:
        """Forget what has not become a job yet, and cancel what has."""
        self._drop()
        self._requests.clear()
        self._query = None
        if self.job and not self.job.ended:
            self._client.cancel(self.job)


def _sentence(error: Exception) -> str:
    """Return what an error says, as one sentence that names the file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
