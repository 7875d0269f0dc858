"""Parameters: the same as the command line's options, checked before anything is done."""

import re
import shlex
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest

from lifemask.nodes.command import Command, Option
from lifemask.nodes.errors import KnobError
from lifemask.plugin.commands.arguments import typed
from lifemask.plugin.commands.catalog import commands
from lifemask.plugin.commands.cli import parser
from lifemask.plugin.commands.parameters import ParamError, requested
from lifemask.plugin.packaging.declarations import FILE, declared

EXAMPLES = [(c, line) for c in commands() for line in c.example.splitlines()]
BY_NAME = {command.name: command for command in commands()}


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
    words = shlex.split(re.sub(r"\s#\s.*", "", line))[1:]
    asked = typed(parser().parse_args(words))
    options = {option.name: plain(getattr(asked, option.name)) for option in command.options()}
    assert requested(command, {**options, **asked.knobs}) == replace(asked, json=True)


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_what_is_missing_is_named(command):
    needed = [option.name for option in command.options() if option.required]
    if command.name == "benchmark faces":
        assert requested(command, {}).sizes == (128, 256, 512)
    else:
        with pytest.raises(ParamError, match=needed[0]):
            requested(command, {})


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
        ("swap", {"shot": "a", "likeness": ["ada"], "rotate": float("nan")}, "rotate: nan"),
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
        requested(BY_NAME[command], given)


def test_a_knob_out_of_range_is_refused_before_anything_is_done():
    with pytest.raises(KnobError, match=r"samples: 65 is outside 2\.\.64"):
        requested(BY_NAME["track"], {"shot": "a", "samples": 65})


def test_null_is_as_if_not_given():
    swap = BY_NAME["swap"]
    assert requested(swap, {"shot": "a", "likeness": ["b"], "version": None}).version is None


def test_a_choice_is_one_of_those_declared():
    class Pick(Command):
        name = "pick"
        preset: Annotated[Literal["draft", "hero"], Option("Which.")] = "draft"

        def run(self):
            return {}

    assert requested(Pick, {"preset": "hero"}).preset == "hero"
    with pytest.raises(ParamError, match="preset: 'best' is not one of draft, hero"):
        requested(Pick, {"preset": "best"})


def test_values_become_what_their_fields_say():
    class Read(Command):
        name = "read"
        day: Annotated[date, Option("When.")] = date(2027, 1, 1)
        sizes: Annotated[tuple[int, ...], Option("How large.")] = ()
        folder: Annotated[Path | None, Option("Where.")] = None
        rate: Annotated[float, Option("How fast.")] = 1.0

        def run(self):
            return {}

    given = {"day": "2027-12-31", "sizes": [1, 2], "folder": "a b", "rate": 24}
    read = requested(Read, given)
    assert (read.day, read.sizes, read.folder) == (date(2027, 12, 31), (1, 2), Path("a b"))
    assert isinstance(read.rate, float)
    for wrong, said in (([1, 2.5], "sizes: 2.5 is not a whole number"), (3, "sizes: 3 is not a")):
        with pytest.raises(ParamError, match=said):
            requested(Read, {"sizes": wrong})
