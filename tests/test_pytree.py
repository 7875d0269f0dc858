"""What is folded and unfolded is the same, down to the layout in memory."""

import copy
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.nodes.learning.pytree import fold, unfold

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
DTYPES = ["float32", "float16", "float64", "int64", "uint8", "bool"]


@st.composite
def arrays(draw):
    shape = draw(st.lists(st.integers(0, 3), max_size=4))
    raw = draw(st.integers(0, 2**32)) + np.arange(np.prod(shape, dtype=int))
    array = (raw % 251).astype(draw(st.sampled_from(DTYPES))).reshape(shape)
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    return torch.from_numpy(array) if draw(st.booleans()) else array


TREES = st.recursive(
    SCALARS | arrays(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("ab.", max_size=3) | st.integers(0, 3), inner, max_size=3)
    ),
    max_leaves=8,
)


def again(tree):
    """The tree after its way through JSON and contiguous arrays."""
    kept = {}
    folded = json.loads(json.dumps(fold(tree, kept)))
    return unfold(folded, {name: np.array(array, order="C") for name, array in kept.items()})


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        a, b = list(a.values()), list(b.values())
    if isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, strict=True)
    else:
        assert a == b or (a != a and b != b)


@settings(max_examples=200)
@given(TREES)
def test_there_and_back(tree):
    same(tree, again(tree))


def test_single_numbers_of_numpy_become_plain_ones():
    assert again([np.float32(0.5), np.int64(3)]) == [0.5, 3]


def test_arrays_are_known_by_their_path_even_when_two_share_it():
    kept = {}
    fold({"a": {"b": np.zeros(1)}, "a.b": np.ones(2), "c": [np.ones(3)]}, kept)
    assert {name: len(array) for name, array in kept.items()} == {"a.b": 1, "a.b#1": 2, "c.0": 3}


def test_what_is_no_tree_is_not_unfolded():
    with pytest.raises(KeyError):
        unfold({"picture": "a"}, {})


@pytest.mark.parametrize("fused", [False, True])
def test_an_optimiser_goes_on_as_if_nothing_had_happened(fused):
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), fused=fused)

    def step(network, optimiser):
        optimiser.zero_grad()
        network(torch.ones(1, 3, 5, 5)).square().mean().backward()
        optimiser.step()
        return [one.tolist() for one in network.parameters()]

    step(network, optimiser)
    other = copy.deepcopy(network)
    resumed = torch.optim.AdamW(other.parameters(), fused=fused)
    resumed.load_state_dict(again(optimiser.state_dict()))
    for _ in range(3):
        assert step(network, optimiser) == step(other, resumed)


LOSSES = st.dictionaries(st.text(max_size=4), st.floats(allow_nan=False), min_size=1, max_size=4)


@given(keys=LOSSES, count=st.integers(0, 5))
def test_rows_of_numbers_are_a_table(keys, count):
    same(again([dict(keys)] * count), [dict(keys)] * count)


def test_the_losses_of_a_month_are_arrays_and_not_words():
    """A header may have 100 MB, and would be read whole for every look at a file."""
    kept, row = {}, {"loss": 0.1, "near": 0.2, "structure": 1 / 3}
    history = [row] * 300_000
    folded = json.dumps(fold({"history": history}, kept))
    assert len(folded) < 200
    assert unfold(json.loads(folded), kept) == {"history": history}
