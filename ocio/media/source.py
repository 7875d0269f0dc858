"""Where frames come from: what reads a plate or a take needs no more than this of it."""

from contextlib import AbstractContextManager
from typing import Protocol

from lifemask.ocio.media.frame import Frame


class FrameReader(Protocol):
    """Reads the frames of an open source, from several threads at once."""

    @property
    def ahead(self) -> int:
        """How many threads gain by reading at once: 1 where frames are decoded in order."""

    def read(self, number: int, layers: bool = False) -> Frame:
        """Return one frame, with its other channels if asked; raises MediaError."""


class FrameSource(Protocol):
    """The plate of a shot or a performer's take: frames of one size in one colour space.

    Equal sources give the same frames. `Footage` is one of files.
    """

    @property
    def name(self) -> str:
        """What messages call it: the path, where there is one."""

    @property
    def colorspace(self) -> str:
        """What its numbers mean."""

    @property
    def frames(self) -> tuple[int, ...]:
        """The numbers of its frames, ascending."""

    def open(self) -> AbstractContextManager[FrameReader]:
        """Return a reader, closed after the ``with`` block."""

    def size(self) -> tuple[int, int]:
        """Return the width and height of all frames; raises SizeError naming one that differs."""

    def pixel_aspect(self) -> float:
        """Return how wide a pixel is for its height."""
