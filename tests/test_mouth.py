"""The inside of the mouth: where the head model's teeth are, and when they are seen."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from lifemask.nodes.faces import topology
from lifemask.nodes.faces.pose import rotation_of
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.head_model import head_model
from lifemask.nodes.head.mouth import mouth_in, opening
from lifemask.nodes.plate_subject import FaceTextures
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import atlas, openings
from lifemask.nodes.render.warp import View, Window
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.mouth_interior import interior, with_mouth
from lifemask.nodes.swap.openings import unopened

NOBODY = np.zeros(60, np.float32)
SIZE = 20  # pixels a centimetre
WINDOW = Window(0, 0, 400, 400)


def playing(**amounts):
    """Coefficients (52,) by name."""
    values = np.zeros(len(NAMES), np.float32)
    for name, amount in amounts.items():
        values[NAMES.index(name)] = amount
    return values


def face(coefficients, yaw=0.0):
    """Landmarks of the mean head in the middle of a picture."""
    head = head_model()
    points = head.landmarks(head.vertices(NOBODY, coefficients))
    turn = rotation_of(np.array([[yaw, 0, 0]]))[0]
    return (points @ turn.T * SIZE + [200, 180, 0]).astype(np.float32)


def teeth_of(mouth):
    """The upper and the lower teeth (V, 3)."""
    teeth = mouth.vertices[mouth.teeth]
    half = np.arange(len(teeth)) < 2208  # the upper jaw's come first
    return teeth[half], teeth[~half]


def test_the_lower_teeth_go_with_the_jaw_and_the_upper_ones_stay():
    shut, agape = (playing(jawOpen=amount) for amount in (0.0, 1.0))
    (upper, lower), (still, dropped) = (
        teeth_of(mouth_in(face(c), NOBODY, c)) for c in (shut, agape)
    )
    np.testing.assert_allclose(still, upper, atol=0.15 * SIZE)
    assert (dropped[:, 1] - lower[:, 1]).min() > SIZE


@pytest.mark.parametrize("yaw", [-25.0, 0.0, 25.0])
def test_the_mouth_lies_in_the_face_behind_the_lips(yaw):
    open_ = playing(jawOpen=0.5)
    landmarks = face(open_, yaw)
    mouth = mouth_in(landmarks, NOBODY, open_)
    assert mouth.behind.min() >= 0
    assert mouth.behind[mouth.teeth].mean() < mouth.behind[~mouth.teeth].mean() + 0.5
    jaw = landmarks[[234, 454], 0]
    assert (mouth.vertices[:, 0] > jaw.min()).all()
    assert (mouth.vertices[:, 0] < jaw.max()).all()
    moved = mouth_in(landmarks + np.float32([30, -10, 0]), NOBODY, open_)
    np.testing.assert_allclose(
        moved.vertices - mouth.vertices,
        np.broadcast_to([30, -10, 0], mouth.vertices.shape),
        atol=0.01,
    )


def test_the_opening_is_an_area():
    square = np.zeros((478, 3))
    turn = np.linspace(0, 2 * np.pi, len(topology.INNER_LIPS), endpoint=False)
    square[list(topology.INNER_LIPS), :2] = 2 * np.stack([np.cos(turn), np.sin(turn)], 1) + 7
    assert opening(square) == pytest.approx(4 * np.pi, rel=0.02)


def test_a_mouth_that_no_picture_opens_is_lacking():
    shut, open_ = (
        head_model().landmarks(head_model().vertices(NOBODY, playing(jawOpen=a)))
        for a in (0.0, 0.6)
    )
    lacking = unopened(np.stack([open_, open_, shut]), np.stack([shut, open_, shut]))
    np.testing.assert_allclose(lacking, [1, 0, 0])


def drawn(coefficients, share, frame, plan):
    """A grey picture and the same with the head model's mouth, and where the lips are open."""
    landmarks = face(coefficients)
    view = View.of_mesh(np.float32(atlas().mesh(landmarks[None])[0]), WINDOW)
    grey = torch.full((1, 3, 400, 400), 0.4)
    planned = replace(frame, landmarks=landmarks, coefficients=coefficients, interior=share)
    share = interior(view, planned)
    return grey, with_mouth(grey, share, WINDOW, plan, planned, torch.zeros_like(grey))


@pytest.fixture(scope="module")
def plan(pair):
    (plan,) = Swap().plan([pair.role])
    return replace(plan, identity=NOBODY, teeth=np.full(3, 0.5, np.float32))


def test_teeth_are_bright_before_a_dark_red_throat(plan):
    wide = playing(jawOpen=0.7, mouthUpperUpLeft=0.6, mouthUpperUpRight=0.6)
    grey, found = drawn(wide, 1.0, plan.frames[0], plan)
    changed = ((found - grey).abs().amax(1) > 0.03)[0]
    assert 1000 < changed.sum() < 12000
    inside = found[0][:, changed]
    assert inside.mean(0).max() == pytest.approx(0.5, abs=0.05)
    assert inside.mean(0).min() < 0.2
    dark = inside[:, inside.mean(0) < 0.25]
    assert (dark[0] > dark[1] + 0.02).all()
    ys, xs = changed.nonzero().unbind(1)
    lips = face(wide)[list(topology.LIPS), :2]
    assert xs.min() > lips[:, 0].min() - 8
    assert ys.max() < lips[:, 1].max() + 8


def test_without_a_share_the_picture_is_returned_as_it_is(plan):
    grey, found = drawn(playing(jawOpen=0.7), 0.0, plan.frames[0], plan)
    assert found is grey


def test_a_plate_that_shows_its_mouth_keeps_it_and_another_performance_gets_teeth(pair):
    role = pair.role
    shut = replace(
        role.likeness.posed,
        shape=np.repeat(role.likeness.posed.neutral[None], len(role.likeness), 0),
    )
    closed = replace(role, likeness=replace(role.likeness, posed=shut))
    other = np.zeros_like(role.performance.coefficients)
    other[:, NAMES.index("jawOpen")] = 0.9
    spoken = replace(role.performance, coefficients=other, residual=role.performance.residual * 0)
    (own,), (foreign,) = Swap().plan([closed]), Swap().plan([replace(closed, performance=spoken)])
    assert [f.interior for f in own.frames] == [0.0] * len(own.frames)
    assert min(f.interior for f in foreign.frames) > 0.9


@dataclass(frozen=True)
class BrighterEyes:
    """The textures of a likeness whose eyes are a stop brighter."""

    textures: FaceTextures

    def read(self, index):
        texture = self.textures.read(index).copy()
        eyes = openings()["right_eye"] + openings()["left_eye"]
        texture[..., :3] *= np.exp2(eyes.clip(0, 1))[..., None]
        return texture

    def name(self, index):
        return self.textures.name(index)


def test_teeth_are_as_white_as_the_eyes(pair):
    role = pair.role
    brighter = replace(role.likeness, textures=BrighterEyes(role.likeness.textures))
    (plan,), (other,) = Swap().plan([role]), Swap().plan([replace(role, likeness=brighter)])
    np.testing.assert_allclose(other.teeth - plan.teeth, STOP, atol=0.2 * STOP)
