"""The command line's arguments: made from the fields of a command, and parsed into one."""

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable
from datetime import date
from typing import Any

from lifemask.nodes.command import Command, Option
from lifemask.nodes.declaration import Knob

_KNOB = "knob_"
"""Keeps knobs apart from options among the parsed words."""


def add_arguments(parser: ArgumentParser, command: type[Command]) -> None:
    """Add the options of ``command``, the knobs of its node, and ``--json``."""
    groups: dict[str, Any] = {"": parser}
    for option in command.options():
        if option.group not in groups:
            groups[option.group] = parser.add_mutually_exclusive_group(required=True)
        groups[option.group].add_argument(*_names(option), **_form(option))
    if command.node:
        knobs = parser.add_argument_group(f"knobs of {command.node.__name__}")
        for knob in command.node.knobs():
            # The old name is accepted, but not offered.
            for name, about in {knob.name: _knob_help(knob), knob.was: SUPPRESS}.items():
                if name:
                    form = _knob_form(knob)
                    knobs.add_argument(flag(name), dest=f"{_KNOB}{name}", help=about, **form)
    about = "Write progress as JSON, one object a line."
    parser.add_argument("--json", action="store_true", help=about)
    parser.set_defaults(command=command)


def typed(words: Namespace) -> Command:
    """Return the command of the parsed ``words``; options not typed keep their default."""
    values = dict(vars(words))
    command: type[Command] = values.pop("command")
    knobs = {name: values.pop(name) for name in [*values] if name.startswith(_KNOB)}
    given = {name.removeprefix(_KNOB): value for name, value in knobs.items()}
    lists = {option.name for option in command.options() if option.count is not None}
    for name in lists & values.keys():
        values[name] = tuple(values[name])
    return command(**values, knobs=given)


def day(text: str) -> date:
    """Return the date of a text such as 2027-12-31; raises ArgumentTypeError for any other."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2027-12-31") from None


def flag(name: str) -> str:
    """Return the flag of an option."""
    return "--" + name.replace("_", "-")


def _names(option: Option) -> tuple[str, ...]:
    return (option.name if option.positional else flag(option.name),)


def _form(option: Option) -> dict[str, Any]:
    """Return argparse's keywords for an option."""
    form: dict[str, Any] = {"help": _escaped(option.doc), "default": SUPPRESS}
    if option.metavar:
        form["metavar"] = option.metavar
    if not option.positional:
        form["required"] = option.required
    if option.kind is bool:
        return {**form, "action": "store_true"}
    return {**form, **_values(option)}


def _values(option: Option) -> dict[str, Any]:
    """Return argparse's keywords for the number and type of an option's values."""
    convert: Callable[[str], Any] = day if option.kind is date else option.kind
    form: dict[str, Any] = {"type": convert}
    if option.choices:
        form["choices"] = option.choices
    if option.repeated:
        form["action"] = "append"
    elif option.count is not None:
        any_number = "*" if option.positional and not option.required else "+"
        form["nargs"] = option.count or any_number
    return form


def _knob_form(knob: Knob) -> dict[str, Any]:
    if knob.kind is bool:
        return {"action": BooleanOptionalAction, "default": SUPPRESS}
    if knob.choices:
        return {"choices": knob.choices, "default": SUPPRESS}
    metavar = knob.unit.upper().replace("%", "PERCENT") or "VALUE"
    return {"type": knob.kind, "metavar": metavar, "default": SUPPRESS}


def _knob_help(knob: Knob) -> str:
    bounded = knob.kind in (int, float) and knob.max < float("inf")
    span = f", {knob.min:g}..{knob.max:g}" if bounded else ""
    return _escaped(f"{knob.doc} (default {knob.default}{span})")


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
