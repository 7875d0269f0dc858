"""What the buttons of a node send to the worker, and where its files are.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .declared import commands, declaration, pressed
from .results import Pattern, slashed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .declared import Button

    Values = Mapping[str, Any]
    Request = tuple[str, dict[str, Any]]

FIXES = ("add", "remove", "paint")
"""The artist's inputs that can be copied to the shot."""


def requests(button: str, values: Values, frames: str = "") -> list[Request]:
    """Return what a button sends: methods of the worker and their parameters, in order.

    ``frames`` is the range to work on; else a button of a range takes that of the settings, else
    all. Knobs at their declared default are not sent, so that the shot's own values hold.
    """
    meant = pressed(button)
    own = _own(meant, values, frames)
    return [
        (meant.command, _params(meant, press, {**values, **own}))
        for press in commands()[meant.command]["button"]["presses"]
        if not press["when"] or values.get(press["when"])
    ]


def _own(button: Button, values: Values, frames: str) -> dict[str, Any]:
    """The values of parameters that depend on the press, not on a setting."""
    own: dict[str, Any] = {"plate": plate(values).hashes, "frames": ""}
    if button.makes:
        own["frames"] = frames or (values.get("frames") if button.frames else "")
    if button.frames:
        own.update(version=_version(values), overwrite=True)
    return own


def _params(button: Button, press: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """The parameters of one request: those that are set, and the knobs that were moved."""
    about = commands()[button.command]
    wanted = press["options"]
    params = [p for p in about["params"] if wanted is None or p["name"] in ("shot", *wanted)]
    given = {param["name"]: _given(param, values) for param in params}
    found = {name: value for name, value in given.items() if value not in (None, "", [])}
    knobs = declaration().nodes.get(about["node"], {"knobs": []})["knobs"]
    moved = {
        knob["name"]: values[knob["id"]]
        for knob in knobs
        if values.get(knob["id"], knob["default"]) != knob["default"]
    }
    return {**found, **moved, **press["values"]}


def _given(param: Mapping[str, Any], values: Values) -> Any:  # noqa: ANN401
    """The value of a parameter: of its settings, else what the press gives by its name."""
    names = param["settings"] or [param["name"]]
    found = [values.get(name) for name in names]
    value = "=".join(filter(None, found)) if len(found) > 1 else found[0]
    return [value] if param["many"] and value and not isinstance(value, list) else value


def _version(values: Values) -> int:
    return int(values.get("version") or 1)


def plate(values: Values) -> Pattern:
    """Return where a host renders the graph above its node to: the plate of the shot."""
    return Pattern.of(f"{folder(values)}/plate/plate.####.exr")


def fix(values: Values, which: str) -> Pattern:
    """Return where one of the artist's inputs, of `FIXES`, is copied to."""
    if which not in FIXES:
        raise ValueError(f"{which}: is not one of {', '.join(FIXES)}")
    return Pattern.of(f"{folder(values)}/fixes/{which}.####.exr")


def result(values: Values, shot: str = "") -> Pattern:
    """Return where the frames of the swap are, or will be; ``shot`` is its name, if another."""
    name = f"{values.get('likeness', '')}_v{_version(values):03d}"
    shot = shot or Path(folder(values)).name
    return Pattern.of(f"{folder(values)}/swaps/{name}/{shot}_{name}.####.exr")


def folder(values: Values) -> str:
    """Return the shot's folder, with forward slashes; empty when none is set."""
    return slashed(str(values.get("shot") or "")).rstrip("/")
