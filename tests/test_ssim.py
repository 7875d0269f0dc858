"""Structural similarity: what lowers it, and by how much."""

import pytest
import torch

from lifemask.nodes.render.ssim import ssim

LEVEL, TEXTURE = 1e-4, 9e-4


@pytest.fixture
def picture():
    return torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(3))


def test_a_picture_is_like_itself(picture):
    torch.testing.assert_close(
        ssim(picture, picture, LEVEL, TEXTURE), torch.ones_like(picture), rtol=0, atol=1e-4
    )


def test_it_is_the_same_both_ways(picture):
    other = picture.flip(-1)
    there, back = ssim(picture, other, LEVEL, TEXTURE), ssim(other, picture, LEVEL, TEXTURE)
    torch.testing.assert_close(there, back)
    assert there.mean() < 0.5


def test_two_flat_pictures_differ_by_level_alone():
    a, b = torch.full((1, 1, 9, 9), 0.2), torch.full((1, 1, 9, 9), 0.4)
    expected = (2 * 0.2 * 0.4 + LEVEL) / (0.2**2 + 0.4**2 + LEVEL)
    assert ssim(a, b, LEVEL, TEXTURE).mean() == pytest.approx(expected, rel=1e-3)


def test_a_negative_is_unlike(picture):
    assert ssim(picture, 1 - picture, LEVEL, TEXTURE).mean() < -0.5
