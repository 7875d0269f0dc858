"""Truth against figures of an independent implementation, and against what must hold of them."""

import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from lifemask.nodes import progress
from lifemask.nodes.errors import (
    BrokenFileError,
    FaceError,
    MediaError,
    MissingFramesError,
    SizeError,
    StoppedError,
)
from lifemask.nodes.truth import GroundTruth, Truth
from lifemask.ocio.colour import transform
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence

TESTS = Path(__file__).parent
SHOT = TESTS / "footage" / "a2_hand"
GROUND = GroundTruth(SHOT / "performer_b", SHOT / "performer_a_on_b")
SPACE = "Linear Rec.709 (sRGB)"
FRAMES = tuple(range(1012, 1018))


def renders(number):
    """Plate, perfect swap and the plate's mattes."""
    pictures = []
    for folder in (GROUND.plate, GROUND.truth):
        channels, _ = exr.read_channels(folder / "beauty" / f"beauty.{number}.exr")
        pictures.append(np.stack([channels[c] for c in "RGB"], -1).astype(np.float32))
    mattes, _ = exr.read_channels(GROUND.plate / "mattes" / f"mattes.{number}.exr")
    return *pictures, {name: matte.astype(np.float32) for name, matte in mattes.items()}


def flawed(plate, truth, mattes, number):
    """A swap with every fault: graded, moved, soft, flickering, over the hand, and outside."""
    soft = cv2.GaussianBlur(mattes["face"], (0, 0), 2)
    soft[cv2.dilate(mattes["face_full"], np.ones((5, 5))) <= 0] = 0
    face = cv2.GaussianBlur(truth, (0, 0), 1.2) * np.float32([1.15, 1.0, 0.9])
    face *= 1 + 0.03 * (-1) ** number
    move = np.float32([[1.01, 0.01, -1.5], [-0.01, 1.01, 2.0]])
    face = cv2.warpAffine(face, move, face.shape[1::-1], flags=cv2.INTER_CUBIC)
    whole = plate + (face - plate) * soft[..., None]
    whole[10, 10] += 0.25
    layers = dict(zip("RGB", np.moveaxis(whole, -1, 0), strict=True))
    layers |= {"facematte.V": soft, "occlusion.V": 0.8 * mattes["occ"]}
    return {name: np.ascontiguousarray(layer, np.float16) for name, layer in layers.items()}


def write(folder, frames, picture=flawed):
    """Write a swap and return it."""
    for number in frames:
        exr.write(folder / f"swap.{number}.exr", picture(*renders(number), number), {})
    return Footage(Sequence(f"{folder}/swap.####.exr", tuple(frames)), SPACE)


def render_as_swap(folder, frames=FRAMES):
    return Footage(Sequence(str(folder / "beauty" / "beauty.####.exr"), frames), SPACE)


@cache
def scored(folder, frames=FRAMES):
    return Truth(landmarks=0, expression=False)(render_as_swap(folder, frames), GROUND)


def test_agrees_with_the_reference_implementation(tmp_path):
    golden = json.loads((TESTS / "golden" / "truth_a2_hand.json").read_text())
    figures = asdict(Truth(landmarks=0, expression=False)(write(tmp_path, FRAMES), GROUND))
    for name, value in golden.items():
        printed = 6e-3 if name in ("place_percent", "place_degrees") else 6e-4
        assert figures[name] == pytest.approx(value, abs=printed), name
    newer = {"visible_iou", "outline_ratio", "sliver_percent"}
    assert {name for name, value in figures.items() if value is not None} == {*golden, *newer}


def test_the_perfect_swap_is_perfect():
    figures = asdict(scored(GROUND.truth))
    ones = {
        "aligned_ssim",
        "ssim",
        "detail_energy",
        "detail_recall",
        "identity_projection",
        "fine_identity_projection",
        "place_scale",
    }
    for name, value in figures.items():
        if value is not None and name != "frames":
            assert value == pytest.approx(
                np.full(np.shape(value), float(name in ones)), abs=1e-6
            ), name


def test_the_untouched_plate_keeps_the_hand_and_is_far_from_perfect():
    figures = scored(GROUND.plate)
    assert figures.occluder_l1 < 0.005
    assert figures.aligned_ssim < 0.9
    assert figures.identity_projection < 0.6
    assert figures.relative_l1 > 0.7


def test_one_frame_has_no_flicker_and_a_pattern_of_frames_is_enough():
    figures = scored(GROUND.plate, (1012,))
    assert figures.temporal_error is None
    assert figures.frames == 1


def test_colour_space_of_the_swap_is_taken_into_account(tmp_path):
    def aces(plate, truth, mattes, number):
        whole = transform.convert(truth, SPACE, "ACEScg")
        return dict(zip("RGB", np.moveaxis(whole, -1, 0), strict=True))

    swap = write(tmp_path, (1010, 1011), aces)
    named = Truth(landmarks=0, expression=False)(replace(swap, colorspace="ACEScg"), GROUND)
    assert named.l1 < 1e-4
    assert Truth(landmarks=0, expression=False)(swap, GROUND).l1 > 10 * named.l1


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_an_error_as_large_as_confidence_expects_surprises_nobody(tmp_path, scale):
    """Noise of a Laplace distribution, graded, and more of it where less is sure."""
    random = np.random.default_rng(3)

    def unsure(plate, truth, mattes, number):
        expected = np.linspace(0.01, 0.04, truth.shape[1], dtype=np.float32)
        stops = random.laplace(0, 1, truth.shape) * scale * expected[None, :, None] * 17.52
        whole = truth * np.exp2(stops) * [1.2, 1.1, 1]
        confidence = np.broadcast_to(np.exp(-((expected / 0.1) ** 2)), truth.shape[:2])
        layers = {"swap.A": mattes["face"], "confidence.V": confidence}
        layers |= dict(zip("RGB", np.moveaxis(whole, -1, 0), strict=True))
        return {name: np.ascontiguousarray(layer, np.float16) for name, layer in layers.items()}

    figures = Truth(landmarks=0, expression=False)(write(tmp_path, (1010,), unsure), GROUND)
    assert figures.calibration_ratio == pytest.approx(scale, rel=0.03)
    assert scored(GROUND.plate).calibration_ratio is None


