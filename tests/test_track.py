"""Track on footage whose landmarks are known."""

import json
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifemask.nodes import progress
from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import BrokenFileError, FaceError, Remedy, StoppedError
from lifemask.nodes.faces.photographs import find_faces
from lifemask.nodes.faces.pose import angles
from lifemask.nodes.track import Track
from lifemask.nodes.track import tracker as plates
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.colour.transform import SRGB, WORKING, convert, display
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.movie_writer import write_movie
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

FOOTAGE = Path(__file__).parent / "footage"
DIALOGUE = FOOTAGE / "a1_dialogue/performer_b"
HAND = FOOTAGE / "a2_hand/performer_b"
ADA = FOOTAGE / "takes/ada_studio/ada_studio.####.exr"
SPACE = "Linear Rec.709 (sRGB)"

# Our landmarks that are nearest to the inner 51 of iBUG's 68.
IBUG = [
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61, 39, 37, 0, 267, 269, 291),
    *(405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
]
QUICK = Track(samples=2, smooth=1)


def footage(folder, frames=""):
    return Footage(Sequence.find(folder / "beauty/beauty.####.exr", frames), SPACE)


def truth(folder, frames):
    people = [json.loads((folder / f"gt/gt.{n}.json").read_text())["people"][0] for n in frames]
    points = np.array([person["landmarks68"] for person in people])[:, 17:]
    return points, [person["head_euler_deg"] for person in people]


def written(folder, pictures):
    for number, pixels in enumerate(pictures, 1001):
        channels = dict(zip("RGB", np.moveaxis(np.float16(pixels), -1, 0), strict=True))
        exr.write(folder / f"plate.{number}.exr", channels, {})
    return Footage(Sequence.find(folder / "plate.####.exr"), SPACE)


def pixels(path, frames=""):
    sequence = Sequence.find(path, frames)
    return [read(sequence, number).rgb for number in sequence.frames]


def readers():
    return [
        thread.name for thread in threading.enumerate() if thread.name.startswith("parallel_map")
    ]


@pytest.fixture(scope="module")
def dialogue():
    (track,) = Track()(footage(DIALOGUE, "1015-1026"))
    return track


def test_landmarks_lie_where_they_are(dialogue):
    points, _ = truth(DIALOGUE, dialogue.frames)
    error = dialogue.landmarks[:, IBUG, :2] - points
    eyes = np.linalg.norm(points[:, 19] - points[:, 28], axis=-1).mean()
    # Two ways to say where a landmark is differ by a constant: it is the change that would show.
    wander = error - error.mean(0)
    assert np.linalg.norm(error, axis=-1).mean() < 0.05 * eyes
    assert np.linalg.norm(wander, axis=-1).mean() < 0.015 * eyes
    assert dialogue.confidence.min() > 0.8


def test_landmarks_are_steady(dialogue):
    points, _ = truth(DIALOGUE, dialogue.frames)
    error = dialogue.landmarks[:, IBUG, :2] - points
    assert np.diff(error, 2, axis=0).std() < 0.6


def test_the_pose_is_that_of_the_head(dialogue):
    _, poses = truth(DIALOGUE, dialogue.frames)
    found = angles(dialogue.rotation)
    assert np.abs(found[:, 0] - [pose["yaw"] for pose in poses]).mean() < 6
    assert np.abs(found[:, 1] - [pose["pitch"] for pose in poses]).mean() < 6
    assert ((dialogue.expression >= 0) & (dialogue.expression <= 1)).all()


def test_a_track_is_read_back_as_it_was_written(dialogue, tmp_path):
    dialogue.save(tmp_path / "p1.safetensors")
    again = FaceTrack.load(tmp_path / "p1.safetensors")
    assert (again.person, again.camera) == ("p1", Camera.of(640, 360))
    for name in ("frames", "landmarks", "confidence", "rotation", "expression"):
        assert np.array_equal(getattr(again, name), getattr(dialogue, name), equal_nan=True)


