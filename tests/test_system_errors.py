"""What the system refuses: one sentence each, exit status 1, and never a traceback."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FOOTAGE, SPACE
from made_up_command import made
from torch import OutOfMemoryError

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError, StoppedError
from lifemask.nodes.shot.folder import Shot
from lifemask.plugin.commands.cli import main
from lifemask.plugin.commands.console import execute
from lifemask.plugin.commands.system_errors import sentence

PLATE = FOOTAGE / "a1_dialogue/performer_b/beauty"
WORDS = ["--colorspace", SPACE, "--fps", "24"]


@pytest.fixture
def folder(tmp_path):
    """Return the folder of a shot without anything but its shot.toml."""
    Shot.new(tmp_path / "sh010", str(PLATE / "beauty.####.exr"), SPACE, 24.0, "1015-1038")
    return tmp_path / "sh010"


@pytest.fixture
def refused(capsys):
    """Return what a command says when it is refused."""

    def say(*words):
        capsys.readouterr()
        assert main([*map(str, words)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("lifemask: ")
        return line

    return say


def typed(*words, line="", **environment):
    """Return status, output and errors of the command; ``line`` is what a shell adds to it."""
    command = f'exec "$0" -m lifemask.plugin "$@" {line}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, *map(str, words)],
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode, *(said.decode("latin-1") for said in (done.stdout, done.stderr))


def denied(path, monkeypatch):
    """Let nobody deal with ``path`` and what is in it: no mode keeps root from that."""

    def refusing(call):
        def checked(file=".", *given, **more):
            name = file if isinstance(file, str | bytes | Path) else "."
            if Path(os.fsdecode(name)).is_relative_to(path):
                raise PermissionError(errno.EACCES, "Permission denied", str(file))
            return call(file, *given, **more)

        return checked

    for name in ("stat", "open", "listdir", "scandir", "mkdir"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    monkeypatch.setattr("io.open", refusing(open))
    monkeypatch.setattr("builtins.open", refusing(open))


def made_of(error):
    return lambda args: (_ for _ in ()).throw(error).__next__()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "a/b"), "a/b: Permission denied"),
        (OSError(28, "No space left on device"), "work: No space left on device"),
        (OSError(9, "Bad file descriptor", 7), "work: Bad file descriptor"),
        (OSError(2, "No such file", b"a\xff"), r"a\udcff: No such file"),
        (MemoryError(), "work: there is not enough memory"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            "work: there is",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "work: there is not enough"),
        (OutOfMemoryError("a card is full"), "work: there is not enough memory"),
        (RuntimeError("can't start new thread"), "work: the system allows no more threads"),
        (ImportError("libx.so: failed to map", path="x.so"), "work: a library cannot be loaded"),
        (RecursionError("maximum"), "work: what it was given is nested too deeply"),
        (UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "no"), r"work: 'a\udcff' cannot be written"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "work: a text is not in the encoding"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_each_is_one_sentence(error, said, as_json, capsys):
    assert str(sentence(error, "work")).startswith(said)
    assert execute(made("work", made_of(error))(json=as_json)) == 1
    told = capsys.readouterr()
    if as_json:
        assert json.loads(told.out)["kind"] == "SystemRefusalError"
    assert len(told.err.splitlines()) == 1


def test_a_fault_of_ours_and_a_stop_are_none():
    for error in (KeyError, ValueError, RuntimeError, TypeError, KeyboardInterrupt, StoppedError):
        assert sentence(error("no"), "work") is None
    assert sentence(ImportError("cannot import name 'x'", path="x.py"), "work") is None


def test_what_may_not_be_read_is_named(folder, refused, tmp_path, monkeypatch):
    shutil.copytree(PLATE, tmp_path / "plate")
    for name in ("releases", "track", "facesets"):
        (folder / name).mkdir()
    plate = tmp_path / "plate/beauty.####.exr"
    with monkeypatch.context() as system:
        denied(tmp_path / "plate", system)
        assert "####.exr: Perm" in refused("shot", "new", tmp_path / "a", "--plate", plate, *WORDS)
        assert "plate" in refused("faceset", folder, tmp_path / "plate", "--performer", "ada")
    for name in ("track", "facesets"):
        with monkeypatch.context() as system:
            denied(folder / name, system)
            assert f"{name}: Permission denied" in refused("shot", "info", folder)
    with monkeypatch.context() as system:
        denied(folder / "shot.toml", system)
        assert "shot.toml: cannot be read (Permission denied)" in refused("shot", "info", folder)


def test_names_that_are_too_long_and_links_to_themselves(folder, refused, tmp_path):
    long = "n" * 300
    (tmp_path / "loop").symlink_to("loop")
    plate = PLATE / "beauty.####.exr"
    assert "too long" in refused("shot", "new", tmp_path / "a", "--plate", f"{long}.####.exr")
    assert "too long" in refused("faceset", folder, "--performer", "q", long)
    until = ["--project", "demo", "--expires", "2099-01-01"]
    given = ["release", "add", folder, "--performer", "q", "--document", long]
    assert "too long" in refused(*given, *until)
    assert "100" in refused("shot", "new", tmp_path / long, "--plate", plate, *WORDS)
    assert "links" in refused("shot", "new", tmp_path / "loop/x", "--plate", plate, *WORDS)
    assert "100" in refused("faceset", folder, "--performer", long, plate)


@pytest.mark.parametrize("words", [["--frames", "9" * 5000], ["--version", "9" * 5000]])
def test_numbers_of_thousands_of_digits(folder, refused, words):
    assert "999" in refused("track", folder, *words)


@pytest.mark.parametrize("word", ["a\0b", "a\udcff"])
def test_words_that_no_name_can_be(folder, refused, word):
    assert ascii(word) in refused("shot", "new", folder.parent / "a", "--plate", word, *WORDS)
    assert ascii(word) in refused("swap", folder, "--likeness", word)


def test_a_full_disk_for_what_is_told(folder):
    status, _, said = typed("shot", "info", folder, line=">/dev/full")
    assert status == 1
    assert said == "lifemask: standard output: cannot be written (No space left on device)\n"
    assert typed("shot", "info", folder, "--json", line=">/dev/full")[0] == 1
    assert typed("--help", line=">/dev/full")[0] == 1
    assert typed("shot", "info", folder / "no", line="2>/dev/full") == (1, "", "")
    status, told, _ = typed("shot", "info", folder, line="2>/dev/full")
    assert status == 0
    assert told.startswith("sh010")


def test_streams_that_are_closed(folder):
    assert typed("shot", "info", folder, line=">&-") == (0, "", "")
    assert typed("shot", "info", folder / "no", line="2>&-") == (1, "", "")
    made = folder.parent / "a"
    words = ["shot", "new", made, "--plate", PLATE / "beauty.####.exr", *WORDS]
    assert typed(*words, line="<&- >&- 2>&-") == (0, "", "")
    assert Shot.load(made).frames == "1015-1038"


def test_nobody_listens(folder):
    status, _, said = typed("shot", "info", folder, line="| true; exit 7")
    assert (status, said) == (7, "")


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb", "PYTHONIOENCODING": "latin-1"},
    ],
)
def test_names_beyond_ascii_whatever_the_terminal_and_the_locale(tmp_path, environment):
    plate = tmp_path / "ü 映/plate"
    plate.mkdir(parents=True)
    for frame in (1015, 1016):
        shutil.copy(PLATE / f"beauty.{frame}.exr", plate)
    folder = tmp_path / "ü 映/sh"
    words = ["shot", "new", folder, "--plate", plate / "beauty.####.exr", *WORDS]
    assert typed(*words, **environment)[0] == 0
    assert Shot.load(folder).plate.sequence.frames == (1015, 1016)
    assert typed("shot", "info", folder, **environment)[::2] == (0, "")


def test_a_pipe_where_a_file_should_be_is_not_waited_for(tmp_path):
    for name, make in (("pipe", os.mkfifo), ("folder", os.mkdir)):
        make(tmp_path / name)
        with pytest.raises(BrokenFileError, match="is not a file"):
            archive.load(tmp_path / name, "track")
