"""The source of frames: all that the reader of a plate or a take may rely on."""

from contextlib import AbstractContextManager
from typing import Protocol

from lifemask.ocio.media.frame import Frame


class FrameReader(Protocol):
    """Reads the frames of an open source, from several threads at once."""

    @property
    def ahead(self) -> int:
        """The number of threads worth reading at once: 1 where frames are decoded in order."""

    def read(self, number: int, layers: bool = False) -> Frame:
        """Return one frame, with its other channels if asked; raises MediaError."""


class FrameSource(Protocol):
    """The plate of a shot or a performer's take: frames of one size in one colour space.

    Equal sources give the same frames. `Footage` is one of files.
    """

    @property
    def name(self) -> str:
        """Its name in messages: the path, if there is one."""

    @property
    def colorspace(self) -> str:
        """The colour space of its pixels."""

    @property
    def frames(self) -> tuple[int, ...]:
        """The numbers of its frames, ascending."""

    def open(self) -> AbstractContextManager[FrameReader]:
        """Return a reader, closed after the ``with`` block."""

    def size(self) -> tuple[int, int]:
        """Return the width and height of all frames; raises SizeError naming one that differs."""

    def pixel_aspect(self) -> float:
        """Return the width of a pixel over its height."""
