"""Make a command from a worker's request: check its parameters, the options and knobs."""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from lifemask.nodes.command import Command, Option
from lifemask.nodes.declaration import WORDS, Knob
from lifemask.nodes.errors import LifemaskError
from lifemask.nodes.shot.keys import near
from lifemask.plugin.commands.arguments import day


class ParamError(LifemaskError):
    """A request has an unknown parameter, or one of the wrong type."""


_WORDS = {**WORDS, Path: "the path of a file or folder", date: WORDS[str]}
_SENT: dict[type, tuple[type, ...]] = {float: (int, float), Path: (str,), date: (str,)}
"""The kinds that JSON has for others."""


def params(command: type[Command]) -> dict[str, Option | Knob]:
    """Return the parameters of a command by name, the knobs of its node last.

    A knob is there under its old name, too.
    """
    knobs = command.node.knobs() if command.node else ()
    every: list[Option | Knob] = [*command.options(), *knobs]
    old = {knob.was: knob for knob in knobs if knob.was}
    return {**{param.name: param for param in every}, **old}


def requested(command: type[Command], given: Mapping[str, object]) -> Command:
    """Return the command of a request; a parameter that is null counts as missing.

    Raises ParamError, or KnobError when a knob is out of range, with a sentence that names it.
    """
    known = params(command)
    given_values = {name: value for name, value in given.items() if value is not None}
    for name in given_values:
        if name not in known:
            today = {param.name: param for param in known.values()}
            raise ParamError(f"{command.name}: there is no parameter {name!r}{near(name, today)}")
    values = {name: _value(known[name], value) for name, value in given_values.items()}
    _check_required(command, values)
    knobs = {name for name, param in known.items() if isinstance(param, Knob)}
    options = {name: value for name, value in values.items() if name not in knobs}
    moved = {name: value for name, value in values.items() if name in knobs}
    return command(**options, knobs=moved, json=True)


def _check_required(command: type[Command], values: Mapping[str, Any]) -> None:
    """Raise ParamError for a missing option, for none of a group, and for several of one."""
    groups: dict[str, list[str]] = {}
    for option in command.options():
        if option.required and values.get(option.name) in (None, ()):
            raise ParamError(f"{command.name}: {option.name} is missing")
        if option.group:
            groups.setdefault(option.group, []).append(option.name)
    for names in groups.values():
        if sum(bool(values.get(name)) for name in names) != 1:
            raise ParamError(f"{command.name}: it takes one of {' and '.join(names)}")


def _value(param: Option | Knob, given: object) -> Any:  # noqa: ANN401
    """Return ``given`` in the type of its option; raises ParamError or KnobError."""
    if isinstance(param, Knob):
        value = _one(param, given)
        param.check(given)
        return value
    if param.count is None:
        return _one(param, given)
    if not isinstance(given, list):
        raise ParamError(f"{param.name}: {given!r} is not a list")
    if param.count and len(given) != param.count:
        raise ParamError(f"{param.name}: {len(given)} values; it takes {param.count}")
    return tuple(_one(param, item) for item in given)


def _one(param: Option | Knob, given: object) -> Any:  # noqa: ANN401
    kinds = _SENT.get(param.kind, (param.kind,))
    if not isinstance(given, kinds) or isinstance(given, bool) is not (param.kind is bool):
        raise ParamError(f"{param.name}: {given!r} is not {_WORDS[param.kind]}")
    if param.choices and given not in param.choices:
        raise ParamError(f"{param.name}: {given!r} is not one of {', '.join(param.choices)}")
    if isinstance(given, float) and not isfinite(given):
        raise ParamError(f"{param.name}: {given} is not a number")
    if isinstance(given, str):
        _check_text(param, given)
    try:
        return day(str(given)) if param.kind is date else param.kind(given)
    except (ArgumentTypeError, ValueError, OverflowError) as error:
        raise ParamError(f"{param.name}: {error}") from error


def _check_text(param: Option | Knob, given: str) -> None:
    if param.kind is Path and not given:
        raise ParamError(f"{param.name}: is empty")
    try:
        whole = "\0" not in given and bool(given.encode() or True)
    except UnicodeEncodeError:
        whole = False
    if not whole:
        raise ParamError(f"{param.name}: {given!r} cannot be part of a file's name")
