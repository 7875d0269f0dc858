"""Commands: each is a dataclass whose fields are its options, declared once.

The command line, the worker's checks, nodes.json and both hosts' panels are made from these
declarations. Nothing here imports torch or a host application.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from functools import cache
from inspect import getdoc
from pathlib import Path
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from lifemask.nodes.declaration import Node

if TYPE_CHECKING:
    from lifemask.nodes.shot.folder import Shot

Result = Mapping[str, Any]
"""The results of a command by name: a path, a list of paths, or a value that JSON can hold."""


@dataclass(frozen=True)
class Option:
    """One option of a command; `Command.options` reads the rest from its field.

    ``metavar`` names a value in the help: one word, or one for each of a fixed number of values.
    A ``repeated`` option takes one value each time it is given. Options of one ``group`` exclude
    each other, and one of them is required. ``last`` options are listed after all others.

    ``settings`` are the settings of a host that give the value: the one of the option's own name
    unless said otherwise; two are joined as a=b; with () hosts do not offer the option.

    A ``count`` of None means a single value, 0 any number of values.
    """

    doc: str
    metavar: str | tuple[str, ...] = ""
    positional: bool = False
    repeated: bool = False
    group: str = ""
    last: bool = False
    settings: tuple[str, ...] | None = None
    name: str = ""
    kind: type = str
    count: int | None = None
    choices: tuple[str, ...] = ()
    default: Any = None
    required: bool = False


@dataclass(frozen=True)
class Press:
    """One request that a button sends: ``values``, and the settings of ``options``, else of all.

    It is sent only when the setting ``when`` is filled in; until it is, the shot must hold a
    version for the likeness already.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] | None = None
    when: str = ""


@dataclass(frozen=True)
class Button:
    """How hosts offer a command: under the heading ``section``, with its settings.

    With ``plate``, the plate is rendered to disk first where the graph above has changed.
    ``by_frame`` makes two buttons, one for the current frame and one for a range; both replace
    frames of one version.
    """

    section: str
    plate: bool = False
    by_frame: bool = False
    presses: tuple[Press, ...] = (Press(),)


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclass(frozen=True, kw_only=True)
class Command(ABC):
    """Base of every command; deriving from it makes the class a frozen dataclass.

    The docstring is the help; ``name`` may be two words, ``example`` ends the help. ``needs`` are
    the commands that must have run on the shot, ``uses`` those whose results are taken when there
    are any. A ``query`` only reads, and answers at once. A command that runs a ``node`` takes its
    knobs, too. ``goal`` marks the command that a shot is set up for, and ``also`` is a second way
    to type a command: its group and a flag.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    uses: ClassVar[tuple[str, ...]] = ()
    query: ClassVar[bool] = False
    goal: ClassVar[bool] = False
    also: ClassVar[str] = ""
    node: ClassVar[type[Node] | None] = None
    button: ClassVar[Button | None] = None

    knobs: Mapping[str, Any] = field(default_factory=dict)
    json: bool = False

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)

    @abstractmethod
    def run(self) -> Result:
        """Run the command, and return its results."""

    @classmethod
    def help(cls) -> str:
        """Return the first paragraph of the docstring on one line."""
        return " ".join((getdoc(cls) or "").partition("\n\n")[0].split())

    @classmethod
    @cache
    def options(cls) -> tuple[Option, ...]:
        """Return the options in the order they are listed; the node's knobs are not among them."""
        hints = get_type_hints(cls, include_extras=True)
        own = [f for f in fields(cls) if get_origin(hints[f.name]) is Annotated]
        found = (_option(f, *get_args(hints[f.name])) for f in own)
        return tuple(sorted(found, key=lambda option: option.last))

    @classmethod
    def lacking(cls, shot: "Shot", likenesses: Sequence[str], person: str = "") -> str:
        """Return why the command must run to swap ``likenesses``; empty when it need not.

        ``person`` is who is replaced; empty for everybody in the plate.
        """
        return ""


SHOT = Option("The shot's folder.", "SHOT", positional=True)
FRAMES = Option("Such as 1001-1040 or 1001-1096x2; all by default.", "RANGE", settings=())
"""A host sends the frames that a button is pressed for."""

OVERWRITE = Option("Replace the version if it exists already.", last=True, settings=())


class OnShot(Command):
    """A command that makes a version of something in a shot: ``makes`` is the folder it goes to.

    ``ending`` ends the name of what it makes.
    """

    registry: ClassVar[dict[str, type["OnShot"]]] = {}
    makes: ClassVar[str]
    ending: ClassVar[str] = ""

    shot: Annotated[Path, SHOT]
    version: Annotated[
        int | None, Option("Number of the version; the next one by default.", "N", last=True)
    ] = None
    overwrite: Annotated[bool, OVERWRITE] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        OnShot.registry[cls.makes] = cls

    @classmethod
    def options_for(cls, name: str) -> Mapping[str, object]:
        """Return the options with which the command makes ``name``; ``...`` is for a list."""
        return {}

    @classmethod
    def lacking(cls, shot: "Shot", likenesses: Sequence[str], person: str = "") -> str:
        """Return the text that there is no version yet, or an empty text."""
        return "" if shot.names(cls.makes) else f"{cls.makes}/ has nothing yet"

    @classmethod
    def lacking_of(cls, names: Sequence[str], made: set[str]) -> str:
        """Return which of the ``names`` are not ``made`` yet, in words; empty when all are."""
        missing = [name for name in names if name not in made]
        if names and not missing:
            return ""
        return f"{cls.makes}/ has nothing of {', '.join(missing) or 'anybody'} yet"


def _option(declared: Field[Any], hint: Any, option: Option) -> Option:  # noqa: ANN401
    if NoneType in get_args(hint):
        hint = get_args(hint)[0]
    parts = [part for part in get_args(hint) if part is not Ellipsis]
    many, choices = get_origin(hint) is tuple, get_args(hint) if get_origin(hint) is Literal else ()
    required = declared.default is MISSING
    return replace(
        option,
        name=declared.name,
        kind=str if choices else (parts or [hint])[0],
        count=(0 if Ellipsis in get_args(hint) else len(parts)) if many else None,
        choices=choices,
        default=None if required else declared.default,
        required=required,
    )
