"""Inputs of a node on their way to disk: rendered beside their files, moved where they differ."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from .input_render import InputRender, command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..common.results import Pattern

_LAST = 500  # characters of what a second Blender printed before it failed


class Rendering:
    """Frames of a node's inputs, by socket, on their way to ``files`` that lie in one folder."""

    def __init__(
        self, scene: str, node: str, files: Mapping[str, Pattern], frames: list[int]
    ) -> None:
        """Start nothing yet; raises OSError."""
        self.frames, self._files = frames, dict(files)
        final = Path(next(iter(files.values())).before).parent
        final.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=".rendering-", dir=final))
        self._render = InputRender(scene, node, list(files), f"{self._folder}/", frames)
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Render here and now; raises OSError or RuntimeError."""
        self._render.run()

    def start(self) -> None:
        """Render in a second Blender, from a copy of the scene as it is now."""
        blend = self._folder / "scene.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command(str(blend), self._render),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def done(self) -> int:
        """How many frames are there."""
        return len(list(self._folder.glob("*.exr"))) // len(self._files)

    @property
    def running(self) -> bool:
        """Whether the second Blender goes on; raises RuntimeError when it has failed."""
        status = self._process.poll() if self._process else 0
        if status:
            said = (self._folder / "log").read_text(errors="replace")[-_LAST:].strip()
            raise RuntimeError(" / ".join(said.splitlines()))
        return status is None

    def adopt(self) -> list[int]:
        """Move the frames that differ from those on disk to their files, and return them."""
        changed = set()
        for socket, files in self._files.items():
            for frame in self.frames:
                rendered, existing = self._render.file(socket, frame), Path(files.file(frame))
                if _digest(rendered) != _digest(existing):
                    rendered.replace(existing)
                    changed.add(frame)
        return sorted(changed)

    def stop(self) -> None:
        """End the second Blender, and leave nothing behind."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _digest(file: Path) -> str:
    """Return a digest of a file, empty when there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
