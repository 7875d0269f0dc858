"""The figures of expression: a constant loss is seen, and so is the wrong time."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import FOOTAGE, SPACE

from lifemask.nodes.camera import Camera
from lifemask.nodes.faces.blendshapes import NAMES
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.truth import GroundTruth, Truth
from lifemask.nodes.truth.expression import TrackPair, nearest
from lifemask.nodes.truth.on_shot import expression_table, table
from lifemask.nodes.types import FaceTrack
from lifemask.plugin.benchmarks import benchmark_swap
from lifemask.plugin.commands.cli import main

JAW = NAMES.index("jawOpen")
FRAMES = (1020, 1021, 1022)


def talking(person="p1", frames=24, place=(0.0, 0.0)):
    """A track of a mouth that opens and closes twice."""
    opening = 1 - np.cos(np.linspace(0, 4 * np.pi, frames))
    landmarks = np.repeat(atlas().mean[None], frames, 0) * 20 + 300
    landmarks[:, 14, 1] += 10 * opening
    landmarks[..., :2] += place
    expression = np.full((frames, len(NAMES)), 0.1)
    expression[:, JAW] = opening / 3
    turn = np.repeat(np.eye(3)[None], frames, 0)
    numbers, sure = np.arange(1001, 1001 + frames), np.ones(frames)
    kinds = (np.int64, np.float32, np.float32, np.float32, np.float32)
    arrays = (numbers, landmarks, sure, turn, expression)
    return FaceTrack(
        person, Camera.of(640, 640), *(a.astype(k) for a, k in zip(arrays, kinds, strict=True))
    )


def figures(own, other):
    return TrackPair.of(own, other).figures


def test_the_same_performance_has_no_error():
    found = figures(talking(), talking())
    assert found.expression_error == found.mouth_expression_error == 0
    offset, alike, deviation = found.lip_opening
    assert (offset, alike) == (0, pytest.approx(1))
    assert deviation > 0.01
    assert found.mouth_width[1] is None  # it does not move


def test_a_constant_loss_is_an_offset_and_an_error_whatever_the_correlation():
    plate = talking()
    landmarks, expression = plate.landmarks.copy(), plate.expression.copy()
    landmarks[:, 14, 1] -= 5
    expression[:, JAW] += 0.26
    found = figures(replace(plate, landmarks=landmarks, expression=expression), plate)
    eyes = np.linalg.norm(plate.landmarks[0, 33, :2] - plate.landmarks[0, 263, :2])
    assert found.lip_opening[:2] == (pytest.approx(-5 / eyes, rel=0.05), pytest.approx(1))
    assert found.expression_error == pytest.approx(0.26 / 52)
    assert found.mouth_expression_error > found.expression_error


def test_frames_without_a_face_do_not_count_and_numbers_need_not_match():
    plate, swap = talking(), talking()
    swap.confidence[:4], swap.landmarks[:4], swap.expression[:4] = 0, np.nan, np.nan
    pair = TrackPair.of(replace(swap, frames=swap.frames + 2), plate)
    assert pair.frames.tolist() == list(range(1007, 1025))
    assert pair.figures.lip_opening[1] < 1
    swap.confidence[:] = 0
    assert TrackPair.of(swap, plate).figures is None


def test_of_several_people_the_nearest_is_meant():
    beside = talking("p1", place=(400, 0)), talking("p2", place=(3, 0))
    assert nearest(beside, talking()).person == "p2"


@pytest.fixture(scope="module")
def scored():
    shot = FOOTAGE / "a1_dialogue"
    ground = GroundTruth(shot / "performer_b", shot / "performer_a_on_b")
    return Truth(landmarks=0)(ground.rendered(ground.truth, FRAMES), ground)


def test_the_perfect_swaps_own_error_is_beside_it(scored):
    assert scored.expression == scored.expression_floor
    assert 0 < scored.expression_floor.expression_error < 0.05
    rows = [line.split() for line in table(scored, scored) if line.startswith("expression_error")]
    assert rows[0][2] == rows[0][3]  # the perfect swap against itself


def test_it_is_left_out_when_not_asked_for():
    shot = FOOTAGE / "a1_dialogue"
    ground = GroundTruth(shot / "performer_b", shot / "performer_a_on_b", SPACE)
    swap = ground.rendered(ground.truth, FRAMES[:1])
    found = Truth(landmarks=0, expression=False)(swap, ground)
    assert found.expression is found.expression_floor is None
    assert not any("expression" in line for line in table(found, found))


def test_the_last_swap_of_a_shot_is_compared_with_its_plate(shot):
    words = ["swap", str(shot), "--likeness", "ada", "--no-model", "--frames", "1001-1004"]
    assert main(words) == 0
    found = benchmark_swap.expression(Shot.load(shot), "ada")
    assert 0 < found.expression_error < 0.1
    assert any(line.startswith("lip_opening") for line in expression_table(found))
