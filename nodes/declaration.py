"""Declare a node once; Python, CLI, Nuke, Blender and docs all read this declaration.

A node is a frozen dataclass: its fields are the knobs, the signature of ``__call__`` is
the plugs, its docstring is the help. Nothing here imports torch or a host application.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields, replace
from functools import cache, wraps
from inspect import getdoc
from math import inf
from typing import (
    Any,
    ClassVar,
    Literal,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from lifemask.nodes.errors import KnobError

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
"""What a value of a kind is called."""


@dataclass(frozen=True)
class Knob:
    """One knob: its help, inclusive range and unit; `knobs` fills in the rest from the field.

    Hosts show an ``at_hand`` knob beside the buttons. ``was`` is its name in the last release: it
    is still accepted, with a note.
    """

    doc: str
    min: float = -inf
    max: float = inf
    unit: str = ""
    at_hand: bool = False
    was: str = ""
    name: str = ""
    kind: type = float
    choices: tuple[str, ...] = ()
    default: Any = None

    def check(self, value: object) -> None:
        """Raise KnobError, in words an artist can act on, unless ``value`` is allowed."""
        kinds = (int, float) if self.kind is float else self.kind
        if self.choices and value not in self.choices:
            raise KnobError(f"{self.name}: {value!r} is not one of {', '.join(self.choices)}")
        if not isinstance(value, kinds) or isinstance(value, bool) is not (self.kind is bool):
            raise KnobError(f"{self.name}: {value!r} is not {WORDS[self.kind]}")
        if isinstance(value, int | float) and not self.min <= value <= self.max:
            span = f"{self.min:g}..{self.max:g} {self.unit}".rstrip()
            raise KnobError(f"{self.name}: {value} is outside {span}")


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclass(frozen=True, kw_only=True)
class Node:
    """Base of every node; deriving from it freezes the class and registers it by name."""

    registry: ClassVar[dict[str, type["Node"]]] = {}
    __call__: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls) -> None:
        Node.registry[cls.__name__] = _accepting_old_names(
            dataclass(frozen=True, kw_only=True)(cls)
        )

    def __post_init__(self) -> None:
        for knob in self.knobs():
            knob.check(getattr(self, knob.name))

    @classmethod
    def summary(cls) -> str:
        """Return the first paragraph of the docstring: what an artist sees as help."""
        return (getdoc(cls) or "").partition("\n\n")[0]

    @classmethod
    @cache
    def knobs(cls) -> tuple[Knob, ...]:
        """Return the knobs in the order they are declared."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple(_knob(f, *get_args(hints[f.name])) for f in fields(cls))

    @classmethod
    def renamed(cls, values: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
        """Return the ``values`` of knobs under their current names, and ``say`` which were old.

        Raises KnobError for a knob that is given under both names.
        """
        today = {knob.was: knob.name for knob in cls.knobs() if knob.was}
        for old in [name for name in values if name in today]:
            if today[old] in values:
                raise KnobError(f"{today[old]}: is given twice, under its old name {old}, too")
            say(f"{old} is now {today[old]}; the old name goes with the next release")
        return {today.get(name, name): value for name, value in values.items()}


def _accepting_old_names(node: type[Node]) -> type[Node]:
    """Let the old names of knobs be passed to a ``node``, with a DeprecationWarning."""
    plain = node.__init__

    @wraps(plain)
    def init(self: Node, **values: Any) -> None:  # noqa: ANN401
        def warn(text: str) -> None:
            warnings.warn(f"{node.__name__}: {text}", DeprecationWarning, stacklevel=4)

        plain(self, **node.renamed(values, warn))

    node.__init__ = init  # type: ignore[assignment]
    return node


def _knob(field: Field[Any], kind: type, knob: Knob) -> Knob:
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    kind = str if choices else kind
    return replace(knob, name=field.name, kind=kind, choices=choices, default=field.default)
