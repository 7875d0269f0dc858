"""Operations are counted as on paper; rates are of what was done."""

import pytest
import torch

from lifemask.nodes.refiner.network import Refiner
from lifemask.plugin.benchmarks import flops


def test_products_and_convolutions_count_two_for_each_multiplication():
    left, right = torch.ones(3, 5), torch.ones(5, 7)
    assert flops.operations(lambda: left @ right) == 2 * 3 * 5 * 7
    layer = torch.nn.Conv2d(4, 6, 3, padding=1, device="meta").requires_grad_(False)
    pictures = torch.empty(2, 4, 8, 16, device="meta")
    assert flops.operations(lambda: layer(pictures)) == 2 * 2 * 8 * 16 * 4 * 6 * 9


def test_the_way_back_counts_where_something_is_learned():
    layer, given = torch.nn.Linear(5, 7, bias=False), torch.ones(3, 5)
    there = 2 * 3 * 5 * 7
    assert flops.operations(lambda: layer(given).sum()) == 2 * there
    assert flops.operations(lambda: layer(given.requires_grad_()).sum()) == 3 * there


def test_a_refiner_costs_by_the_pixel():
    one = Refiner(8)
    small = flops.looking(one, 32)
    assert flops.looking(one, 64) == 4 * small
    assert flops.learning(one, 3, 64) == 12 * flops.learning(one, 1, 32)
    assert 2.5 < flops.learning(one, 1, 32) / small <= 3


def test_all_members_look_and_one_learns():
    one, three = Refiner(8), Refiner(8, 3)
    assert flops.looking(three, 32) == 3 * flops.looking(one, 32)
    assert flops.learning(three, 2, 32) == flops.learning(one, 2, 32)


def test_the_first_time_does_not_count_and_two_more_are_made():
    done = []
    rate = flops.a_second(lambda: done.append(1), seconds=0)
    assert len(done) == 3
    assert rate > 0


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_peak_leaves_the_precision_of_products_as_it_was(kind, monkeypatch):
    monkeypatch.setattr(flops, "_SIDE", dict.fromkeys(flops._SIDE, 64))
    monkeypatch.setattr(flops, "_PICTURES", dict.fromkeys(flops._PICTURES, (1, 8, 8)))
    before = torch.backends.cuda.matmul.allow_tf32
    assert flops.peak(kind, seconds=0) > 0
    assert torch.backends.cuda.matmul.allow_tf32 is before
