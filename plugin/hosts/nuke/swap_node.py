"""One Lifemask node of a script: its knobs, its inputs and what is drawn of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import nuke

from ..common.controller import WORKING, NodeController
from ..common.requests import FIXES
from ..common.results import ranges
from . import fingerprint, input_render, knobs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...worker.client import Client, Job
    from ..common.node_host import Done
    from ..common.results import Frames, Pattern


class SwapNode:
    """The `NodeHost` of a node; ``drawn`` is called when there is something new to see."""

    def __init__(self, node: nuke.Node, client: Client, drawn: Callable[[], None]) -> None:
        self.node, self._drawn = node, drawn
        self._task: Any = None
        self._cancelled: Job | None = None
        self.controller = NodeController(client, self)

    def values(self) -> dict[str, Any]:
        """Return what the knobs are set to."""
        return knobs.values(self.node)

    def current_frame(self) -> int:
        """Return the frame of the timeline."""
        return nuke.frame()

    def plate_frames(self) -> list[int]:
        """Return the frames of what is connected as the plate."""
        span = self._plate().frameRange()
        return list(range(span.first(), span.last() + 1))

    def fingerprints(self, frames: list[int]) -> dict[int, str]:
        """Return what the plate is made from at each frame."""
        source = self._plate()
        graph = fingerprint.graph_digest(source)
        return {frame: fingerprint.digest(source, frame, graph) for frame in frames}

    def _plate(self) -> nuke.Node:
        source = self.node.input(knobs.INPUTS["plate"])
        if source is None:
            raise ValueError(f"{self.node.name()}: connect plate first.")
        return source

    def fixes(self) -> list[str]:
        """Return the artist's inputs that are connected."""
        names = [name for name in FIXES if self.node.input(knobs.INPUTS[name])]
        if not names:
            raise ValueError("Connect a roto or paint first: add, remove and paint are empty.")
        return names

    def render(self, inputs: Mapping[str, Pattern], frames: list[int], done: Done) -> None:
        """Write inputs through the Write nodes inside."""
        writes = {knobs.inside(self.node, f"write_{name}"): inputs[name] for name in inputs}
        input_render.write(writes, frames, done)

    def stop_rendering(self) -> None:
        """Leave a background render to Nuke, whose own window stops it."""

    def show(self, result: Pattern, frames: Frames, replaced: bool) -> None:
        """Let the node read the frames that are there, whatever plate they were made of."""
        knobs.show(self.node, result, list(frames.on_disk))

    def refuse(self, sentence: str) -> None:
        """Show a window with the sentence; on a farm, print it."""
        if nuke.GUI:
            nuke.message(sentence)
        else:
            nuke.tprint(sentence)

    def draw(self) -> None:
        """Set the lines under the buttons and the bar, and have the panel drawn."""
        self._draw_progress()
        info = self.controller.shot.info or {}
        knobs.offer_people(self.node, info.get("people", {}))
        knobs.set_lines(self.node, self.lines())
        self._drawn()

    def _draw_progress(self) -> None:
        """Show Nuke's own progress bar while a job runs; its Cancel stops the job."""
        if not nuke.GUI or self.controller.state != WORKING:
            self._task = None
            return
        status = self.controller.status
        self._task = self._task or nuke.ProgressTask("Lifemask")
        self._task.setMessage(status.text)
        self._task.setProgress(int(100 * status.fraction))
        if self._task.isCancelled() and self._cancelled is not self.controller.job:
            self._cancelled = self.controller.job
            self.controller.stop()

    def lines(self) -> dict[str, str]:
        """Return the lines under the buttons, by their names."""
        shot, frames = self.controller.shot, self.controller.result.frames
        made = f"{ranges(frames.on_disk)} made" if frames.on_disk else ""
        return {
            "status": self.controller.status.text,
            "next_step": shot.next,
            "seen": "\n".join(shot.people),
            "consent": "\n".join(shot.consent),
            "footage": "\n".join(shot.advice),
            "result_state": "; ".join(filter(None, (made, frames.sentence))),
        }

    def close(self) -> None:
        """Stop everything: the node is going."""
        self._task = None
        self.controller.close()
