"""Write a sequence of layered EXR files."""

import re
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Self

from lifemask.ocio.media import exr
from lifemask.ocio.media.frame import LayeredFrame
from lifemask.ocio.media_errors import WriteError
from lifemask.ocio.system.atomic import sweep

_DIGITS = 4


class ExrSequence:
    """A `FrameSink` of the files ``folder/name.####.exr``, each written whole or not at all.

    With ``anew`` an older sequence is removed before the first new frame is written; without it,
    its other frames stay. A folder in which nothing was written is removed.
    """

    ahead = 4

    def __init__(self, folder: Path, name: str, anew: bool = False) -> None:
        self._folder, self._name, self._anew = folder, name, anew
        self._lock = Lock()

    def file(self, number: int) -> Path:
        """Return the file of a frame; a minus sign does not count as a digit."""
        return self._folder / f"{self._name}.{number:0{_DIGITS + (number < 0)}d}.exr"

    def write(self, frame: LayeredFrame) -> None:
        """Write one file; raises WriteError when the disk is full or refuses."""
        with self._lock:
            if self._anew:
                self._remove_older()
                self._anew = False
        exr.write(self.file(frame.number), frame.channels, frame.header)

    def _remove_older(self) -> None:
        """Remove the files of this name, and the leftovers of a killed process."""
        ours = re.compile(rf"{re.escape(self._name)}\.-?\d+\.exr")
        sweep(self._folder)
        for file in [file for file in self._folder.glob("*.exr") if ours.fullmatch(file.name)]:
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise WriteError(f"{file}: cannot be replaced ({error.strerror})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # An empty folder would count as a version.
        with suppress(OSError):
            self._folder.rmdir()
