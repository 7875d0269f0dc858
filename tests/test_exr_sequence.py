"""A sequence that is written: what it leaves on disk, and what of an older one."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes.errors import WriteError
from lifemask.ocio.media import exr
from lifemask.ocio.media.exr_sequence import ExrSequence
from lifemask.ocio.media.frame import LayeredFrame
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.parallel import parallel_map


def frame(number, level=0.5):
    return LayeredFrame(number, dict.fromkeys("RGB", np.full((4, 6), level, np.float16)), {})


def levels(folder, name="a"):
    """Return the level of each frame by number, as the files are found again."""
    (found,) = Sequence.find_made(folder / f"{name}.####.exr")
    return {n: float(exr.read_channels(found.file(n))[0]["R"][0, 0]) for n in found.frames}


numbers = st.sets(st.integers(-20, 12000), min_size=1, max_size=6)


@given(older=numbers, newer=numbers, anew=st.booleans())
def test_new_frames_take_the_place_of_the_old_sequence_or_lie_among_it(
    tmp_path_factory, older, newer, anew
):
    folder = tmp_path_factory.mktemp("swap")
    for old, name in ((older, "a"), ({1001}, "other")):
        with ExrSequence(folder, name) as files:
            for number in old:
                files.write(frame(number, 0.25))
    with ExrSequence(folder, "a", anew=anew) as files:
        assert levels(folder) == dict.fromkeys(older, 0.25)
        list(parallel_map(files.write, map(frame, newer), files.ahead))
    kept = {} if anew else dict.fromkeys(older - newer, 0.25)
    assert levels(folder) == kept | dict.fromkeys(newer, 0.5)
    assert levels(folder, "other") == {1001: 0.25}


def test_many_threads_remove_the_old_sequence_once(tmp_path):
    with ExrSequence(tmp_path, "a") as files:
        files.write(frame(7))
    barrier = threading.Barrier(4)

    def write(number):
        barrier.wait()
        files.write(frame(number))

    with ExrSequence(tmp_path, "a", anew=True) as files:
        list(parallel_map(write, range(1001, 1005), 4))
    assert levels(tmp_path).keys() == {1001, 1002, 1003, 1004}


def test_a_folder_in_which_nothing_was_written_is_no_version(tmp_path):
    folder = tmp_path / "ada_v001"
    folder.mkdir()
    with pytest.raises(ZeroDivisionError), ExrSequence(folder, "a", anew=True):
        _ = 1 / 0
    assert not folder.exists()


def test_an_old_frame_that_cannot_go_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "a.0007.exr").mkdir()
    with ExrSequence(tmp_path, "a", anew=True) as files:
        for number in (1001, 1002):
            with pytest.raises(WriteError, match=r"a\.0007\.exr: cannot be replaced"):
                files.write(frame(number))
    assert [file.name for file in tmp_path.iterdir()] == ["a.0007.exr"]
