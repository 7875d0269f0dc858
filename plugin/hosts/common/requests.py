"""What the buttons of a node send to the worker, and where its files are.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .declared import buttons, commands, declaration, setting_name
from .results import Pattern, slashed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Values = Mapping[str, Any]
    Request = tuple[str, dict[str, Any]]

FIXES = ("add", "remove", "paint")
"""The artist's inputs that can be copied to the shot."""

_OWN = ("frames", "version", "overwrite", "likeness", "plate", "performer")
"""Parameters whose value depends on the button, not on a setting of the same name alone."""


def requests(button: str, values: Values, frames: str = "") -> list[Request]:
    """Return what a button sends: methods of the worker and their parameters, in order.

    ``frames`` is the range to track or swap; else that to swap is the settings', else all. Knobs at
    their declared default are not sent, so that the shot's own values hold.
    """
    command = command_of(button)
    if command == "faceset":
        return list(_facesets(values))
    params = _params(command, values)
    if command == "shot new":
        params["plate"] = plate(values).hashes
    elif command == "release add":
        params["performer"] = values.get("likeness", "")
    elif command == "track" and frames:
        params["frames"] = frames
    elif command == "swap":
        params["frames"] = frames or values.get("frames", "")
        params["version"], params["overwrite"] = _version(values), True
    return [(command, {**params, **_likeness(command, values)})]


def _likeness(command: str, values: Values) -> dict[str, Any]:
    """Whose face goes in, and on whom, as the command wants to be told."""
    declared = [param for param in commands()[command]["params"] if param["name"] == "likeness"]
    name, person = (values.get(key) or "" for key in ("likeness", "person"))
    cast = ["=".join(filter(None, (name, person)))]
    return {"likeness": cast if declared[0]["many"] else name} if declared else {}


def _facesets(values: Values) -> Iterable[Request]:
    """The likeness's faceset when there are takes, then the double's."""
    params = _params("faceset", values)
    takes, person = params.pop("takes", []), params.pop("person", "")
    double = params.pop("double_is", "")
    of_takes = {name: params.pop(name, "") for name in ("colorspace", "layer")}
    if takes:
        likeness = {"takes": takes, "performer": values.get("likeness", "")}
        yield "faceset", {**params, **likeness, **of_takes}
    known = {"double_is": double} if double else {}
    yield "faceset", {**params, "double": True, "person": person, **known}


def _params(command: str, values: Values) -> dict[str, Any]:
    """The values of a command's parameters that are set, and of the knobs that were moved."""
    declared = commands()[command]
    names = [param["name"] for param in declared["params"] if param["name"] not in _OWN]
    given = {name: values.get(setting_name(command, name)) for name in names}
    params = {name: value for name, value in given.items() if value not in (None, "", [])}
    knobs = declaration()["nodes"].get(declared["node"], {"knobs": []})["knobs"]
    for knob in knobs:
        if values.get(knob["id"], knob["default"]) != knob["default"]:
            params[knob["name"]] = values[knob["id"]]
    return params


def command_of(button: str) -> str:
    """Return the command behind a button, empty for Stop."""
    return next(known.command for known in buttons() if known.name == button)


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
