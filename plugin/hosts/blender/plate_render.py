"""The plate on its way to the shot: rendered beside it, and taken over where it has changed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from .fingerprint import stamp
from .input_render import Job, command

if TYPE_CHECKING:
    from ..common.results import Pattern, Upstream

_LAST = 500  # characters of what a second Blender said when it failed


class PlateError(Exception):
    """The node's input cannot be rendered: one sentence."""


class Rendering:
    """Frames of a node's input, rendered into a folder beside the ``plate``'s files.

    ``made_of`` has their fingerprints; the pixels decide what has changed.
    """

    def __init__(self, scene: str, node: str, plate: Pattern, made_of: dict[int, str]) -> None:
        """Start nothing yet."""
        self._plate, self._made_of, self.frames = plate, made_of, list(made_of)
        final = Path(plate.before).parent
        final.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=".rendering-", dir=final))
        self._job = Job(scene, node, {"Plate": "plate"}, f"{self._folder}/", self.frames)
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Render here and now; raises PlateError."""
        try:
            self._job.run()
        except (OSError, RuntimeError) as error:
            self.stop()
            raise PlateError(f"the plate cannot be rendered: {error}") from error

    def start(self) -> None:
        """Render in a second Blender, from a copy of the scene as it is now."""
        blend = self._folder / "scene.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command(str(blend), self._job),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def done(self) -> int:
        """How many frames are there."""
        return len(list(self._folder.glob("plate.*.exr")))

    @property
    def running(self) -> bool:
        """Whether the second Blender goes on; raises PlateError when it has failed."""
        status = self._process.poll() if self._process else 0
        if status:
            said = (self._folder / "log").read_text(errors="replace")[-_LAST:].strip()
            self.stop()
            raise PlateError(f"the plate cannot be rendered: {' / '.join(said.splitlines())}")
        return status is None

    def adopt(self, upstream: Upstream) -> list[int]:
        """Take over the frames that differ from those on disk, and return them.

        What is on disk counts, whoever wrote it; ``upstream`` is told, for a host that trusts it.
        """
        marks = {frame: _mark(self._job.file("plate", frame)) for frame in self.frames}
        there = {frame: Path(self._plate.file(frame)) for frame in self.frames}
        changed = [frame for frame, mark in marks.items() if _mark(there[frame]) != mark]
        for frame in changed:
            self._job.file("plate", frame).replace(there[frame])
        known = _marks(self._plate, self._made_of)
        upstream.rendered({**{frame: marks[frame] for frame in changed}, **known})
        self.stop()
        return changed

    def stop(self) -> None:
        """End the second Blender, and leave nothing behind."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def stale(upstream: Upstream, plate: Pattern, made_of: dict[int, str]) -> dict[int, str]:
    """Return what has to be rendered of the fingerprints: those of frames that may be others now.

    A frame on disk that was written by somebody else is among them.
    """
    marks = _marks(plate, made_of)
    anew = {*upstream.changed(marks), *(set(made_of) - set(marks))}
    return {frame: made_of[frame] for frame in sorted(anew)}


def _marks(plate: Pattern, made_of: dict[int, str]) -> dict[int, str]:
    """Return what was made of what, for the frames that are there and have a fingerprint."""
    files = {frame: Path(plate.file(frame)) for frame, text in made_of.items() if text}
    there = {frame: file for frame, file in files.items() if file.is_file()}
    return {frame: f"{made_of[frame]} {stamp(file)}" for frame, file in there.items()}


def _mark(file: Path) -> str:
    """Return a digest of a file, empty when there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
