"""What a host implements so that a `NodeController` can run its node.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .requests import Values
    from .results import Frames, Pattern

Done = Callable[[str], None]
"""Called once when rendering ends, with why it failed or an empty text."""


class NodeHost(Protocol):
    """One node in its host.

    A method that fails raises OSError, RuntimeError or ValueError with a sentence for the artist.
    """

    def values(self) -> Values:
        """Return the node's settings, by the names of `declared.settings`."""

    def current_frame(self) -> int:
        """Return the frame on the timeline."""

    def plate_frames(self) -> list[int]:
        """Return all frames of the plate, for when the artist has named none."""

    def fingerprints(self, frames: list[int]) -> dict[int, str]:
        """Return the fingerprint of the plate at each frame, as `PlateFrames` takes it."""

    def fixes(self) -> list[str]:
        """Return those of `FIXES` that are connected."""

    def render(self, inputs: Mapping[str, Pattern], frames: list[int], done: Done) -> None:
        """Start writing the named inputs to their files; call ``done`` at the end."""

    def stop_rendering(self) -> None:
        """Stop rendering if the host can; ``done`` need not be called."""

    def show(self, result: Pattern, frames: Frames, replaced: bool) -> None:
        """Show these result frames; ``replaced`` if files on show have changed."""

    def draw(self) -> None:
        """Redraw the node from its controller."""

    def refuse(self, sentence: str) -> None:
        """Tell the artist why a press was refused or failed."""
