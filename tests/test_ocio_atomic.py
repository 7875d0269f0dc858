"""Files that are whole or not there, whatever happens while they are written."""

import os
import signal
import subprocess
import sys

import pytest

from lifemask.ocio.atomic import replacing
from lifemask.ocio.errors import WriteError

KILLED = """
import os, pathlib, signal, sys
from lifemask.ocio.atomic import replacing
with replacing(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
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


def test_what_is_still_being_written_is_let_be(tmp_path):
    with replacing(tmp_path / "b.txt") as temporary:
        temporary.touch()
    parent = temporary.name.replace(f".{os.getpid()}.", f".{os.getppid()}.")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / parent).touch()
    with replacing(tmp_path / "a/b.txt") as temporary:
        temporary.touch()
    assert names(tmp_path / "a") == [parent, "b.txt"]
