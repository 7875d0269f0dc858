"""Progress: what a listener hears, in which order, and that it can stop the work."""

from pathlib import Path

import pytest

from lifemask.nodes import progress
from lifemask.nodes.errors import StoppedError
from lifemask.nodes.progress import Progress, reporting


def heard(work):
    told = []
    with reporting(told.append):
        result = work()
    return result, told


def test_each_step_is_told_after_it_is_done():
    result, told = heard(lambda: list(progress.each("ab", "spell", 2)))
    assert result == ["a", "b"]
    assert told == [Progress("spell", done, 2) for done in (0, 1, 2)]


def test_a_file_is_told_when_it_is_whole_and_before_its_step():
    files = [Path("a.1001.exr"), Path("a.1002.exr")]
    result, told = heard(
        lambda: list(progress.each(progress.frames(iter(files), "swap"), "swap", 2))
    )
    assert result == files
    assert [step.frame or step.done for step in told] == [0, files[0], 1, files[1], 2]


def test_notes_and_previews_are_no_steps():
    def work():
        progress.note("train", "well")
        progress.preview("train", Path("p.png"))

    _, told = heard(work)
    assert told == [Progress("train", note="well"), Progress("train", preview=Path("p.png"))]


def test_nobody_has_to_listen_and_a_listener_can_stop_the_work():
    assert list(progress.each([1], "alone", 1)) == [1]

    def stop(told):
        raise StoppedError("stopped")

    with reporting(stop), pytest.raises(StoppedError):
        progress.note("work", "a line")
