"""What the panel shows of a Lifemask node, apart from how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..common.controller import WORKING
from ..common.declared import Button, work_buttons

if TYPE_CHECKING:
    from .swap_node import SwapNode

HEADINGS = {
    "next_step": "Next",
    "seen": "People",
    "consent": "Consent",
    "footage": "Footage to shoot",
    "result_state": "Result",
}
"""The lines of a node that the panel repeats, with its headings."""


@dataclass(frozen=True)
class PanelState:
    """One look at a node: ``percent`` of the task at hand, or None when no job runs.

    ``sections`` are headings with their lines, those without any left out; ``buttons`` are those
    that can be pressed now. ``preview`` is the file of a picture, empty when there is none.
    """

    name: str = ""
    message: str = "Make a node: Nodes > Lifemask > Swap."
    percent: int | None = None
    preview: str = ""
    sections: dict[str, list[str]] = field(default_factory=dict)
    buttons: tuple[str, ...] = ()


def panel_state(node: SwapNode | None) -> PanelState:
    """Return what is to be shown of a node, or of none."""
    if node is None:
        return PanelState()
    controller, lines = node.controller, node.lines()
    status = controller.status
    return PanelState(
        name=node.node.fullName(),
        message=lines["status"],
        percent=round(100 * status.fraction) if controller.state == WORKING else None,
        preview=status.preview,
        sections={
            title: lines[name].splitlines() for name, title in HEADINGS.items() if lines[name]
        },
        # Stop while something goes on, the others when nothing does.
        buttons=tuple(b.name for b in shown() if (b.name == "stop") == status.running),
    )


def shown() -> list[Button]:
    """Return the panel's buttons, in order."""
    return work_buttons()
