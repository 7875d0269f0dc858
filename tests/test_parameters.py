"""Parameters: the same as the command line's options, checked before anything is done."""

import re
import shlex
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path

import pytest

from lifemask.nodes.errors import KnobError
from lifemask.plugin.commands.cli import COMMANDS, parser
from lifemask.plugin.commands.command import Command
from lifemask.plugin.commands.parameters import ParamError, arguments, params
from lifemask.plugin.packaging.declarations import FILE, declared


def listed(value):
    return list(value) if isinstance(value, tuple) else value


EXAMPLES = [(c, line) for c in COMMANDS for line in c.example.splitlines()]
BY_NAME = {command.name: command for command in COMMANDS}


def plain(value):
    """A value of the command line as JSON would hold it."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path | date) else value


def test_hosts_read_what_is_declared():
    text = FILE.read_text(encoding="utf-8")
    assert declared() == text, "run: make generated"


@pytest.mark.parametrize(("command", "line"), EXAMPLES)
def test_parameters_are_the_options_of_the_command_line(command, line):
    typed = parser().parse_args(shlex.split(re.sub(r"\s#\s.*", "", line))[1:])
    options = {name: vars(typed)[p.action.dest] for name, p in params(command).items()}
    read = vars(arguments(command, {name: plain(value) for name, value in options.items()}))
    assert read.pop("json") is True
    again = {name: read[param.action.dest] for name, param in params(command).items()}
    assert {name: listed(value) for name, value in again.items()} == {
        name: listed(value) for name, value in options.items()
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_what_is_missing_is_named(command):
    needed = [param.name for param in params(command).values() if param.required]
    if command.name == "benchmark faces":
        assert vars(arguments(command, {}))["sizes"] == (128, 256, 512)
    else:
        with pytest.raises(ParamError, match=needed[0]):
            arguments(command, {})


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        ("track", {"shot": "a", "smples": 4}, "did you mean samples"),
        ("track", {"shot": "a", "samples": 4.5}, "samples: 4.5 is not a whole number"),
        ("track", {"shot": "a", "samples": True}, "samples: True is not a whole number"),
        ("track", {"shot": "a", "small_faces": 1}, "small_faces: 1 is not true or false"),
        ("track", {"shot": ""}, "shot: is empty"),
        ("swap", {"shot": "a", "likeness": "ada"}, "likeness: 'ada' is not a list"),
        ("swap", {"shot": "a", "likeness": []}, "likeness is missing"),
        ("swap", {"shot": "a", "likeness": ["ada"], "turn": float("nan")}, "turn: nan"),
        ("shot new", {"shot": "a", "plate": "b", "fps": float("inf")}, "fps: inf"),
        ("faceset", {"shot": "a"}, "one of performer and double"),
        ("faceset", {"shot": "a", "performer": "ada", "double": True}, "one of performer and"),
        ("benchmark swap", {"shots": ["a"], "lengths": [1]}, "lengths: 1 values; it takes 2"),
        (
            "release add",
            {"shot": "a", "performer": "b", "document": "c", "project": "d", "expires": "soon"},
            "expires: 'soon' is not a day",
        ),
    ],
)
def test_what_is_wrong_is_named(command, given, said):
    with pytest.raises(ParamError, match=re.escape(said)):
        arguments(BY_NAME[command], given)


def test_a_knob_out_of_range_is_refused_before_anything_is_done():
    with pytest.raises(KnobError, match=r"samples: 65 is outside 2\.\.64"):
        arguments(BY_NAME["track"], {"shot": "a", "samples": 65})


def test_null_is_as_if_not_given():
    swap = BY_NAME["swap"]
    assert arguments(swap, {"shot": "a", "likeness": ["b"], "version": None}).version is None


def test_a_choice_is_one_of_those_declared():
    def add(parser):
        parser.add_argument("--preset", choices=("draft", "hero"))

    command = Command("train", "", "", add, lambda args: {})
    assert arguments(command, {"preset": "draft"}).preset == "draft"
    with pytest.raises(ParamError, match="preset: 'best' is not one of draft, hero"):
        arguments(command, {"preset": "best"})


def test_a_converter_of_words_takes_the_kind_that_it_makes():
    def even(text: str) -> int:
        if int(text) % 2:
            raise ArgumentTypeError(f"{text!r} is not even")
        return int(text)

    command = Command("odd", "", "", lambda parser: parser.add_argument("--n", type=even), dict)
    assert params(command)["n"].kind is int
    assert arguments(command, {"n": 2}).n == 2
    for wrong, said in ((3, "n: '3' is not even"), ("2", "n: '2' is not a whole number")):
        with pytest.raises(ParamError, match=said):
            arguments(command, {"n": wrong})
