"""A plate need not be files: frames in memory are tracked, cut out and swapped to the same bits."""

from dataclasses import fields, replace

import numpy as np
import pytest
from conftest import QUICK
from in_memory import ArraySource, ListSink

from lifemask.nodes.errors import MissingFramesError, SizeError
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.swap import Swap, send_swap, write_swap
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

FILES_ALONE = {"lifemask/plate"}
"""What a header says of a file of the plate, and of nothing else."""


@pytest.fixture(scope="module")
def memory(pair):
    """Return the plate of `pair` as arrays, without a file."""
    held = {number: read(pair.plate.sequence, number) for number in pair.plate.frames}
    bare = {number: replace(frame, name="", identity="") for number, frame in held.items()}
    return ArraySource(bare, pair.plate.colorspace)


def test_a_track_of_arrays_is_that_of_the_files(pair, memory):
    (track,) = QUICK(memory)
    for field in fields(FaceTrack):
        np.testing.assert_array_equal(getattr(track, field.name), getattr(pair.track, field.name))


def test_a_faceset_of_arrays_is_that_of_the_files(pair, memory, tmp_path):
    made = Faceset(every_frame=True)([memory], [pair.track], "double", tmp_path / "double_v001")
    assert (made.takes, pair.double.takes) == (("memory",), (pair.plate.name,))
    for name, array in vars(pair.double.faces).items():
        np.testing.assert_array_equal(getattr(made.faces, name), array)
    for index in range(len(made)):
        np.testing.assert_array_equal(made.face(index), pair.double.face(index))
        np.testing.assert_array_equal(made.texture(index), pair.double.texture(index))
    assert len(FaceSet.load(made.folder)) == len(pair.double)


def test_a_sink_in_memory_gets_what_the_files_hold(pair, memory, tmp_path):
    sink, cast = ListSink(), [pair.role]
    numbers = list(send_swap(Swap(), memory, cast, sink))
    files = write_swap(Swap(), pair.plate, cast, tmp_path, "sh010")
    assert numbers == list(pair.plate.frames)
    frames = sorted(sink.frames, key=lambda frame: frame.number)
    for frame, file in zip(frames, files, strict=True):
        channels, header = exr.read_channels(file)
        assert frame.channels.keys() == channels.keys()
        for name, plane in channels.items():
            assert frame.channels[name].dtype == plane.dtype
            np.testing.assert_array_equal(frame.channels[name], plane)
        ours = {name for name in header if name.startswith("lifemask/")} - FILES_ALONE
        assert {name: frame.header[name] for name in ours} == {name: header[name] for name in ours}
        assert frame.header["comments"] == header["comments"] == "kept"


def test_each_source_says_itself_what_a_plate_frame_was(pair, memory):
    both = []
    for source in (pair.plate, memory):
        sink = ListSink()
        list(send_swap(Swap(), source, [pair.role], sink))
        both.append({frame.number: frame.header["lifemask/plate"] for frame in sink.frames})
    for number in pair.plate.frames:
        file = pair.plate.sequence.file(number)
        assert both[0][number] == f"{file.name} {file.stat().st_size}"
    assert len({*both[1].values()}) == len(memory.frames)


def test_what_a_source_lacks_is_said_in_its_own_name(memory):
    with memory.open() as reader, pytest.raises(MissingFramesError, match="memory: frame 7"):
        reader.read(7)
    odd = dict(memory.held)
    odd[1003] = replace(odd[1003], rgb=odd[1003].rgb[:-1])
    with pytest.raises(SizeError, match="memory"):
        QUICK(replace(memory, held=odd))


def test_a_frame_of_files_is_named_and_known_by_its_file(pair):
    with pair.plate.open() as reader:
        frame = reader.read(1002)
    file = pair.plate.sequence.file(1002)
    assert (frame.name, frame.identity) == (str(file), f"{file.name} {file.stat().st_size}")
    assert pair.plate == Footage(Sequence.find(pair.plate.name), pair.plate.colorspace)