def test_six_stops_under_tracks_as_well(tmp_path):
    bright = pixels(DIALOGUE / "beauty/beauty.####.exr", "1015-1018")
    (tmp_path / "dark").mkdir()
    first, dark = (
        QUICK(plate)[0].landmarks
        for plate in (
            footage(DIALOGUE, "1015-1018"),
            written(tmp_path / "dark", [frame / 64 for frame in bright]),
        )
    )
    assert np.abs(first - dark)[..., :2].max() < 0.3


def test_a_face_that_is_hidden_is_lost_and_comes_back_as_the_same_person(tmp_path):
    frames = pixels(DIALOGUE / "beauty/beauty.####.exr", "1015-1028")
    for hidden in frames[5:9]:
        hidden[:] = 0.18
    (track,) = QUICK(written(tmp_path, frames))
    gone = np.isin(np.arange(14), range(5, 9))
    assert (track.confidence[gone] == 0).all()
    assert (track.confidence[~gone] > 0.5).all()
    for values in (track.landmarks, track.rotation, track.expression):
        assert np.isnan(values[gone]).all()
        assert np.isfinite(values[~gone]).all()


def test_two_people_who_cross_keep_their_names(tmp_path):
    ben = pixels(DIALOGUE / "beauty/beauty.####.exr", "1015-1027")
    ada = pixels(ADA, "1001")[0][60:300, 80:300]
    places = np.linspace(10, 410, len(ben)).astype(int)
    for frame, left in zip(ben, places, strict=True):
        frame[80 : 80 + len(ada), left : left + ada.shape[1]] = ada
    tracks = QUICK(written(tmp_path, ben))
    assert [track.person for track in tracks] == ["p1", "p2"]
    middles = sorted((track.landmarks[..., 0].mean(1) for track in tracks), key=np.nanstd)
    stayer, walker = middles
    assert np.isfinite(walker).all()
    assert np.ptp(walker - places) < 10
    # Ben is hidden while Ada passes, and is Ben before and after.
    assert np.isfinite(stayer[[0, 1, -2, -1]]).all()
    assert np.nanmax(stayer) - np.nanmin(stayer) < 40


def test_a_hand_that_covers_the_face_does_not_drag_it_along():
    plate = footage(HAND)
    (track,) = QUICK(plate)
    points, _ = truth(HAND, plate.sequence.frames)
    error = np.linalg.norm(track.landmarks[:, IBUG, :2] - points, axis=-1).mean(1)
    seen = track.confidence > 0
    assert seen[:9].all()
    assert (error[seen] < 8).all()


def test_a_face_in_the_corner_of_a_larger_plate_is_found(tmp_path):
    frame = pixels(DIALOGUE / "beauty/beauty.####.exr", "1015")[0][::2, ::2]
    large = np.full((720, 1280, 3), 0.18, np.float32)
    large[:180, :320] = frame
    (track,) = QUICK(written(tmp_path, [large]))
    points, _ = truth(DIALOGUE, [1015])
    error = track.landmarks[0, IBUG, :2] - points[0] / 2
    assert np.linalg.norm(error, axis=-1).mean() < 3


@pytest.mark.parametrize("light", [0.0, 0.18, 1000.0])
def test_a_plate_without_a_face_says_so(tmp_path, light):
    noise = np.random.default_rng(0).uniform(0.9, 1.1, (3, 90, 160, 3)) * light
    plate = written(tmp_path, noise)
    with pytest.raises(FaceError, match=r"plate\.####\.exr: no face was found in frames 1001-1003"):
        QUICK(plate)


def test_a_movie_tracks_as_its_frames_do(tmp_path, dialogue):
    frames = pixels(DIALOGUE / "beauty/beauty.####.exr", "1015-1020")
    write_movie(tmp_path / "plate.mp4", [display(frame, SPACE) for frame in frames], 24)
    (track,) = QUICK(Footage(Sequence.find(tmp_path / "plate.mp4"), SRGB))
    assert track.frames.tolist() == [1, 2, 3, 4, 5, 6]
    assert np.abs(track.landmarks - dialogue.landmarks[:6])[..., :2].mean() < 0.6


