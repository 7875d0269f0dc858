"""What crosses a face is found whole, and apart from the face, in frames that hide most of it."""

import pytest
import torch
from made_up import SKIN, faces

from lifemask.nodes.render.occluder_model import crossings
from lifemask.nodes.render.occluders import SURE, occlusion

HIDDEN = torch.zeros(20, dtype=torch.bool)
HIDDEN[8:12] = True
TAKE = torch.zeros(20, dtype=torch.long)
HAND = (slice(22, 46), slice(14, 34))
KNOWN = (slice(20, 44), slice(13, 31))


@pytest.fixture(scope="module")
def crossed():
    """Faces of a patterned skin; in four a hand of a colour that the skin has elsewhere, too."""
    textures = faces(20, 2)
    generator = torch.Generator().manual_seed(1)
    skin = 0.4 + 0.03 * torch.randn(1, 3, 64, 64, generator=generator)
    textures.colour[:] = skin + 0.004 * torch.randn(20, 3, 64, 64, generator=generator)
    hand = torch.tensor([0.5, 0.44, 0.42]).view(3, 1, 1)
    textures.colour[8:12, :, *HAND] = hand + 0.01 * torch.randn(4, 3, 24, 20, generator=generator)
    score = torch.zeros(20, 1, 64, 64)
    score[8:12, :, *KNOWN] = SURE
    return textures, score


def inside(textures, index):
    hand = torch.zeros(64, 64, dtype=torch.bool)
    hand[HAND] = True
    sure = (textures.valid[index, 0] > 0.5) & (SKIN > 0.5)
    return hand & sure, ~hand & sure


def test_most_of_a_hand_tells_the_rest_and_its_edges(crossed):
    textures, score = crossed
    matte = occlusion(crossings(textures, score, TAKE, HIDDEN))[:, 0]
    for index in range(8, 12):
        hand, face = inside(textures, index)
        before = occlusion(score)[index, 0]
        assert matte[index][hand].mean() > 0.9 > before[hand].mean()
        assert matte[index][face].mean() < 0.02


def test_frames_that_are_seen_well_keep_their_scores(crossed):
    textures, score = crossed
    assert torch.equal(crossings(textures, score, TAKE, HIDDEN)[~HIDDEN], score[~HIDDEN])
    assert torch.equal(crossings(textures, score, TAKE, HIDDEN & False), score)


def test_where_nothing_is_found_nothing_crosses(crossed):
    textures, score = crossed
    assert occlusion(crossings(textures, 0 * score, TAKE, HIDDEN)).max() < 0.05


def test_each_take_recalls_its_own_look(crossed):
    textures, score = crossed
    take = (torch.arange(20) >= 12).long()
    other = textures.colour.clone()
    other[12:] += 0.3
    changed = type(textures)(other, textures.valid, textures.normal)
    for source in (textures, changed):
        alone = crossings(source, score, take, HIDDEN)[8:12]
        assert torch.allclose(alone, crossings(textures, score, take, HIDDEN)[8:12])
