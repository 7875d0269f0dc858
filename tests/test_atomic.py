"""Files that are whole or not there, whatever happens while they are written."""

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from lifemask.ocio.media_errors import WriteError
from lifemask.ocio.system.atomic import replacing, sweep, unfinished

KILLED = """
import os, pathlib, signal, sys
from lifemask.ocio.system.atomic import replacing
with replacing(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

WRITING = """
import pathlib, sys, time
from lifemask.ocio.system.atomic import replacing
with replacing(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print(temporary.name, flush=True)
    time.sleep(600)
"""


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_file_is_made_with_its_folder_and_replaced(tmp_path):
    for text in ("one", "two"):
        with replacing(tmp_path / "a/b.txt") as temporary:
            temporary.write_text(text)
        assert (tmp_path / "a/b.txt").read_text() == text
    assert names(tmp_path / "a") == ["b.txt"]


@pytest.mark.parametrize(
    ("error", "shown"), [(KeyError, KeyError), (KeyboardInterrupt,) * 2, (OSError, WriteError)]
)
def test_after_an_error_the_old_file_is_as_it_was(tmp_path, error, shown):
    (tmp_path / "b.txt").write_text("old")
    with pytest.raises(shown), replacing(tmp_path / "b.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "b.txt").read_text() == "old"
    assert names(tmp_path) == ["b.txt"]


def test_what_a_kill_leaves_the_next_writer_removes(tmp_path):
    (tmp_path / "b.txt").write_text("old")
    others = (".b.txt.part", ".b.txt.elsewhere.123.part")
    for name in others:
        (tmp_path / name).touch()
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "b.txt")], check=False)
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "b.txt").read_text() == "old"
    assert len(names(tmp_path)) == 4
    with replacing(tmp_path / "c.txt") as temporary:
        temporary.touch()
    assert names(tmp_path) == sorted([*others, "b.txt", "c.txt"])


@pytest.fixture
def writer(tmp_path):
    """Return another process that is writing ``a/b.txt``, and what it writes into."""
    folder = tmp_path / "a"
    child = subprocess.Popen(
        [sys.executable, "-c", WRITING, str(folder / "b.txt")], stdout=subprocess.PIPE, text=True
    )
    part = folder / child.stdout.readline().strip()
    with child:
        yield child, part
        child.kill()


@pytest.mark.parametrize("runs", [False, True])
def test_process_numbers_tell_nothing(writer, monkeypatch, runs):
    """They count anew in each container, and are given again to others."""

    def answer(*_):
        if not runs:
            raise ProcessLookupError

    def swept():
        with monkeypatch.context() as other:
            other.setattr(os, "kill", answer)
            other.setattr(os, "getpid", lambda: 1)
            sweep(part.parent)
        return names(part.parent)

    child, part = writer
    assert swept() == [part.name]
    child.kill()
    child.wait()
    assert swept() == []


def test_a_folder_is_swept_as_a_file_is(tmp_path):
    with unfinished(tmp_path / "a", folder=True) as part:
        (part / "deep").mkdir()
        sweep(tmp_path)
        assert (part / "deep").is_dir()
        left = part.with_name(part.name.replace("-", "-0")[: -len("0.part")] + ".part")
        (left / "deep").mkdir(parents=True)
        sweep(tmp_path)
        assert names(tmp_path) == [part.name]
    assert names(tmp_path) == []


def older(part):
    os.utime(part, (0, time.time() - 2 * 24 * 3600))


def test_where_nothing_can_be_locked_only_what_is_old_is_removed(tmp_path, monkeypatch):
    def without_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    with unfinished(tmp_path / "a") as young, unfinished(tmp_path / "b") as old:
        older(old)
        sweep(tmp_path)
        assert names(tmp_path) == [young.name]


def test_of_another_machine_only_what_is_old_and_not_locked_is_removed(tmp_path):
    with unfinished(tmp_path / "a") as part, unfinished(tmp_path / "b") as locked:
        own = part.name.split(".")[2][:8]
        other = part.with_name(part.name.replace(own, "0" * 8))
        far = locked.rename(locked.with_name(locked.name.replace(own, "0" * 8)))
        other.touch()
        older(far)
        sweep(tmp_path)
        assert names(tmp_path) == sorted([part.name, other.name, far.name])
        older(other)
        sweep(tmp_path)
        assert names(tmp_path) == sorted([part.name, far.name])
        far.unlink()


def test_two_that_write_one_file_do_not_share_what_they_write_into(tmp_path):
    with replacing(tmp_path / "b.txt") as one, replacing(tmp_path / "b.txt") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "b.txt").read_text() == "one"
    assert names(tmp_path) == ["b.txt"]


def test_an_error_of_another_file_is_not_told_of_the_one_that_is_written(tmp_path):
    source = tmp_path / "source"
    with pytest.raises(FileNotFoundError) as told, replacing(tmp_path / "b.txt") as temporary:
        temporary.write_text(source.read_text())
    assert told.value.filename == str(source)
    assert names(tmp_path) == []
    (tmp_path / "file").touch()
    with (
        pytest.raises(WriteError, match=r"file/b\.txt: cannot be written"),
        replacing(tmp_path / "file/b.txt"),
    ):
        raise AssertionError
