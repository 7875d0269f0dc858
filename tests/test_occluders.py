"""What counts as being in front of a face, and what is only dark."""

import pytest
import torch
from made_up import SKIN, coarse_blob, faces

from lifemask.nodes.render.occluders import SURE, agreed, occlusion, scores

FRAME = 7
CHEEK = (slice(36, 46), slice(17, 27))


@pytest.fixture(scope="module")
def plain():
    """Twenty faces, and what albedo and light leave of them: a little noise, and a warm cheek."""
    textures = faces(20, 2)
    generator = torch.Generator().manual_seed(1)
    left = 0.004 * torch.randn(20, 3, 64, 64, generator=generator) + 0.05 * coarse_blob(40, 40, 8)
    return textures, left


def matte(textures, left):
    return occlusion(scores(textures, left, textures.valid))[:, 0]


def changed(left, by):
    result = left.clone()
    result[FRAME] += by
    return result


def patch(height):
    result = torch.zeros(3, 64, 64)
    result[(slice(None), *CHEEK)] = torch.tensor(height).view(-1, 1, 1)
    return result


def test_a_face_with_nothing_in_front_has_no_occluder(plain):
    assert matte(*plain).max() < 0.1


@pytest.mark.parametrize(
    "height", [[0.15, 0.15, 0.15], [0.05, 0.0, -0.05]], ids=["brighter", "another colour"]
)
def test_something_in_front_in_one_frame_is_found_there_alone(plain, height):
    textures, left = plain
    result = matte(textures, changed(left, patch(height)))
    sure = textures.valid[FRAME, 0][CHEEK] > 0.6
    assert result[FRAME][CHEEK][sure].mean() > 0.8
    away = torch.ones(64, 64)
    away[30:52, 11:33] = 0
    assert (result[FRAME] * away).max() < 0.2
    others = torch.cat([result[:FRAME], result[FRAME + 1 :]])
    assert others.max() < 0.2


def test_a_lonely_spot_is_not_in_front(plain):
    textures, left = plain
    glint = torch.zeros(3, 64, 64)
    glint[:, 39:44, 19:24] = 0.15
    assert matte(textures, changed(left, glint)).max() < 0.1


@pytest.mark.parametrize("colour", [[1, 1, 1], [0.8, 1.0, 1.2]], ids=["grey", "warm"])
def test_a_shadow_is_not_in_front(plain, colour):
    textures, left = plain
    shadow = -0.12 * coarse_blob(22, 41, 5) * SKIN * torch.tensor(colour).view(3, 1, 1)
    assert matte(textures, changed(left, shadow)).max() < 0.2


def test_what_is_usual_is_learnt_from_sure_frames_alone(plain):
    textures, left = plain
    often = left.clone()
    often[: FRAME + 4] += patch([0.15, 0.15, 0.15])
    sure = torch.arange(20) > FRAME + 4
    found = occlusion(scores(textures, often, textures.valid * sure.view(-1, 1, 1, 1)))[FRAME, 0]
    missed = occlusion(scores(textures, often, textures.valid))[FRAME, 0]
    seen = textures.valid[FRAME, 0][CHEEK] > 0.6
    assert found[CHEEK][seen].mean() > 0.8
    assert missed[CHEEK][seen].mean() < 0.2


def test_what_is_not_seen_is_not_in_front(plain):
    textures, left = plain
    unseen = type(textures)(textures.colour, textures.valid.clone(), textures.normal)
    unseen.valid[FRAME] = 0
    assert not matte(unseen, changed(left, patch([0.3, 0.3, 0.3])))[FRAME].any()


def test_what_a_network_sees_is_in_front_and_what_it_does_not_see_must_surprise_more():
    score = torch.linspace(0, 5, 64).expand(1, 1, 64, 64)
    nothing, all_ = torch.zeros_like(score), torch.ones_like(score)
    assert occlusion(agreed(nothing, all_))[..., 8:-8, 8:-8].min() > 0.999
    assert torch.equal(agreed(nothing, nothing), nothing)
    alone, seen = agreed(score, nothing), agreed(score, all_ * 0.3)
    assert (alone[score > 0] < score[score > 0]).all()
    assert (seen >= score).all()
    assert alone.max() > SURE  # what surprises enough needs no network
