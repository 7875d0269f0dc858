"""A new face behind spectacles: tint and reflections of their lenses stay."""

import pytest
import torch

from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.glass import Glass

SIDE, WIDTH = 80, 60.0


def lens():
    matte = torch.zeros(1, 1, SIDE, SIDE)
    matte[..., 30:50, 20:60] = 1
    return matte


def grey(value):
    return torch.full((1, 3, SIDE, SIDE), value)


def seen(transmission, plate, light=None, matte=None):
    matte = lens() if matte is None else matte
    glass = Glass(matte, torch.full_like(matte, transmission))
    light = grey(0.0) if light is None else light
    return glass.before(grey(0.4), plate, grey(0.2), light, WIDTH)


def test_nothing_changes_beside_a_lens_or_without_one():
    inside = lens().bool().expand(1, 3, -1, -1)
    assert torch.equal(seen(0.3, grey(0.06))[~inside], grey(0.4)[~inside])
    assert torch.equal(seen(0.3, grey(9.0), matte=lens() * 0), grey(0.4))


def test_a_clear_lens_lets_the_face_through():
    assert torch.equal(seen(0.95, grey(0.2)), grey(0.4))


@pytest.mark.parametrize("passes", [0.1, 0.5])
def test_sunglasses_take_light_away(passes):
    inside = seen(passes, grey(0.2 * passes))[..., 30:50, 20:60]
    assert torch.allclose(inside, torch.full_like(inside, 0.4 * passes))


def test_what_the_light_has_lost_already_is_not_taken_again():
    light = grey(0.0) + lens() * -STOP  # half of it: the light was read through the glass
    inside = seen(0.5, grey(0.1), light)[..., 30:50, 20:60]
    assert torch.allclose(inside, torch.full_like(inside, 0.4))


def test_a_reflection_is_added():
    plate = grey(0.2)
    plate[..., 35:40, 30:40] = 3.0
    glare = seen(0.95, plate)[..., 35:40, 30:40]
    assert float(glare.mean()) == pytest.approx(0.4 + 3.0 - 0.8, abs=1e-3)