def test_a_truncated_frame_is_named_and_no_thread_is_left(tmp_path):
    plate = written(tmp_path, pixels(DIALOGUE / "beauty/beauty.####.exr", "1015-1020"))
    file = plate.sequence.file(1004)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(BrokenFileError, match=r"plate\.1004\.exr"):
        QUICK(plate)
    assert readers() == []


def test_the_user_stops_it_and_no_thread_is_left():
    def stop(told):
        if told.done == 2:
            raise StoppedError("stopped")

    with progress.reporting(stop), pytest.raises(StoppedError):
        QUICK(footage(DIALOGUE))
    assert readers() == []


def test_memory_does_not_grow_with_the_plate():
    alive, most = weakref.WeakSet(), 0
    seen = next(plates.pictures(footage(DIALOGUE, "1015")))

    def pictures():
        nonlocal most
        for _ in range(4 * plates.CHUNK):
            copy = type(seen)(tuple(level.clone() for level in seen.levels), seen.factor)
            alive.add(copy.levels[0])
            most = max(most, len(alive))
            yield copy

    plates.Tracker(samples=1, radius=2, small_faces=False).track(pictures())
    assert most <= plates.CHUNK + 3


def test_whoever_is_seen_too_shortly_is_told_of_otherwise_than_nobody(tmp_path):
    faces = pixels(DIALOGUE / "beauty/beauty.####.exr", "1015-1016")
    plate = written(tmp_path, [*faces, *[np.full_like(faces[0], 0.2)] * 4])
    with pytest.raises(FaceError, match=r"nobody is seen in 5 frames$") as refused:
        QUICK(plate)
    assert refused.value.remedy == Remedy("fewer_frames")
    assert len(replace(QUICK, min_frames=2)(plate)) == 1


def test_squeezed_pixels_are_told(tmp_path):
    (frame,) = pixels(DIALOGUE / "beauty/beauty.####.exr", "1015")
    channels = dict(zip("RGB", np.moveaxis(np.float16(frame), -1, 0), strict=True))
    notes = []
    with progress.reporting(lambda said: notes.append(said.note)):
        for name, aspect in (("square", 1.0), ("squeezed", 2.0)):
            path = tmp_path / f"{name}.1015.exr"
            exr.write(path, channels, {"pixelAspectRatio": aspect})
            QUICK(Footage(Sequence.find(path), SPACE))
    told = [note for note in notes if note]
    assert len(told) == 1
    assert "squeezed.####.exr: its pixels are 2 times as wide as high" in told[0]


def keyed(black):
    """The double's head, and ``black`` (H, W, 3) all around it."""
    head = read(footage(DIALOGUE).sequence, 1015).rgb
    rows, columns = np.indices(head.shape[:2])
    inside = ((columns - 334) / 75) ** 2 + ((rows - 170) / 120) ** 2 < 1
    return np.where(inside[..., None], head, black).astype(np.float32)


def landmarks_in(pixels):
    return find_faces(convert(pixels, SPACE, WORKING), 2)[0].landmarks[:, :2]


@pytest.mark.parametrize("black", [0, 1e-7, 1e-4, "noise"])
def test_a_keyed_head_is_found_where_it_is_whatever_the_black_around_it(black):
    if black == "noise":
        black = np.abs(np.random.default_rng(2).normal(0, 1e-3, (360, 640, 3)))
    apart = landmarks_in(keyed(black)) - landmarks_in(keyed(0.18))
    width = np.ptp(landmarks_in(keyed(0.18))[:, 0])
    assert np.median(np.linalg.norm(apart, axis=1)) < 0.04 * width


@pytest.mark.parametrize(("high", "wide"), [(400, 400), (0, 500), (500, 0)])
def test_a_photograph_in_a_black_border_has_its_face(high, wide):
    photograph = pixels(ADA, "1001")[0][:, 60:324]
    framed = np.pad(photograph, ((high, high), (wide, wide), (0, 0)))
    apart = landmarks_in(framed) - [wide, high] - landmarks_in(photograph)
    assert np.abs(apart).max() < 0.03 * np.ptp(landmarks_in(photograph)[:, 0])
