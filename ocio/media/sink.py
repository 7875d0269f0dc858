"""Where frames go to."""

from typing import Protocol, TypeVar

F = TypeVar("F", contravariant=True)


class FrameSink(Protocol[F]):
    """Takes frames, and keeps each one whole or not at all.

    `ExrSequence` takes layered frames, `MovieWriter` pictures for display.
    """

    @property
    def ahead(self) -> int:
        """How many threads may write at once: 1 where frames have to come in order."""

    def write(self, frame: F) -> None:
        """Keep one frame; raises WriteError."""
