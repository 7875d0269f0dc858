"""Operations are counted as on paper; rates are of what was done."""

import pytest
import torch

from lifemask.nodes.refiner.network import Refiner
from lifemask.plugin import pace


def test_products_and_convolutions_count_two_for_each_multiplication():
    left, right = torch.ones(3, 5), torch.ones(5, 7)
    assert pace.operations(lambda: left @ right) == 2 * 3 * 5 * 7
    layer = torch.nn.Conv2d(4, 6, 3, padding=1, device="meta").requires_grad_(False)
    pictures = torch.empty(2, 4, 8, 16, device="meta")
    assert pace.operations(lambda: layer(pictures)) == 2 * 2 * 8 * 16 * 4 * 6 * 9


def test_the_way_back_counts_where_something_is_learned():
    layer, given = torch.nn.Linear(5, 7, bias=False), torch.ones(3, 5)
    there = 2 * 3 * 5 * 7
    assert pace.operations(lambda: layer(given).sum()) == 2 * there
    assert pace.operations(lambda: layer(given.requires_grad_()).sum()) == 3 * there


def test_a_refiner_costs_by_the_pixel():
    one = Refiner(8)
    small = pace.looking(one, 32)
    assert pace.looking(one, 64) == 4 * small
    assert pace.learning(one, 3, 64) == 12 * pace.learning(one, 1, 32)
    assert 2.5 < pace.learning(one, 1, 32) / small <= 3


def test_all_members_look_and_one_learns():
    one, three = Refiner(8), Refiner(8, 3)
    assert pace.looking(three, 32) == 3 * pace.looking(one, 32)
    assert pace.learning(three, 2, 32) == pace.learning(one, 2, 32)


def test_the_first_time_does_not_count_and_two_more_are_made():
    done = []
    rate = pace.a_second(lambda: done.append(1), seconds=0)
    assert len(done) == 3
    assert rate > 0


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_peak_leaves_the_precision_of_products_as_it_was(kind, monkeypatch):
    monkeypatch.setattr(pace, "_SIDE", dict.fromkeys(pace._SIDE, 64))
    monkeypatch.setattr(pace, "_PICTURES", dict.fromkeys(pace._PICTURES, (1, 8, 8)))
    before = torch.backends.cuda.matmul.allow_tf32
    assert pace.peak(kind, seconds=0) > 0
    assert torch.backends.cuda.matmul.allow_tf32 is before
