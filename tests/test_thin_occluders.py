"""Spectacles before a face: thin lines that are found whole, and lines that are the face's own."""

import pytest
import torch
from made_up import texture_grid

from lifemask.nodes.render.atlas import SIZE, atlas
from lifemask.nodes.render.thin_occluders import Usual, depth, lines

COUNT, WORN = 20, range(9, 20)
SKIN = 0.4  # log


def ring(radius, width):
    """Return a soft ring (SIZE, SIZE) of height 1 around the bridge of the nose."""
    columns, rows = texture_grid(SIZE)
    away = ((columns - 128) ** 2 + (rows - 110) ** 2).sqrt() - radius
    return (1 - (away.abs() - width / 2)).clamp(0, 1)


def pictures(dark=0.0):
    """Return textures of grainy skin, a wrinkle in all, and a rim in front in some: log."""
    generator = torch.Generator().manual_seed(3)
    colour = SKIN + 0.004 * torch.randn(COUNT, 3, SIZE, SIZE, generator=generator)
    wrinkle = torch.zeros(SIZE, SIZE)
    wrinkle[50:53, 80:176] = 0.1
    colour = colour - wrinkle
    colour[list(WORN)] -= dark * ring(36, 4)
    return colour, torch.from_numpy(atlas().face)[None, None].repeat(COUNT, 1, 1, 1)


def found(colour, valid):
    deep = depth(colour, valid)
    return lines(deep, Usual.of(deep, valid))[:, 0]


@pytest.fixture(scope="module")
def mattes():
    return found(*pictures(dark=0.15))


def test_the_rims_of_spectacles_are_in_front_though_they_are_worn_in_most_frames(mattes):
    rim = (ring(36, 4) > 0.9) & (torch.from_numpy(atlas().face) > 0.9)
    away = ring(36, 12) < 0.1
    for frame in WORN:
        assert mattes[frame][rim].mean() > 0.8
        assert mattes[frame][away].max() < 0.2


def test_a_thin_dark_line_is_in_front_in_its_frame_alone():
    colour, valid = pictures()
    colour[3, :, 144:152, 48:208] -= 0.2
    result = found(colour, valid)
    assert result[3, 144:152, 64:100].mean() > 0.8
    assert result[3, :135].max() < 0.2
    assert not torch.cat([result[:3], result[4:]]).any()


def test_nothing_is_in_front_where_nothing_is_worn(mattes):
    assert mattes[: WORN.start].max() < 0.2


def test_a_line_of_the_face_itself_is_not_in_front(mattes):
    assert not found(*pictures()).any()
    assert mattes[:, 46:57, 82:174].max() < 0.2


def test_a_wrinkle_that_moves_by_a_texel_is_the_face_s_own():
    colour, valid = pictures()
    colour[1::2] = colour[1::2].roll(1, 2)
    assert not found(colour, valid).any()


def test_a_shadow_with_soft_edges_is_not_in_front():
    colour, valid = pictures()
    columns, _ = texture_grid(SIZE)
    colour[3] -= 0.2 * ((columns - 120) / 10).sigmoid()
    assert not found(colour, valid).any()


def test_a_short_scratch_is_not_in_front():
    colour, valid = pictures()
    colour[3, :, 140:144, 60:80] -= 0.2
    assert not found(colour, valid).any()


def test_what_is_not_seen_is_not_in_front():
    colour, valid = pictures(dark=0.15)
    valid[WORN.start] = 0
    result = found(colour, valid)
    assert not result[WORN.start].any()
    assert result[WORN.start + 1].any()


def test_neither_light_nor_exposure_changes_what_is_in_front(mattes):
    colour, valid = pictures(dark=0.15)
    columns, _ = texture_grid(SIZE)
    assert (found(colour + 0.1, valid) - mattes).abs().max() < 0.05
    lit = found(colour + 0.1 * (columns / SIZE), valid)
    rim = (ring(36, 4) > 0.9) & (torch.from_numpy(atlas().face) > 0.9)
    assert lit[WORN.start][rim].mean() > 0.8
