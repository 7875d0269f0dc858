"""Hands on footage in which the hand's matte is known, and on footage without a hand."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces.detector import anchors
from lifemask.nodes.hands.hand_coverage import hand_coverage
from lifemask.nodes.hands.hand_follower import HandSighting
from lifemask.nodes.hands.hand_landmarker import hand_rects
from lifemask.nodes.hands.hand_tracklets import HandTracklet, hand_tracks
from lifemask.nodes.hands.palm_detector import PALM
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.tracks import hands_of, people_of, plate_tracks
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack, HandTrack
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.commands.cli import main
from lifemask.plugin.commands.shot_info import info

FOOTAGE = Path(__file__).parent / "footage"
HAND = FOOTAGE / "a2_hand/performer_b"
QUICK = Track(samples=2, smooth=1)


def footage(path, frames=""):
    return Footage(Sequence.find(path, frames), "Linear Rec.709 (sRGB)")


def plate(frames=""):
    return footage(HAND / "beauty/beauty.####.exr", frames)


def occluder(number):
    """The hand's exact matte, within the face: it ends at the wrist, the hand in the plate not."""
    mattes = exr.read_channels(HAND / f"mattes/mattes.{number}.exr")[0]
    inside = mattes["face_full"] > 0.5
    return np.where(inside, mattes["occ"], 0), inside


@pytest.fixture(scope="module")
def followed():
    return QUICK.with_hands(plate())


def overlap(one, other):
    return np.minimum(one, other).sum() / np.maximum(one, other).sum()


def test_the_hand_is_where_its_matte_is(followed):
    (hand,) = followed[1]
    assert hand.hand == "hand_1"
    over = 0
    for row, number in enumerate(hand.frames):
        matte, inside = occluder(number)
        if matte.sum() < 0.05 * inside.sum():
            continue
        over += 1
        assert hand.presence[row] > 0.5, number
        covered = hand_coverage(hand.landmarks[row], matte.shape)
        assert overlap(np.where(inside, covered, 0), matte) > 0.4, number
    assert over >= 4


def test_the_right_hand_is_a_right_hand_of_its_size(followed):
    """The hand in the plate is MakeHuman's right one, some 18 cm long."""
    (hand,) = followed[1]
    seen = hand.presence > 0
    assert np.median(hand.handedness[seen]) > 0.9
    length = np.linalg.norm(np.diff(hand.world[seen][:, [0, 9, 10, 11, 12]], axis=1), axis=-1)
    assert np.median(length.sum(1)) == pytest.approx(0.18, abs=0.03)
    assert np.isnan(hand.landmarks[~seen]).all()


def test_hands_change_nothing_about_the_faces(followed):
    (face,) = followed[0]
    (alone,) = QUICK(plate())
    for name, values in vars(alone).items():
        same = getattr(face, name)
        assert np.array_equal(values, same, equal_nan=True) if name == "landmarks" else True
    assert np.array_equal(alone.confidence, face.confidence)


def test_six_stops_under_the_hand_is_the_same(tmp_path, followed):
    for number in plate().frames:
        pixels = read(plate().sequence, number).rgb / 64
        channels = dict(zip("RGB", np.moveaxis(np.float16(pixels), -1, 0), strict=True))
        exr.write(tmp_path / f"dark.{number}.exr", channels, {})
    (dark,) = QUICK.with_hands(footage(tmp_path / "dark.####.exr"))[1]
    (hand,) = followed[1]
    assert np.array_equal(dark.presence > 0, hand.presence > 0)
    assert np.nanmax(np.abs(dark.landmarks - hand.landmarks)[..., :2]) < 1


@pytest.mark.parametrize(
    "path", ["a1_dialogue/performer_b/beauty/beauty", "takes/ada_hard/ada_hard"]
)
def test_where_there_is_no_hand_none_is_found(path):
    assert QUICK.with_hands(footage(FOOTAGE / f"{path}.####.exr", ""))[1] == []


def test_switched_off_none_is_looked_for():
    assert dataclasses.replace(QUICK, hands=False).with_hands(plate("1013-1015"))[1] == []


def test_a_hand_is_read_back_as_it_was_written(followed, tmp_path):
    (hand,) = followed[1]
    hand.save(tmp_path / "hand.safetensors")
    again = HandTrack.load(tmp_path / "hand.safetensors")
    for name, value in vars(hand).items():
        assert np.array_equal(
            getattr(again, name),
            value,
            equal_nan=isinstance(value, np.ndarray) and value.dtype.kind == "f",
        )
    with pytest.raises(BrokenFileError, match="this is not a track file"):
        FaceTrack.load(tmp_path / "hand.safetensors")


