"""Plates that are flashed, below zero, or without colour: the face is as they are."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import NO_FACE

from lifemask.nodes import progress
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.swap import Swap
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

GREY = np.array([0.2126, 0.7152, 0.0722], np.float32)
SEPIA = np.array([1.2, 1.0, 0.7], np.float32)
SHOWN = (1001, 1002, 1003, 1005, 1006)


def swapped(pair, folder, change):
    """Plate and swap (H, W, 3) by frame, and the mattes, of the plate as ``change`` has it."""
    for frame in pair.plate.sequence.frames:
        rgb = change(frame, read(pair.plate.sequence, frame).rgb).astype(np.float32)
        planes = dict(zip("RGB", np.moveaxis(rgb, -1, 0), strict=True))
        exr.write(folder / f"plate.{frame}.exr", planes, {})
    plate = Footage(Sequence.find(folder / "plate.####.exr"), pair.plate.colorspace)
    double = Faceset(every_frame=True)([plate], [pair.track], "double", folder / "double_v001")
    few = replace(plate, sequence=replace(plate.sequence, frames=SHOWN))
    made = Swap()(few, [replace(pair.facesets, double=double).role])
    return {
        frame.number: (
            read(plate.sequence, frame.number).rgb,
            np.stack([frame.channels[name] for name in "RGB"], -1),
            frame.channels["facematte.V"] * (frame.channels["occlusion.V"] < 0.01),
            {name: frame.channels[name] for name in frame.channels},
        )
        for frame in made
    }


@pytest.fixture(scope="module")
def usual(pair, tmp_path_factory):
    return swapped(pair, tmp_path_factory.mktemp("usual"), lambda _, rgb: rgb)


def brighter(frames):
    """How much brighter the face is than the plate's, by frame, in stops of each channel."""
    return {
        number: np.log2(swap[matte > 0.5].mean(0) / plate[matte > 0.5].mean(0))
        for number, (plate, swap, matte, _) in frames.items()
    }


def test_a_flash_a_dark_frame_and_a_coloured_one_are_on_the_face_in_their_own_frames(
    pair, usual, tmp_path
):
    light = {1002: 4.0, 1005: 0.1, 1006: np.array([1.5, 2, 6])}
    lit = brighter(swapped(pair, tmp_path, lambda frame, rgb: rgb * light.get(frame, 1.0)))
    for frame, stops in brighter(usual).items():
        assert np.abs(lit[frame] - stops).max() < 0.08, frame


@pytest.mark.parametrize("below", [(0.05, 0.05, 0.05), (0.0, 0.01, 0.04)])
def test_a_face_whose_shadows_are_below_zero_is_only_that_much_darker(pair, usual, tmp_path, below):
    notes = []
    lowered = np.array(below, np.float32)
    with progress.reporting(lambda step: notes.append(step.note)):
        found = swapped(pair, tmp_path, lambda _, rgb: rgb - lowered)
    assert [note for note in notes if "below zero" in (note or "")]
    for frame, (_, swap, matte, _) in found.items():
        inside = (matte > 0.9) & (usual[frame][2] > 0.9)
        apart = np.abs(swap + lowered - usual[frame][1])[inside]
        assert apart.mean() < 0.01
        assert np.quantile(apart, 0.99) < 0.08


def test_where_the_plate_has_no_colour_the_swap_has_none_and_a_tint_is_its_tint(
    pair, usual, tmp_path
):
    """Frames are black and white, then sepia."""

    def changed(frame, rgb):
        return (rgb @ GREY)[..., None] * (SEPIA if frame > NO_FACE else np.ones(3, np.float32))

    for frame, (plate, swap, matte, channels) in swapped(pair, tmp_path, changed).items():
        face = matte > 0.5
        assert np.abs(swap - plate)[face].mean() > 0.01
        if frame < NO_FACE:
            for layer in ("", "raw.", "swap."):
                red, green, blue = (channels[layer + name] for name in "RGB")
                assert np.array_equal(red, green)
                assert np.array_equal(green, blue)
        else:
            bright = face & (swap @ GREY > 0.01)
            tint = swap[bright] / (swap[bright] @ GREY)[:, None] * (SEPIA @ GREY)
            assert np.quantile(np.abs(tint - SEPIA), 0.99) < 0.02
        _, coloured, *_ = usual[frame]
        assert np.corrcoef(swap[face] @ GREY, coloured[face] @ GREY)[0, 1] > 0.97
