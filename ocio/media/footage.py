"""Footage on disk as a source of frames."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifemask.ocio.media.sequence import Sequence

if TYPE_CHECKING:
    from lifemask.ocio.media.reader import Reader


@dataclass(frozen=True)
class Footage:
    """A `FrameSource` of files: an image sequence, a still or a movie, in a ``colorspace``."""

    sequence: Sequence
    colorspace: str

    @property
    def name(self) -> str:
        """The path, with one ``#`` for each digit of the frame number."""
        return self.sequence.path

    @property
    def frames(self) -> tuple[int, ...]:
        """The numbers of its frames, ascending."""
        return self.sequence.frames

    def open(self) -> "Reader":
        """Return a reader, which keeps a movie open for as long as its ``with`` block."""
        from lifemask.ocio.media.reader import Reader

        return Reader(self.sequence)

    def size(self) -> tuple[int, int]:
        """Return the width and height of all frames, from their headers alone.

        Raises SizeError or LayerError naming the first frame that differs.
        """
        from lifemask.ocio.media.reader import same_size

        return same_size(self.sequence)

    def pixel_aspect(self) -> float:
        """Return the width of a pixel over its height, by the first frame's header."""
        from lifemask.ocio.media.reader import pixel_aspect

        return pixel_aspect(self.sequence)
