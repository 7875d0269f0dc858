"""Progress: what a listener hears, in which order, and that it can stop the work."""

import warnings
from pathlib import Path

import pytest
import torch

from lifemask.nodes import progress
from lifemask.nodes.device import device
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


def test_a_card_that_torch_cannot_use_is_told_of_in_one_line(monkeypatch):
    def too_old():
        warnings.warn(
            "CUDA initialization: The NVIDIA driver on your system is too old (found version "
            "11040). Please update your GPU driver by downloading and installing a new version "
            "from the URL: http://www.nvidia.com/ (Triggered internally at CUDAFunctions.cpp:119.)",
            stacklevel=2,
        )
        return False

    monkeypatch.setattr(torch.cuda, "is_available", too_old)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    used, (told,) = heard(device.__wrapped__)
    assert used.type == "cpu"
    assert told.note == (
        "the processor is used, not the graphics card: The NVIDIA driver on your system is too old "
        "(found version 11040)"
    )