def test_the_shot_has_the_hand_beside_the_person(tmp_path, capsys):
    shot = Shot.new(
        tmp_path / "sh010", str(HAND / "beauty/beauty.####.exr"), "Linear Rec.709 (sRGB)", 24
    )
    words = ["track", str(shot.folder), "--samples", "2", "--smooth", "1"]
    assert main(words) == 0
    assert re.search(r"hand_1 is seen in \d+ of 12 frames", capsys.readouterr().out)
    assert shot.names("track") == ["hand_1", "p1"]
    assert (
        list(people_of(shot))
        == list(plate_tracks(shot))
        == list(info(shot, [])["people"])
        == ["p1"]
    )
    assert list(hands_of(shot)) == ["hand_1"]
    # Made anew without a hand, the version must not keep the one it had.
    assert main([*words, "--version", "1", "--overwrite", "--frames", "1009-1013"]) == 0
    assert "no hand is seen" in capsys.readouterr().out
    assert shot.names("track") == ["p1"]
    assert main([*words, "--no-hands", "--frames", "1009-1013"]) == 0
    assert "no hand" not in capsys.readouterr().out


def test_the_anchors_are_those_of_the_network():
    cells = anchors(PALM)
    assert cells.shape == (2016, 2)
    assert cells[0].tolist() == pytest.approx([0.5 / 24] * 2)
    assert cells[-1].tolist() == pytest.approx([11.5 / 12] * 2)


def made_up(x=100.0, y=100.0, turn=0.0):
    """Landmarks of an upright hand about 100 pixels long, turned clockwise."""
    fingers = [
        (dx, -length * share)
        for dx, length in ((-40, 60), (-22, 95), (0, 100), (20, 95), (36, 80))
        for share in (0.5, 0.7, 0.85, 1)
    ]
    points = torch.tensor([(0.0, 0.0), *fingers])
    cos, sin = np.cos(turn), np.sin(turn)
    points = points @ torch.tensor([[cos, sin], [-sin, cos]], dtype=torch.float32)
    return torch.cat([points + torch.tensor([x, y]), torch.zeros(21, 1)], 1)


@pytest.mark.parametrize("turn", [0.0, 0.7, -2.0, 3.0])
def test_the_rectangle_turns_with_the_hand(turn):
    upright, turned = (hand_rects(made_up(turn=angle)[None])[0] for angle in (0.0, turn))
    assert float(torch.cos(turned[4] - upright[4] - turn)) == pytest.approx(1, abs=1e-5)
    assert turned[2:4].tolist() == pytest.approx(upright[2:4].tolist(), rel=1e-4)


def tracklet(places, x=100.0, step=0.0, presence=0.95):
    made = HandTracklet()
    for place in places:
        points = made_up(x + step * place)
        world, sure = torch.zeros(21, 3), torch.tensor(presence)
        made.add(place, HandSighting(torch.zeros(5), points, sure, torch.tensor(0.9), world))
    return made


def tracks(*tracklets, count=40, factor=1):
    return hand_tracks(
        list(tracklets), tuple(range(1001, 1001 + count)), Camera.of(640, 360), factor
    )


def test_a_hand_that_comes_back_to_its_place_is_the_same():
    (hand,) = tracks(tracklet(range(10)), tracklet(range(15, 25), x=110))
    assert (hand.presence > 0).sum() == 20
    assert np.isnan(hand.landmarks[10:15]).all()


def test_hands_in_two_places_are_two_the_one_seen_most_first():
    first, second = tracks(tracklet(range(10)), tracklet(range(30), x=400))
    assert (first.hand, second.hand) == ("hand_1", "hand_2")
    assert np.nanmean(first.landmarks[..., 0]) > 350 > np.nanmean(second.landmarks[..., 0])


def test_what_looks_like_a_hand_for_a_moment_is_none():
    assert tracks(tracklet(range(2))) == []
    assert tracks(tracklet(range(20), presence=0.6)) == []


def test_a_steady_motion_has_no_lag_and_noise_is_less():
    (hand,) = tracks(tracklet(range(20), step=7))
    wanted = np.stack([made_up(100 + 7.0 * place).numpy() for place in range(20)])
    assert np.abs(hand.landmarks[:20] - wanted).max() < 0.01
    noisy = tracklet(range(20))
    rng = np.random.default_rng(1)
    noisy.rows = [
        row + np.float32(rng.normal(0, 1, row.shape)) * (np.arange(128) < 63) for row in noisy.rows
    ]
    (hand,) = tracks(noisy)
    assert np.std(hand.landmarks[:20] - made_up().numpy()) < 0.8


def test_a_reduced_picture_gives_places_in_the_plate():
    (small,), (large,) = tracks(tracklet(range(5))), tracks(tracklet(range(5)), factor=2)
    assert np.array_equal(large.landmarks[:5], 2 * small.landmarks[:5])
    assert np.array_equal(large.world[:5], small.world[:5])
