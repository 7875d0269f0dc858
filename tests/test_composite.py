"""The composite: where it is the plate, where it is the generated face."""

import numpy as np
import pytest
import torch

from lifemask.nodes.render.composite import blended


def noise(seed, channels=3):
    random = np.random.default_rng(seed).uniform(-0.1, 8, (1, channels, 60, 80))
    return torch.from_numpy(random.astype(np.float32))


def disc(radius=22):
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing="ij")
    return (radius - (rows - 30).hypot(columns - 40)).clamp(0, 1)[None, None]


@pytest.mark.parametrize("width", [0.0, 3.0, 9.0])
def test_outside_of_the_matte_the_plate_is_untouched_bit_for_bit(width):
    plate, alpha = noise(1), disc()
    result = blended(plate, noise(2), alpha, width, plate)
    outside = (alpha == 0).expand_as(plate)
    assert torch.equal(result[outside], plate[outside])


@pytest.mark.parametrize("width", [0.0, 3.0, 9.0])
def test_inside_a_face_that_is_only_brighter_is_the_generated_one(width):
    plate, alpha = noise(1), disc()
    result = blended(plate, plate + 0.5, alpha, width, plate)
    inside = (disc(22 - 3 * width - 2) == 1).expand_as(plate)
    if inside.any():
        torch.testing.assert_close(result[inside], plate[inside] + 0.5, atol=2e-3, rtol=0)


@pytest.mark.parametrize("width", [0.0, 3.0, 9.0])
def test_a_face_that_leaves_the_picture_is_whole_up_to_its_border(width):
    plate = noise(1)
    result = blended(plate, plate + 0.5, torch.ones(1, 1, 60, 80), width, plate)
    torch.testing.assert_close(result, plate + 0.5, atol=2e-3, rtol=0)


def test_a_hard_matte_mixes_by_its_alpha():
    plate, generated, alpha = noise(1), noise(2), torch.full((1, 1, 60, 80), 0.3)
    torch.testing.assert_close(
        blended(plate, generated, alpha, 0.0, plate),
        0.7 * plate + 0.3 * generated,
        atol=1e-4,
        rtol=1e-4,
    )


def test_a_wide_edge_hides_a_step_of_brightness():
    plate, alpha = torch.full((1, 3, 60, 80), 1.0), disc()
    rows = [blended(plate, plate + 1, alpha, width, plate)[0, 0, 30] for width in (0.0, 8.0)]
    assert rows[0].diff().abs().max() > 0.9
    assert rows[1].diff().abs().max() < 0.4
    assert (rows[1] >= 1 - 1e-5).all()


def test_a_beard_that_is_known_ends_at_the_mattes_edge_and_unlike_light_before_it():
    alpha, skin = disc(), torch.full((1, 3, 60, 80), 0.8)
    known = blended(0.4 * skin, skin, alpha, 8.0, skin)
    torch.testing.assert_close(known, torch.lerp(0.4 * skin, skin, alpha))
    brighter = blended(0.4 * skin, 1.5 * skin, alpha, 8.0, skin)
    edge = (alpha == 1) & (disc(20) == 0)
    assert brighter[edge.expand_as(skin)].mean() < 1.2 * 0.8
    assert brighter[..., 30, 40].min() > 1.45 * 0.8


@pytest.mark.parametrize("place", [(30, 40), (30, 19)])
def test_a_glint_does_not_glow(place):
    plate, generated, alpha = noise(1), noise(2), disc()
    glint = plate.clone()
    glint[..., *place] = 60000
    change = (
        blended(glint, generated, alpha, 6.0, glint) - blended(plate, generated, alpha, 6.0, plate)
    ).abs()
    change[..., *place] = 0
    assert change.max() < 1


def test_nothing_is_clamped():
    plate, generated = torch.full((1, 3, 40, 40), -0.2), torch.full((1, 3, 40, 40), 90.0)
    result = blended(plate, generated, torch.ones(1, 1, 40, 40), 2.0, plate)
    assert result[..., 20, 20].min() == pytest.approx(90, rel=1e-3)
    assert blended(plate, generated, torch.zeros(1, 1, 40, 40), 2.0, plate).max() < 0
