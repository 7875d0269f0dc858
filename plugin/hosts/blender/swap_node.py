"""A swap node at work: its plate goes to disk, its buttons to the worker, what is made is shown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..common.controller import Desk, Status
from ..common.declared import buttons, pressed
from ..common.requests import FIXES, fix, plate
from ..common.results import Pattern, checked, header, numbers, ranges
from . import colour_spaces, result
from .fingerprint import fingerprints
from .input_render import Job, tree_of
from .plate_render import PlateError, Rendering, stale
from .properties import remember, remembered, values

if TYPE_CHECKING:
    from bpy.types import Node, NodeTree, Scene

    from ...worker.client import Client

_FIXED = dict(zip(("Add Occlusion", "Remove Occlusion", "Paint"), FIXES))


class Work:
    """One swap's node group, its desk, and what it waits for; on Blender's main thread alone.

    ``waits`` is for farms and scripts: the plate is rendered here and now. ``text`` is the last
    sentence for the artist, empty when it is the desk's; ``lacking`` what is wrong with the result.
    """

    def __init__(self, tree: NodeTree, client: Client) -> None:
        """Ask nothing yet."""
        self._uid = tree.session_uid
        self._client = client
        self._pressed: tuple[str, str] | None = None
        self._rendering: Rendering | None = None
        self._asking = False
        self._shown: dict[str, int] | None = None  # when each of the files shown was made
        self.waits = False
        self.text = self.lacking = ""
        self.desk = Desk(client, lambda: values(self.tree), self._changed)
        self._shot, self.desk.info = remembered(tree)

    @property
    def tree(self) -> NodeTree:
        """The node group: Blender moves it in memory with every undo, so it is looked for."""
        return next(tree for tree in bpy.data.node_groups if tree.session_uid == self._uid)

    @property
    def status(self) -> Status:
        """What is to be drawn now."""
        if self._rendering:
            done, total = self._rendering.done, len(self._rendering.frames)
            return Status(True, done / total, f"Plate: {done} of {total}", "")
        now = self.desk.status
        if now.running or not (self._pressed or self._asking):
            return now if now.running else Status(False, 0.0, self.text or now.text, now.preview)
        return Status(True, 0.0, "Asking the worker", now.preview)

    @property
    def info(self) -> dict[str, Any]:
        """What the shot has, as far as it is known."""
        return self.desk.info or {}

    def refresh(self) -> None:
        """Ask what the shot has."""
        self.text = ""
        self.desk.refresh()
        self._asking = bool(self.tree.lifemask.shot)

    def press(self, button: str, frames: str = "") -> None:
        """Begin what a button is for; ``text`` is what has to be done first.

        Raises RuntimeError when there is no such button.
        """
        known = [one.name for one in buttons()]
        if button not in known:
            raise RuntimeError(f"button: {button!r} is none (there: {', '.join(known)})")
        self._pressed = button, frames
        self.refresh()
        if not self._asking:
            self._go_on()

    def run(self, button: str, frames: str = "") -> None:
        """Do all that a button is for, as a farm wants it; raises RuntimeError when it fails."""
        self.waits = True
        try:
            self.press(button, frames)
            self.finish()
        finally:
            self.waits = False

    def finish(self) -> None:
        """Wait until nothing goes on any more; raises RuntimeError when it has failed."""
        while self.status.running:
            self.tick()
            time.sleep(0.01)
        if self.text:
            raise RuntimeError(self.text)

    def tick(self) -> None:
        """Take what the worker has told and what has been rendered, and go on from there."""
        self._client.pump()
        try:
            if self._rendering and not self._rendering.running:
                self._rendering.adopt(self.desk.upstream)
                self._rendering = None
                self._send()
        except (PlateError, OSError) as error:
            self._give_up(str(error))

    def stop(self) -> None:
        """Stop all that was begun."""
        self._give_up("Stopped." if self.status.running else self.text)
        self.desk.stop()

    def show(self) -> None:
        """Show the frames of the result that are there, and the plate where there are none."""
        if self._shot != self.tree.lifemask.shot:
            self._shot, self.desk.info = self.tree.lifemask.shot, None
        pattern = self.desk.result
        found = checked(pattern, self.desk.plate, pattern.frames(), self.desk.layer)
        self.lacking = found.sentence
        try:
            made = {file: Path(file).stat().st_mtime_ns for file in map(pattern.file, found.made)}
            if made != self._shown:
                known = self._shown or {}
                anew = any(known.get(file, stamp) != stamp for file, stamp in made.items())
                space = _space(pattern, found.made)
                result.show(self.tree, pattern, list(found.made), space, anew)
                self._shown = made
        except (colour_spaces.ColourError, OSError, RuntimeError) as error:
            self.text = f"the result cannot be shown: {error}"

    def copy_fixes(self, frames: str) -> None:
        """Write what is connected for fixes to the shot; raises RuntimeError when it cannot be."""
        try:
            self.text = self._copied(frames)
        except (PlateError, OSError, RuntimeError, ValueError) as error:
            self.text = f"the fixes cannot be copied: {error}"
            raise RuntimeError(self.text) from error

    def _copied(self, frames: str) -> str:
        scene, node = self._place()
        names = {socket: name for socket, name in _FIXED.items() if node.inputs[socket].is_linked}
        if not names:
            raise ValueError(f"connect one of {', '.join(_FIXED)} first")
        if not self.tree.lifemask.shot:
            raise ValueError("fill in shot first")
        there = numbers(frames or str(scene.frame_current))
        folder = Path(fix(values(self.tree), FIXES[0]).before).parent
        Job(scene.name, node.name, names, f"{folder}/", there).run()
        return f"{', '.join(names.values())} of {ranges(there)} copied to the shot."

    def _changed(self, what: str) -> None:
        """Take note of what has happened; after a job the desk asks what the shot has."""
        ended = what in ("done", "failed", "stopped")
        self._asking = ended or (self._asking and what != "info")
        if what in ("failed", "stopped") or (what == "info" and self.desk.info is None):
            self.text = self.desk.text
        if what == "info" and self.desk.info:
            remember(self.tree, self.desk.info)
        if what in ("info", "frame", "done"):
            self.show()
        if what == "info" and self._pressed and not self._rendering:
            self._go_on()

    def _go_on(self) -> None:
        """Go on with the button that was pressed, as the shot is known now."""
        assert self._pressed
        button, frames = self._pressed
        first = self.desk.text if self.desk.info is None else self.desk.first(button)
        try:
            if first:
                self._give_up(first)
            elif pressed(button).plate and self.desk.plate == plate(values(self.tree)):
                meant = frames or values(self.tree)["frames"]
                if not self.tree.lifemask.frames:
                    self._pressed = button, meant  # the scene may be longer than the shot was
                self._render(numbers(meant))
            else:
                self._send()
        except (PlateError, OSError, RuntimeError, ValueError) as error:
            self._give_up(str(error))

    def _send(self) -> None:
        assert self._pressed
        pressed, self._pressed = self._pressed, None
        self.text = self.desk.press(*pressed)

    def _give_up(self, why: str) -> None:
        self._pressed, self.text = None, why
        if self._rendering:
            self._rendering.stop()
            self._rendering = None

    def _render(self, frames: list[int]) -> None:
        """Render what has changed of the plate: one frame at once, several in a second Blender."""
        scene, node = self._place()
        if not node.inputs["Plate"].is_linked:
            raise PlateError("Connect Plate first.")
        made_of = fingerprints(scene, node.inputs["Plate"].links[0].from_socket, frames)
        files = plate(values(self.tree))
        anew = stale(self.desk.upstream, files, made_of)
        if not anew:
            self._send()
            return
        self._rendering = Rendering(scene.name, node.name, files, anew)
        if self.waits or len(anew) == 1:
            self._rendering.run()
        else:
            self._rendering.start()

    def _place(self) -> tuple[Scene, Node]:
        """Return the scene and the node that have this group; raises PlateError."""
        for scene in bpy.data.scenes:
            tree = tree_of(scene)
            for node in tree.nodes if tree else ():
                if getattr(node, "node_tree", None) == self.tree:
                    return scene, node
        raise PlateError("Put the node into the compositor of a scene first, outside of groups.")


def _space(pattern: Pattern, made: tuple[int, ...]) -> str:
    """Return Blender's name for what the files of a result hold."""
    space = header(pattern.file(made[0])).get("lifemask/colorspace", "") if made else ""
    return colour_spaces.blenders(space) if made else ""
