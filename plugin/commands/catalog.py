"""Find every command: in the packages of the nodes, and in the modules beside this file."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from lifemask.nodes import ON_SHOT, Node
from lifemask.nodes.command import Command
from lifemask.nodes.errors import LifemaskError


@cache
def commands() -> tuple[type[Command], ...]:
    """Return the commands: those of a shot in the order of its work, then the others by name.

    The worker is not among them: no host asks a worker for a worker. Raises LifemaskError when two
    have one name, or when one needs what is no command.
    """
    found = _found()
    needed = {name for command in found.values() for name in _before(command)}

    def place(command: type[Command]) -> tuple[bool, int, str]:
        alone = not _before(command) and command.name not in needed
        return alone, _depth(found, command), command.name

    return tuple(sorted(found.values(), key=place))


def nodes() -> dict[type[Node], type[Command]]:
    """Return the nodes, each with the first command that runs it, in the order of the commands."""
    found: dict[type[Node], type[Command]] = {}
    for command in commands():
        if command.node:
            found.setdefault(command.node, command)
    return found


def _found() -> dict[str, type[Command]]:
    found: dict[str, type[Command]] = {}
    for command in (command for module in _modules() for command in _declared(module)):
        if command.name in found:
            raise LifemaskError(f"{command.__module__}: there is a command {command.name} already")
        found[command.name] = command
    return found


def _modules() -> Iterator[ModuleType]:
    yield from ON_SHOT
    for module in iter_modules([str(Path(__file__).parent)]):
        yield import_module(f"{__package__}.{module.name}")


def _declared(module: ModuleType) -> Iterator[type[Command]]:
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__
        if own and issubclass(value, Command) and "name" in vars(value):
            yield value


def _before(command: type[Command]) -> tuple[str, ...]:
    return (*command.needs, *command.uses)


def _depth(found: dict[str, type[Command]], command: type[Command]) -> int:
    """Return the length of the longest chain of commands before this one."""
    for name in _before(command):
        if name not in found:
            raise LifemaskError(f"{command.__module__}: {name} is no command; it cannot be needed")
    return max((_depth(found, found[name]) + 1 for name in _before(command)), default=0)
