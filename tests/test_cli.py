"""The command line: what it says, what it refuses, and with which exit status."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from limit import LONG
from made_up_command import made

from lifemask.nodes import progress
from lifemask.nodes.errors import ReleaseError, StoppedError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.release import Release
from lifemask.ocio.colour.transform import check_space
from lifemask.plugin import __main__
from lifemask.plugin.commands import cli
from lifemask.plugin.commands.catalog import commands
from lifemask.plugin.commands.cli import main, parser
from lifemask.plugin.commands.console import execute

ROOT = Path(__file__).parents[1]
FOOTAGE = ROOT / "tests/footage"
PLATE = FOOTAGE / "a1_dialogue/performer_b/beauty/beauty.####.exr"
SPACE = "Linear Rec.709 (sRGB)"


@pytest.fixture
def folder(tmp_path):
    words = ["--plate", str(PLATE), "--colorspace", SPACE, "--fps", "24"]
    assert main(["shot", "new", str(tmp_path / "sh010"), *words]) == 0
    return tmp_path / "sh010"


def add(folder, project="demo", performer="ada"):
    document = str(FOOTAGE / "releases/ada.md")
    words = ["--document", document, "--project", project, "--expires", "2099-12-31"]
    return main(["release", "add", str(folder), "--performer", performer, *words])


def work(run, as_json=False):
    return execute(made("work", run)(json=as_json))


def raising(error):
    def run(args):
        raise error

    return run


def typed(line):
    """Return the words that a shell makes of a line: a comment follows a space."""
    return shlex.split(re.sub(r"\s#\s.*", "", line))


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_has_help_with_an_example_that_works(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([*command.name.split(), "--help"])
    assert exit_.value.code == 0
    assert command.example.splitlines()[0] in capsys.readouterr().out
    for line in command.example.splitlines():
        words = typed(line)
        assert words[0] == "lifemask"
        args = parser().parse_args(words[1:])
        assert args.command is command
        if getattr(args, "colorspace", ""):
            check_space(args.colorspace)


def test_exit_status_and_one_sentence(capsys):
    assert work(lambda args: {"made": "it"}) == 0
    assert capsys.readouterr().out == "made: it\n"
    for error, status in (
        (ReleaseError("ada: no."), 1),
        (StoppedError("x"), 130),
        (KeyboardInterrupt(), 130),
    ):
        assert work(raising(error)) == status
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.splitlines()) == 1
    with pytest.raises(ZeroDivisionError):
        work(raising(ZeroDivisionError()))


def test_json_lines_tell_progress_notes_and_result(capsys):
    def run(args):
        progress.note("work", "well")
        return {"path": Path("a"), "sum": sum(progress.each([1, 2], "work", 2))}

    assert work(run, as_json=True) == 0
    said = lines(capsys.readouterr().out)
    assert [line["event"] for line in said] == ["note", *["progress"] * 3, "result"]
    assert [line["done"] for line in said[1:4]] == [0, 1, 2]
    assert said[3]["seconds_left"] == 0
    assert said[4] == {"event": "result", "path": "a", "sum": 3}


def test_json_tells_why_it_was_refused(capsys):
    assert work(raising(ReleaseError("ada: no.")), as_json=True) == 1
    said = capsys.readouterr()
    assert lines(said.out) == [{"event": "error", "kind": "ReleaseError", "text": "ada: no."}]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["shot"],
        ["dance"],
        ["track"],
        ["track", "a", "--samples", "x"],
        ["faceset", "a", "t.exr"],
    ],
)
def test_words_that_are_no_command_are_refused(words, capsys):
    assert main(words) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_shot_is_made_from_its_plate(folder):
    shot = Shot.load(folder)
    assert (shot.frames, shot.colorspace, shot.fps) == ("1015-1038", SPACE, 24.0)
    assert shot.plate.sequence.frames == tuple(range(1015, 1039))


def test_what_the_header_names_need_not_be_named(tmp_path):
    assert main(["shot", "new", str(tmp_path / "a"), "--plate", str(PLATE)]) == 0
    shot = Shot.load(tmp_path / "a")
    assert (shot.colorspace, shot.fps) == (SPACE, 24.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plate", "nowhere.####.exr"], "nowhere"),
        (["--plate", str(PLATE), "--colorspace", "ACESgc"], "ACEScg"),
        (["--plate", str(PLATE), "--frames", "1015-1050"], "1039-1050"),
        (["--plate", str(PLATE), "--frames", "some"], "some"),
        (
            ["--plate", str(FOOTAGE / "releases/ada.md"), "--colorspace", "ACEScg"],
            "ada.md: its format",
        ),
    ],
)
def test_a_shot_is_not_half_made(tmp_path, capsys, words, said):
    assert main(["shot", "new", str(tmp_path / "a"), *words]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_the_first_release_gives_the_shot_its_project(folder, capsys):
    assert add(folder) == 0
    assert "demo" in capsys.readouterr().err
    assert Shot.load(folder).project == "demo"
    assert add(folder, "sequel", "ben") == 0
    assert Shot.load(folder).project == "demo"
    assert Release.load(folder / "releases", "ben").project == "sequel"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_leaves_nothing_half_done(folder, name):
    (folder / "signal").write_text(f"{name} track 1")
    words = [sys.executable, ROOT / "tests/signalled.py", folder / "signal", "track", folder]
    child = subprocess.run([*words, "--json"], capture_output=True, text=True, check=False)
    assert child.returncode == 130
    assert len(child.stderr.splitlines()) == 1
    assert not (folder / "track").exists()


def test_an_interrupt_that_a_library_swallows_still_stops(capsys):
    def run(args):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("numpy") from None

    assert work(run) == 130
    assert "numpy" not in capsys.readouterr().err


def test_an_interrupt_waits_until_a_library_is_loaded(tmp_path, monkeypatch):
    (tmp_path / "library_of_cpp.py").write_text(
        "import signal; signal.raise_signal(signal.SIGINT); loaded = True"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def run(args):
        import library_of_cpp

        assert library_of_cpp.loaded
        time.sleep(LONG)
        raise AssertionError

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)]
    assert work(run) == 130
    assert sys.modules.pop("library_of_cpp").loaded
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)]


def test_an_interrupt_before_there_is_a_command_is_told_in_one_sentence(monkeypatch, capsys):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(cli, "main", partial(raising(KeyboardInterrupt()), None))
    __main__.main()
    assert ended == [130]
    assert capsys.readouterr().err == "lifemask: stopped by the user\n"
    monkeypatch.setattr(cli, "main", lambda: 1)
    assert __main__.main() == 1
    assert ended == [130]
