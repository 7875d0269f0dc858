"""What a host does for one node, so that a `NodeController` can work it.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .requests import Values
    from .results import Frames, Pattern

Done = Callable[[str], None]
"""Called once when frames have been rendered: with nothing, or with why they have not."""


class NodeHost(Protocol):
    """One node as its host has it.

    Where a method cannot do its work it raises OSError, RuntimeError or ValueError with a sentence.
    """

    def values(self) -> Values:
        """Return what the node is set to, by the names of `declared.settings`."""

    def current_frame(self) -> int:
        """Return the frame that the artist looks at."""

    def plate_frames(self) -> list[int]:
        """Return all frames of the plate, for an artist who has named none."""

    def fingerprints(self, frames: list[int]) -> dict[int, str]:
        """Return what the plate is made from at each frame, as `PlateFrames` takes it."""

    def fixes(self) -> list[str]:
        """Return those of `FIXES` that are connected."""

    def render(self, inputs: Mapping[str, Pattern], frames: list[int], done: Done) -> None:
        """Begin to write inputs of the node, by name, to their files, and call ``done`` then."""

    def stop_rendering(self) -> None:
        """End what `render` has begun, if that can be; ``done`` need not be called."""

    def show(self, result: Pattern, frames: Frames, replaced: bool) -> None:
        """Show these frames of the result; ``replaced``: files that were shown have changed."""

    def draw(self) -> None:
        """Draw what the controller now says."""

    def refuse(self, sentence: str) -> None:
        """Say to the artist why nothing was begun, or why it was given up."""
