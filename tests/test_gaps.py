"""A gap in a track is bridged where some of the face is seen, and stays a gap where none is."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import FOOTAGE, QUICK, SPACE

from lifemask.nodes.camera import Camera
from lifemask.nodes.faces.topology import LEFT_CORNER, RIGHT_CORNER
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.gaps import bridged, faded
from lifemask.nodes.faceset.provider import posed_faces_of
from lifemask.nodes.swap import Swap, write_swap
from lifemask.nodes.types import LEAST_CONFIDENCE
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

LOST = slice(3, 6)


def crossed(folder, cover):
    """Nine frames in which ``cover`` (rgb, box of the face) changes three; the plate's track."""
    source = Sequence.find(FOOTAGE / "a1_dialogue/performer_b/beauty/beauty.####.exr", "1015-1023")
    (track,) = QUICK(Footage(source, SPACE))
    for place, frame in enumerate(source.frames):
        rgb = read(source, frame).rgb[90:270, 200:440].copy()
        if LOST.start <= place < LOST.stop:
            points = track.landmarks[place, :, :2] - [200, 90]
            cover(rgb, points.min(0).astype(int), points.max(0).astype(int), place)
        planes = dict(zip("RGB", np.moveaxis(rgb.astype(np.float16), -1, 0), strict=True))
        exr.write(folder / f"plate.{frame}.exr", planes, {})
    landmarks = track.landmarks - np.array([200, 90, 0], np.float32)
    whole = replace(track, camera=Camera.of(240, 180), landmarks=landmarks)
    return Footage(Sequence.find(folder / "plate.####.exr"), SPACE), whole


def lose(track):
    parts = {name: getattr(track, name).copy() for name in ("landmarks", "rotation", "expression")}
    for values in parts.values():
        values[LOST] = np.nan
    confidence = np.full(len(track.frames), 0.95, np.float32)
    confidence[LOST] = 0
    return replace(track, confidence=confidence, **parts)


def bar(rgb, low, high, place):
    """A bright pole, wider than half of the face, that moves over it."""
    wide = high[0] - low[0]
    left = low[0] + int(wide * (0.05 + 0.1 * (place - LOST.start)))
    rgb[:, left : left + int(0.6 * wide)] = [0.9, 0.6, 0.4]


def gone(rgb, low, high, place):
    rgb[:] = rgb[:, :1]


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    plate, whole = crossed(tmp_path_factory.mktemp("half"), bar)
    return plate, whole, bridged(plate, lose(whole), 12)


def test_a_face_that_is_more_than_half_hidden_is_found(half):
    _, whole, found = half
    exact, own = whole.landmarks[LOST, :, :2], found.landmarks[LOST, :, :2]
    eyes = np.linalg.norm(exact[:, LEFT_CORNER] - exact[:, RIGHT_CORNER], axis=1)
    error = np.linalg.norm(own - exact, axis=2).mean(1) / eyes
    assert (error < 0.06).all()


def test_what_is_bridged_is_marked_and_the_rest_is_the_track(half):
    _, whole, found = half
    assert ((found.confidence[LOST] > 0) & (found.confidence[LOST] < LEAST_CONFIDENCE)).all()
    sure = np.ones(len(found.frames), bool)
    sure[LOST] = False
    assert np.array_equal(found.landmarks[sure], whole.landmarks[sure])
    assert (found.confidence[sure] == np.float32(0.95)).all()


def test_a_frame_that_shows_nothing_of_the_face_stays_lost(tmp_path):
    plate, whole = crossed(tmp_path, gone)
    found = bridged(plate, lose(whole), 12)
    assert (found.confidence[LOST] == 0).all()
    assert np.isnan(found.landmarks[LOST]).all()


@pytest.mark.parametrize("most", [0, 2])
def test_a_gap_that_is_too_long_is_left(half, most):
    plate, whole, _ = half
    lost = lose(whole)
    assert bridged(plate, lost, most) is lost


def test_a_gap_at_the_end_is_left(half):
    plate, whole, _ = half
    lost = lose(whole)
    lost.confidence[LOST.start :] = 0
    assert bridged(plate, lost, 12) is lost


def test_what_is_not_seen_goes_over_to_rest():
    table, rest = torch.arange(12.0)[:, None], torch.full((12, 1), -50.0)
    hidden = np.arange(12) // 9 == 0
    hidden[0] = False
    result = faded(table, rest, hidden)[:, 0]
    assert torch.equal(result[~torch.from_numpy(hidden)], table[~hidden, 0])
    assert (result[1:5].diff() < 0).all()
    assert (result[5:9].diff() > 0).all()
    assert result.min() > rest.min()
    assert faded(table, rest, hidden & False) is table


def test_the_swap_goes_on_behind_what_crosses(half, pair, tmp_path):
    plate, whole, _ = half
    double = Faceset(every_frame=True)([plate], [lose(whole)], "double", tmp_path / "double")
    assert posed_faces_of(double).hidden.tolist() == [LOST.start <= i < LOST.stop for i in range(9)]
    role = replace(pair.facesets, track=whole, double=double).role
    middle = plate.sequence.frames[LOST.start + 1]
    one = replace(plate, sequence=replace(plate.sequence, frames=(middle,)))
    write_swap(Swap(), one, [role], tmp_path / "swap", "sh010")
    channels, header = exr.read_channels(tmp_path / f"swap/sh010.{middle}.exr")
    before, _ = exr.read_channels(plate.sequence.file(middle))
    assert header["lifemask/people"] == header["lifemask/bridged"] == "p1"
    changed = np.abs(channels["R"].astype(np.float32) - before["R"]) > 0.02
    pole = before["R"] == np.float16(0.9)
    assert changed[~pole].sum() > 200
    assert changed[pole].mean() < 0.02
    assert channels["confidence.V"].max() < LEAST_CONFIDENCE
