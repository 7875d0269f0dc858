"""The sink of frames."""

from typing import Protocol, TypeVar

F = TypeVar("F", contravariant=True)


class FrameSink(Protocol[F]):
    """Takes frames, and keeps each one whole or not at all.

    `ExrSequence` takes layered frames, `MovieWriter` pictures for display.
    """

    @property
    def ahead(self) -> int:
        """The number of threads that may write at once: 1 where frames must arrive in order."""

    def write(self, frame: F) -> None:
        """Keep one frame; raises WriteError."""