def test_refusals(tmp_path):
    def small(plate, truth, mattes, number):
        return {c: np.zeros((90, 160), np.float16) for c in "RGB"}

    with pytest.raises(SizeError, match=r"swap\.1010\.exr: 160x90, but 640x360"):
        Truth()(write(tmp_path, (1010,), small), GROUND)
    (tmp_path / "swap.1010.exr").rename(tmp_path / "swap.1500.exr")
    with pytest.raises(MissingFramesError, match=r"beauty.*1500"):
        Truth()(Footage(Sequence.find(tmp_path / "swap.*.exr"), SPACE), GROUND)


def broken_truth(folder, kind, name, content):
    """A ground truth of frame 1010 with one file replaced."""
    for performer in ("performer_b", "performer_a_on_b"):
        (folder / performer).mkdir()
        for part in {"beauty", "gt", "mattes"} - {kind}:
            (folder / performer / part).symlink_to(SHOT / performer / part)
        (folder / performer / kind).mkdir()
        (folder / performer / kind / name).write_bytes(content)
    return GroundTruth(folder / "performer_b", folder / "performer_a_on_b")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"people": [{"landmarks68": [[1, 2]]}]}', b"\xff"]
)
def test_landmarks_that_are_none_are_refused(tmp_path, content):
    ground = broken_truth(tmp_path, "gt", "gt.1010.json", content)
    with pytest.raises(BrokenFileError, match=r"gt\.1010\.json: holds no 68 landmarks"):
        Truth()(render_as_swap(GROUND.plate, (1010,)), ground)


def test_mattes_without_a_face_channel_are_refused(tmp_path):
    exr.write(tmp_path / "m.exr", {"fg": np.zeros((360, 640), np.float16)}, {})
    content = (tmp_path / "m.exr").read_bytes()
    ground = broken_truth(tmp_path, "mattes", "mattes.1010.exr", content)
    with pytest.raises(BrokenFileError, match=r"mattes\.1010\.exr: has no channel 'face'"):
        Truth()(render_as_swap(GROUND.plate, (1010,)), ground)


def test_can_be_stopped():
    def stop(step):
        if step.done:
            raise StoppedError("stopped")

    with progress.reporting(stop), pytest.raises(StoppedError):
        Truth(landmarks=0, expression=False)(render_as_swap(GROUND.plate), GROUND)


def test_a_ground_truth_without_a_face_is_refused(tmp_path):
    exr.write(tmp_path / "m.exr", {"face": np.zeros((360, 640), np.float16)}, {})
    content = (tmp_path / "m.exr").read_bytes()
    ground = broken_truth(tmp_path, "mattes", "mattes.1010.exr", content)
    with pytest.raises(FaceError, match="shows the face"):
        Truth(landmarks=0, expression=False)(render_as_swap(GROUND.plate, (1010,)), ground)


def test_a_ground_truth_that_equals_the_plate_is_refused():
    with pytest.raises(MediaError, match="equals the plate"):
        Truth(landmarks=0, expression=False)(
            render_as_swap(GROUND.plate, (1010,)), replace(GROUND, truth=GROUND.plate)
        )


def test_landmarks_are_compared_with_those_of_the_perfect_swap(tmp_path):
    """A face moved by 4 % of the eye corners' distance has its landmarks 4 % off."""
    points = np.array(
        json.loads((GROUND.plate / "gt" / "gt.1010.json").read_text())["people"][0]["landmarks68"]
    )
    step = 0.04 * np.linalg.norm(points[36] - points[45])

    def shifted(plate, truth, mattes, number):
        move = np.float32([[1, 0, step], [0, 1, 0]])
        whole = cv2.warpAffine(truth, move, truth.shape[1::-1], flags=cv2.INTER_CUBIC)
        return dict(zip("RGB", np.ascontiguousarray(np.moveaxis(whole, -1, 0)), strict=True))

    same = Truth(landmarks=1, expression=False)(render_as_swap(GROUND.truth, (1010,)), GROUND)
    moved = Truth(landmarks=1, expression=False)(write(tmp_path, (1010,), shifted), GROUND)
    assert same.landmark_error == pytest.approx(0, abs=0.01)
    assert moved.landmark_error == pytest.approx(4, abs=0.8)
    assert moved.landmarks_lost == 0


def test_a_swap_without_a_face_is_counted_as_lost(tmp_path):
    def empty(plate, truth, mattes, number):
        return {c: np.full(plate.shape[:2], 0.18, np.float16) for c in "RGB"}

    figures = Truth(landmarks=1, expression=False)(write(tmp_path, (1010,), empty), GROUND)
    assert figures.landmark_error is None
    assert figures.landmarks_lost == 1
