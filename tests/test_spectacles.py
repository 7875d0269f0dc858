"""Spectacles that the double wears are taken off; what else is in front stays."""

import pytest
import torch

from lifemask.nodes.render.glass import Glass
from lifemask.nodes.swap.front import Front
from lifemask.nodes.swap.spectacles import taken_off

WIDTH = 100.0
PLATE, BARE = torch.full((1, 3, 100, 100), 0.5), torch.full((1, 3, 100, 100), 0.3)


def disc(x, y, radius):
    rows, columns = torch.meshgrid(torch.arange(100), torch.arange(100), indexing="ij")
    return (torch.hypot((columns - x).float(), (rows - y).float()) <= radius).float()[None, None]


LENS = disc(30, 40, 12)
RIM = disc(30, 40, 14) - LENS
HAND = disc(75, 80, 15)


def front(occlusion, lens):
    return Front(occlusion.clamp(0, 1), Glass(lens, torch.ones_like(lens)))


@pytest.fixture
def bare():
    return taken_off(front(RIM + HAND, LENS), PLATE, BARE, WIDTH)


def test_rims_and_lenses_are_gone_and_a_hand_stays(bare):
    seen, _ = bare
    assert seen.occlusion[RIM > 0].max() == 0
    assert seen.glass.lens.max() == 0
    assert (seen.occlusion * HAND).sum() > 0.95 * HAND.sum()


def test_nothing_of_them_is_carried_along(bare):
    _, carried = bare
    gone = (RIM + LENS).bool().expand_as(carried)
    assert torch.equal(carried[gone], BARE[gone])
    assert torch.equal(carried[..., 60:, :], PLATE[..., 60:, :])


def test_a_strand_of_hair_is_no_spectacles():
    strand = torch.zeros(1, 1, 100, 100)
    strand[..., 30:33] = 1
    seen, carried = taken_off(front(strand, strand * 0), PLATE, BARE, WIDTH)
    assert torch.equal(seen.occlusion, strand)
    assert torch.equal(carried, PLATE)
