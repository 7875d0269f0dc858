"""What the panel shows of a Lifemask node, apart from how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
class Board:
    """One look at a node: ``percent`` of the task at hand, or None when nothing runs.

    ``sections`` are headings with their lines, those without any left out; ``buttons`` are those
    that can be pressed now. ``preview`` is the file of a picture, empty when there is none.
    """

    name: str = ""
    message: str = "Make a node: Nodes > Lifemask > Swap."
    percent: int | None = None
    preview: str = ""
    sections: dict[str, list[str]] = field(default_factory=dict)
    buttons: tuple[str, ...] = ()


def board(worked: SwapNode | None) -> Board:
    """Return what is to be shown of a node, or of none."""
    if worked is None:
        return Board()
    status, texts = worked.desk.status, worked.texts()
    return Board(
        name=worked.node.fullName(),
        message=texts["told"],
        percent=round(100 * status.fraction) if status.running else None,
        preview=status.preview,
        sections={
            title: texts[name].splitlines() for name, title in HEADINGS.items() if texts[name]
        },
        buttons=tuple(button.name for button in shown() if _can(worked, button)),
    )


def shown() -> list[Button]:
    """Return the panel's buttons, in order."""
    return work_buttons()


def _can(worked: SwapNode, button: Button) -> bool:
    """Whether a press would begin something: Stop while there is work, the others when not."""
    return worked.busy if button.name == "stop" else not worked.busy
