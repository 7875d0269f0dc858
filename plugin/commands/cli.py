"""The command line: one file for each command."""

import sys
from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from lifemask.nodes.errors import LifemaskError
from lifemask.ocio.media.sequence import check_utf8
from lifemask.plugin.benchmarks import benchmark_faces, benchmark_swap, benchmark_train
from lifemask.plugin.commands import (
    faceset,
    look,
    release_add,
    shot_info,
    shot_new,
    swap,
    track,
    train,
    train_base,
    truth,
)
from lifemask.plugin.commands.command import Command
from lifemask.plugin.commands.console import STOPPED, NobodyListensError, execute, refuse, say
from lifemask.plugin.commands.system_errors import sentence
from lifemask.plugin.worker import server
from lifemask.plugin.worker.malloc import share_memory

if TYPE_CHECKING:
    from argparse import _SubParsersAction

COMMANDS: tuple[Command, ...] = (
    shot_new.NEW,
    shot_info.INFO,
    release_add.ADD,
    track.COMMAND,
    faceset.COMMAND,
    train.COMMAND,
    swap.COMMAND,
    look.COMMAND,
    truth.COMMAND,
    benchmark_swap.COMMAND,
    benchmark_train.COMMAND,
    benchmark_faces.COMMAND,
    train_base.COMMAND,
)
"""What a person can type, and a host can ask a worker for."""

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
    """Print the version, which is looked up only then."""

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
        # argparse before Python 3.13 takes no list of words that comes after an option.
        if "takes" in found and not any(word.startswith("-") for word in rest):
            found.takes = [*found.takes, *rest]
            rest = []
        return found, rest

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        say(end="")  # the help may not have come through
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (`{self.prog} --help` has an example)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``lifemask`` with ``argv`` and return the exit status."""
    words = _known(sys.argv[1:] if argv is None else argv)
    try:
        args = parser().parse_args(words)
        share_memory()
        if args.command is server.COMMAND:
            server.serve(COMMANDS)
    except NobodyListensError:
        return STOPPED
    except LifemaskError as error:
        return refuse(error, "--json" in words)
    except Exception as error:
        if (told := sentence(error, "lifemask")) is None:
            raise
        return refuse(told, "--json" in words)
    return execute(args.command, args)


def _known(words: Sequence[str]) -> Sequence[str]:
    """``train --base``, which is about no shot, is a command of its own: ``base``."""
    if list(words[:1]) != ["train"] or "--base" not in words:
        return words
    return ["base", *(word for word in words[1:] if word != "--base")]


def parser() -> ArgumentParser:
    """Return the parser of all commands; loads no library that is not the language's own."""
    top = _Parser(
        prog="lifemask",
        description="Face replacement for visual effects: a plate in, a scene-linear EXR out.",
        epilog=EXAMPLE,
        formatter_class=RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="Print the version and exit.")
    adders = {"": top.add_subparsers(required=True, metavar="COMMAND", title="commands")}
    for command in (*COMMANDS, server.COMMAND):
        _add(adders, command)
    return top


def _add(adders: "dict[str, _SubParsersAction[_Parser]]", command: Command) -> None:
    group, _, word = command.name.rpartition(" ")
    if group not in adders:
        described = adders[""].add_parser(group, help=command.help, description=command.help)
        adders[group] = described.add_subparsers(required=True, metavar="COMMAND", title="commands")
    one = adders[group].add_parser(
        word,
        help=command.help,
        description=command.help,
        epilog=f"example:\n  {command.example}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    command.arguments(one)
    one.add_argument(
        "--json", action="store_true", help="Write progress as JSON, one object a line."
    )
    one.set_defaults(command=command)


if __name__ == "__main__":
    raise SystemExit(main())
