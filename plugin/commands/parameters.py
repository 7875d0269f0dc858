"""The options of a command as parameters: for the worker's requests and for the hosts' settings."""

from argparse import (
    Action,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
    _AppendAction,
    _HelpAction,
    _StoreTrueAction,
)
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, get_type_hints

from lifemask.nodes import Knob, Node
from lifemask.nodes.declaration import WORDS
from lifemask.nodes.errors import LifemaskError
from lifemask.nodes.shot.folder import snake
from lifemask.nodes.shot.keys import near
from lifemask.plugin.commands.command import Command

KNOB = "knob_"


class ParamError(LifemaskError):
    """A request has a parameter that its command does not have, or of another kind."""


@dataclass(frozen=True)
class Param:
    """One option of a command: ``many`` is how many values it takes, 0 for any number."""

    name: str
    kind: type
    doc: str
    default: Any
    required: bool
    positional: bool
    many: int | None
    choices: tuple[str, ...]
    action: Action
    knob: Knob | None

    def value(self, given: object) -> Any:  # noqa: ANN401
        """Return ``given`` as the command wants it; raises ParamError or KnobError."""
        if self.many is None:
            return self._one(given)
        if not isinstance(given, list):
            raise ParamError(f"{self.name}: {given!r} is not a list")
        if self.many and len(given) != self.many:
            raise ParamError(f"{self.name}: {len(given)} values; it takes {self.many}")
        return [self._one(item) for item in given]

    def _one(self, given: object) -> Any:  # noqa: ANN401
        kinds: tuple[type, ...] = {float: (int, float), Path: (str,)}.get(self.kind, (self.kind,))
        if not isinstance(given, kinds) or isinstance(given, bool) is not (self.kind is bool):
            raise ParamError(f"{self.name}: {given!r} is not {_WORDS[self.kind]}")
        if self.choices and given not in self.choices:
            raise ParamError(f"{self.name}: {given!r} is not one of {', '.join(self.choices)}")
        if isinstance(given, float) and not isfinite(given):
            raise ParamError(f"{self.name}: {given} is not a number")
        if isinstance(given, str):
            self._check_text(given)
        if self.knob:
            self.knob.check(given)
        return self._converted(given)

    def _check_text(self, given: str) -> None:
        if self.kind is Path and not given:
            raise ParamError(f"{self.name}: is empty")
        try:
            whole = "\0" not in given and bool(given.encode() or True)
        except UnicodeEncodeError:
            whole = False
        if not whole:
            raise ParamError(f"{self.name}: {given!r} cannot be part of a file's name")

    def _converted(self, given: Any) -> Any:  # noqa: ANN401
        convert = self.action.type
        if not callable(convert):
            return given
        try:
            return convert(given if isinstance(convert, type) else str(given))
        except (ArgumentTypeError, ValueError, OverflowError) as error:
            raise ParamError(f"{self.name}: {error}") from error


_WORDS = {**WORDS, Path: "the path of a file or folder"}


def node_of(command: Command) -> type[Node] | None:
    """Return the node that a command runs: the one of the same name."""
    name = command.name.replace(" ", "_")
    return next((node for node in Node.registry.values() if snake(node.__name__) == name), None)


def params(command: Command) -> dict[str, Param]:
    """Return the parameters of a command by name, those of its node's knobs last."""
    node = node_of(command)
    knobs = {KNOB + knob.name: knob for knob in node.knobs()} if node else {}
    actions = [
        action for action in _parser(command)._actions if not isinstance(action, _HelpAction)
    ]
    found = [_param(action, knobs.get(action.dest)) for action in actions]
    return {param.name: param for param in found}


def arguments(command: Command, given: Mapping[str, object]) -> Namespace:
    """Return what the command line would have made of ``given``; null is as if not given.

    Raises ParamError, or KnobError when a knob is out of range, with a sentence that names it.
    """
    known = params(command)
    there = {name: value for name, value in given.items() if value is not None}
    for name in there:
        if name not in known:
            raise ParamError(f"{command.name}: there is no parameter {name!r}{near(name, known)}")
    values = {name: known[name].value(value) for name, value in there.items()}
    for param in known.values():
        if param.required and values.get(param.name) in (None, []):
            raise ParamError(f"{command.name}: {param.name} is missing")
    _check_choice(command, values)
    defaults = {param.action.dest: param.action.default for param in known.values()}
    chosen = {known[name].action.dest: value for name, value in values.items()}
    return Namespace(**{**defaults, **chosen}, json=True)


def _parser(command: Command) -> ArgumentParser:
    parser = ArgumentParser(prog=command.name)
    command.arguments(parser)
    return parser


def _param(action: Action, knob: Knob | None) -> Param:
    return Param(
        name=knob.name if knob else action.dest,
        kind=_kind(action),
        doc=knob.doc if knob else (action.help or "").replace("%%", "%"),
        default=knob.default if knob else action.default,
        required=action.required and action.nargs != "*",
        positional=not action.option_strings,
        many=_many(action),
        choices=tuple(action.choices or ()),
        action=action,
        knob=knob,
    )


def _many(action: Action) -> int | None:
    """How many values there are: None for one that is no list, 0 for any number."""
    if isinstance(action, _AppendAction) or action.nargs in ("*", "+"):
        return 0
    return action.nargs if isinstance(action.nargs, int) and action.nargs else None


def _flag(action: Action) -> bool:
    return isinstance(action, _StoreTrueAction | BooleanOptionalAction)


def _kind(action: Action) -> type:
    """The kind of an option's values: what its converter makes of the words, if JSON has it."""
    if _flag(action):
        return bool
    convert = action.type or str
    made = convert if isinstance(convert, type) else get_type_hints(convert).get("return")
    return made if made in (int, float, Path) else str


def _check_choice(command: Command, values: Mapping[str, Any]) -> None:
    """Raise ParamError when options are given that exclude each other, or none of them is."""
    for group in _parser(command)._mutually_exclusive_groups:
        names = [action.dest for action in group._group_actions]
        given = [name for name in names if values.get(name)]
        if len(given) > 1 or (group.required and not given):
            raise ParamError(f"{command.name}: it takes one of {' and '.join(names)}")
