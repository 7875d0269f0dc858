"""The frames of a node's result as they come to be on disk, shown by the host.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .results import Frames, Pattern

if TYPE_CHECKING:
    from .node_host import NodeHost
    from .shot_state import ShotState


class ResultView:
    """Has a host show the result of its node, again only when the files have changed.

    ``frames`` are those on disk, as last read.
    """

    def __init__(self, host: NodeHost) -> None:
        self._host = host
        self._shown: tuple[Pattern, Frames, dict[str, int]] | None = None
        self.frames = Frames()

    def update(self, shot: ShotState) -> None:
        """Show the frames on disk, if they have changed; raises OSError and the host's errors."""
        result, self.frames = shot.result, shot.frames()
        files = [result.file(frame) for frame in self.frames.on_disk]
        dates = {file: Path(file).stat().st_mtime_ns for file in files}
        known = self._shown[2] if self._shown else {}
        replaced = any(known.get(file, date) != date for file, date in dates.items())
        if self._shown != (result, self.frames, dates):
            self._host.show(result, self.frames, replaced)
            self._shown = result, self.frames, dates
