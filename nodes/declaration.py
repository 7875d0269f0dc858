"""Declare a node once; Python, CLI, Nuke, Blender and docs all read this declaration.

A node is a frozen dataclass: its fields are the knobs, the signature of ``__call__`` is
the plugs, its docstring is the help. Nothing here imports torch or a host application.
"""

from collections.abc import Callable
from dataclasses import Field, dataclass, fields, replace
from functools import cache
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

    Hosts show an ``at_hand`` knob beside the buttons.
    """

    doc: str
    min: float = -inf
    max: float = inf
    unit: str = ""
    at_hand: bool = False
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
        Node.registry[cls.__name__] = dataclass(frozen=True, kw_only=True)(cls)

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


def _knob(field: Field[Any], kind: type, knob: Knob) -> Knob:
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    kind = str if choices else kind
    return replace(knob, name=field.name, kind=kind, choices=choices, default=field.default)
