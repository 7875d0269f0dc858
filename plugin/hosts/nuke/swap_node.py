"""One Lifemask node at work: a press, the plate on its way to disk, the job, its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import nuke

from ..common.controller import Desk
from ..common.declared import pressed
from ..common.requests import FIXES, fix, plate
from ..common.results import numbers, ranges
from . import fingerprint, input_render, knobs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...worker.client import Client
    from ..common.results import Pattern


class SwapNode:
    """What the buttons of one node do; ``drawn`` is called when there is something new to see."""

    def __init__(self, node: nuke.Node, client: Client, drawn: Callable[[], None]) -> None:
        self.node, self._drawn = node, drawn
        self.desk = Desk(client, lambda: knobs.values(node), self._changed)
        self._pressed = self._said = self._result = self.wrong = ""
        self._writing: object | None = None
        self._task: Any = None
        self._read: tuple[str, tuple[int, ...]] = ("", ())

    @property
    def busy(self) -> bool:
        """Whether something that was asked for has not ended."""
        return bool(self._pressed or self._writing or self.desk.status.running)

    def refresh(self) -> None:
        """Ask what the shot has, to show it."""
        if knobs.values(self.node)["shot"]:
            self.desk.refresh()
        self._draw()

    def press(self, button: str) -> None:
        """Do what a button is for; ``wrong`` is why it was refused or has failed."""
        self.wrong = ""
        if button == "stop":
            self._pressed = self._said = ""
            self._writing = None
            self.desk.press(button)
        elif self._pressed or self._writing:
            self._refuse("The plate is on its way to disk: wait until that has ended.")
        else:
            self._pressed, self._said = button, ""
            self._ask()

    def _ask(self) -> None:
        """Have the desk know the shot as it is now; what was pressed goes on when it does."""
        shot = knobs.values(self.node)["shot"]
        self.desk.refresh()
        if not shot:
            self._go_on()

    def _changed(self, what: str) -> None:
        """Hear from the desk, on the main thread."""
        if what == "info" and self._pressed:
            self._go_on()
        if what == "failed":
            self.wrong = self.desk.text
        if what in ("frame", "done", "info"):
            self._show()
            self._result = self._state()
        self._progress()
        self._draw()

    def _go_on(self) -> None:
        """Do what was pressed, now that the shot is known."""
        button, self._pressed = self._pressed, ""
        if self.desk.info is None:
            return self._refuse(self.desk.text)
        first = self.desk.first(button)
        if first:
            return self._refuse(first)
        try:
            self._with_plate(button)
        except (ValueError, OSError, RuntimeError) as error:
            self._refuse(str(error))
        return None

    def _with_plate(self, button: str) -> None:
        """Render what has changed of the plate, then send what was pressed."""
        wanted = pressed(button)
        frames = str(nuke.frame()) if wanted.frames == "frame" else ""

        def send(wrong: str) -> None:
            said = wrong or self.desk.press(button, frames)
            if said:
                self._refuse(said)

        if not wanted.plate or self.desk.plate != plate(knobs.values(self.node)):
            send("")  # the shot may name a plate that is not this graph's
        else:
            meant = self._frames(frames)
            if not self.node["frames"].value():
                frames = ranges(meant)  # the input may have become longer than the shot was
            self._render(meant, send)

    def _frames(self, text: str) -> list[int]:
        """The frames that are meant: of the words, else of the range's knob, else of the input."""
        words = text or str(self.node["frames"].value())
        if words:
            return numbers(words)
        span = self._source("plate").frameRange()
        return list(range(span.first(), span.last() + 1))

    def _source(self, name: str) -> nuke.Node:
        source = self.node.input(knobs.INPUTS[name])
        if source is None:
            raise ValueError(f"{self.node.name()}: connect {name} first.")
        return source

    def _render(self, frames: list[int], done: input_render.Done) -> None:
        """Write those frames of the plate that are not on disk as they are in the graph."""
        source = self._source("plate")
        graph = fingerprint.graph_digest(source)
        marks = {frame: fingerprint.digest(source, frame, graph) for frame in frames}
        known = self.desk.upstream
        changed = known.changed(marks)

        def written(wrong: str) -> None:
            try:
                known.rendered({} if wrong else {frame: marks[frame] for frame in changed})
            except OSError as error:
                wrong = f"{error.filename}: cannot be written ({error.strerror})"
            done(wrong)

        if changed:
            path = plate(knobs.values(self.node))
            writes = {knobs.inside(self.node, "write_plate"): path}
            self._write(f"Plate: rendering {ranges(changed)}", writes, changed, written)
        else:
            done("")

    def _write(
        self,
        said: str,
        writes: Mapping[nuke.Node, Pattern],
        frames: list[int],
        done: input_render.Done,
    ) -> None:
        """Write inputs to disk; ``done`` is not called when Stop was pressed meanwhile."""
        token = object()
        self._writing, self._said = token, said

        def written(wrong: str) -> None:
            if self._writing is token:
                self._writing, self._said = None, ""
                done(wrong)

        self._draw()
        input_render.write(writes, frames, written)

    def copy_fixes(self) -> None:
        """Write the artist's inputs, those that are connected, to the shot's fixes."""
        self.wrong = ""
        try:
            frames = numbers(str(self.node["fix_frames"].value()) or str(nuke.frame()))
            self._copy(frames, [n for n in FIXES if self.node.input(knobs.INPUTS[n])])
        except (ValueError, OSError, RuntimeError) as error:
            self._refuse(str(error))

    def _copy(self, frames: list[int], names: list[str]) -> None:
        values = knobs.values(self.node)
        if not values["shot"]:
            raise ValueError("Fill in shot first.")
        if not names:
            raise ValueError("Connect a roto or paint first: add, remove and paint are empty.")

        def copied(wrong: str) -> None:
            self.wrong = wrong
            self._said = wrong or f"Copied to fixes/: {', '.join(names)}, frame {ranges(frames)}."
            self._draw()

        writes = {knobs.inside(self.node, f"write_{name}"): fix(values, name) for name in names}
        self._write("Fixes: rendering", writes, frames, copied)

    def _show(self) -> None:
        """Read the frames of the result that are there, if they are others than before."""
        result = self.desk.result
        job = self.desk.job
        there = result.frames()
        now = (result.hashes, (*there, len(job.frames) if job else 0))
        if now != self._read:
            self._read = now
            knobs.show(self.node, result, there)

    def _progress(self) -> None:
        """Show Nuke's own progress bar while a job runs; its Cancel stops the job."""
        status = self.desk.status
        if not nuke.GUI or not status.running:
            self._task = None
            return
        self._task = self._task or nuke.ProgressTask("Lifemask")
        self._task.setMessage(status.text)
        self._task.setProgress(int(100 * status.fraction))
        if self._task.isCancelled():
            self.desk.stop()

    def _draw(self) -> None:
        info = self.desk.info or {}
        knobs.offer_people(self.node, info.get("people", {}))
        knobs.tell(self.node, self.texts())
        self._drawn()

    def texts(self) -> dict[str, str]:
        """Return the lines under the buttons, by their names."""
        info = self.desk.info or {}
        people = info.get("people", {}).items()
        seen = [f"{name}: seen in {s['seen']} of {s['frames']} frames" for name, s in people]
        refusals = [why or f"{name} consents" for name, why in info.get("releases", {}).items()]
        advice = [line for lines in info.get("advice", {}).values() for line in lines]
        return {
            "told": self._said or self.desk.status.text,
            "next_step": self.desk.next,
            "seen": "\n".join(seen),
            "consent": "\n".join(refusals),
            "footage": "\n".join(advice),
            "result_state": self._result,
        }

    def _state(self) -> str:
        """What is wrong with the frames of the result that are there, in words."""
        there = self.desk.result.frames()
        if not there:
            return ""
        wrong = self.desk.frames(ranges(there)).sentence
        return f"{ranges(there)} made" + (f"; {wrong}" if wrong else "")

    def _refuse(self, sentence: str) -> None:
        """Say why nothing was done."""
        self._pressed, self._said, self.wrong = "", sentence, sentence
        self._draw()
        if nuke.GUI:
            nuke.message(sentence)
        else:
            nuke.tprint(sentence)

    def forget(self) -> None:
        """Stop everything: the node is going."""
        self._pressed, self._writing, self._task = "", None, None
        self.desk.stop()
