"""The command line: it parses the words, and runs the command that they ask for."""

import sys
from argparse import SUPPRESS, Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any, NoReturn

from lifemask.nodes.command import Command
from lifemask.nodes.errors import LifemaskError
from lifemask.ocio.media.sequence import check_utf8
from lifemask.plugin.commands.arguments import add_arguments, typed
from lifemask.plugin.commands.catalog import commands
from lifemask.plugin.commands.console import STOPPED, NobodyListensError, execute, refuse, say
from lifemask.plugin.commands.system_errors import sentence
from lifemask.plugin.worker.malloc import share_memory
from lifemask.plugin.worker.worker_command import Worker

EXAMPLE = """\
a shot from start to end:
  lifemask shot new sh010 --plate plates/sh010.####.exr --colorspace ACEScg --fps 24
  lifemask release add sh010 --performer ada --document ada_release.pdf --project demo \\
      --expires 2027-12-31
  lifemask track sh010
  lifemask faceset sh010 --performer ada takes/ada_*/*.####.exr
  lifemask faceset sh010 --double
  lifemask train sh010 --likeness ada --preset draft
  lifemask swap sh010 --likeness ada --frames 1001-1040
  lifemask look sh010
"""


class _Version(Action):
    """Prints the version, which is looked up only when asked for."""

    def __call__(self, parser: ArgumentParser, *_: Any) -> None:  # noqa: ANN401
        from importlib.metadata import version

        say(f"lifemask {version('lifemask')}")
        parser.exit()


class UsageError(LifemaskError):
    """The words after ``lifemask`` are not a command."""


class _Parser(ArgumentParser):
    """A parser that refuses as every command does: one sentence, exit status 1."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        for word in args or ():
            check_utf8(word)
            if "\0" in word:
                raise UsageError(f"{word!a}: no name has a character 0")
        found, rest = super().parse_known_args(args, namespace)
        # argparse before Python 3.13 accepts no list of words after an option.
        for name in _lists(found) if not any(word.startswith("-") for word in rest) else ():
            setattr(found, name, [*getattr(found, name, ()), *rest])
            rest = []
        return found, rest

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        say(end="")  # the help may not have come through
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (`{self.prog} --help` has an example)")


def _lists(found: Namespace) -> list[str]:
    """Return the names of the positional options that take a list."""
    options = found.command.options() if "command" in found else ()
    return [option.name for option in options if option.positional and option.count == 0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``lifemask`` with ``argv`` and return the exit status."""
    words = sys.argv[1:] if argv is None else argv
    try:
        command = typed(parser().parse_args(_renamed(words)))
        share_memory()
        if isinstance(command, Worker):
            command.run()
    except NobodyListensError:
        return STOPPED
    except LifemaskError as error:
        return refuse(error, "--json" in words)
    except Exception as error:
        if (refusal := sentence(error, "lifemask")) is None:
            raise
        return refuse(refusal, "--json" in words)
    return execute(command)


def _renamed(words: Sequence[str]) -> Sequence[str]:
    """Return ``words`` with an alternative spelling of a command replaced by its name."""
    for command in commands():
        group, _, flag = command.also.partition(" ")
        if flag in words and words[0] == group:
            return [*command.name.split(), *(word for word in words[1:] if word != flag)]
    return words


def parser() -> ArgumentParser:
    """Return the parser of all commands; loads the standard library only."""
    top = _Parser(
        prog="lifemask",
        description="Face replacement for visual effects: a plate in, a scene-linear EXR out.",
        epilog=EXAMPLE,
        formatter_class=RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--version", action=_Version, nargs=0, default=SUPPRESS, help="Print the version and exit."
    )
    adders = {"": top.add_subparsers(required=True, metavar="COMMAND", title="commands")}
    every: list[type[Command]] = [*commands(), Worker]
    for command in every:
        _add(adders, command)
    return top


def _add(adders: dict[str, Any], command: type[Command]) -> None:
    group, _, word = command.name.rpartition(" ")
    about = command.help()
    if group not in adders:
        described = adders[""].add_parser(group, help=about, description=about)
        adders[group] = described.add_subparsers(required=True, metavar="COMMAND", title="commands")
    one = adders[group].add_parser(
        word,
        help=about,
        description=about,
        epilog=f"example:\n  {command.example}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    add_arguments(one, command)


if __name__ == "__main__":
    raise SystemExit(main())
