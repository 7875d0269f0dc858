"""What gets a user past a problem, in a host's words: the labels of its buttons and settings.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .declared import buttons, settings

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = {
    "add_release": "fill in {document}, {expires} and {project}, and press {release add}",
    "add_takes": "add takes",
    "add_takes_or_allow_single": (
        "add takes, or switch on {faceset_allow_single} for one photograph"
    ),
    "another_layer": "fill in {takes_layer} for another of a take",
    "convert_or_name_colorspace": (
        "convert it to sRGB, or fill in {takes_colorspace} if it is a take, else {colorspace}"
    ),
    "double_again": "press {faceset}",
    "fewer_examples": "lower {train_max_examples} or {train_size}",
    "fewer_frames": "lower {track_min_frames}",
    "first_swap": "press {swap}",
    "lower_learning_rate": "lower {train_learning_rate} and train in another version",
    "make": "press {command}",
    "name_colorspace": "fill in {takes_colorspace} if it is a take, else {colorspace}",
    "name_fps": "fill in {fps}",
    "name_layer": "fill in {takes_layer} if it is a take, else plate.layer in shot.toml",
    "name_person": "fill in {person} for another",
    "name_the_double": (
        "choose another name; {faceset} makes the double's own, and who the double is goes into "
        "{double_is}"
    ),
    "new_shot": "press {shot new}",
    "replace_version": "choose another {version}",
    "smaller_windows": "lower {train_size}",
    "track_again": "press {track}",
    "track_or_swap_fewer": "press {track}, or lower {frames}",
    "train_anew": "remove models/refiner_v{version:0>3} to train it anew",
    "train_elsewhere": "go back to what it began with, or remove that folder",
    "whose_double": "leave {double_is} empty",
    "whose_takes": "fill in {takes} for a performer, and leave it empty for the double",
}
"""By the id of the remedy. Braces hold one of its fields, a command for the label of its button, or
a setting for its label."""


def with_remedy(problem: str, remedy: Mapping[str, Any] | None) -> str:
    """Return a problem and the way out of it as one sentence; ``remedy`` is as the worker sent it.

    One that this table lacks, of a newer worker, is left out.
    """
    words = WORDS.get(remedy["id"]) if remedy else None
    return (
        f"{problem}; {words.format(**_labels(remedy['fields']))}" if remedy and words else problem
    )


def _labels(fields: Mapping[str, str]) -> dict[str, str]:
    labels = {button.command: button.label for button in reversed(buttons())}
    labels.update({setting.name: setting.label for setting in settings()})
    if "command" in fields:
        return {**labels, **fields, "command": labels.get(fields["command"], fields["command"])}
    return {**labels, **fields}
