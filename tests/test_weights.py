"""A byte for each of a kernel's weights: near, the same when written again, no NaN lost."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lifemask.nodes.refiner.network import Refiner
from lifemask.nodes.refiner.weights import pack, unpack

KERNELS = arrays(np.float32, (3, 2, 3, 3), elements=st.floats(-100, 100, width=32))


@given(KERNELS)
def test_a_kernel_is_half_a_step_of_its_output_off_at_most(kernel):
    again = unpack(pack({"kernel": torch.from_numpy(kernel)}))["kernel"].numpy()
    step = np.abs(kernel).max((1, 2, 3), keepdims=True) / 127
    assert (np.abs(again - kernel) <= 0.501 * step + 1e-27).all()


@given(KERNELS)
@example(np.full((3, 2, 3, 3), 2e-29, np.float32))
def test_what_was_written_once_is_written_the_same_again(kernel):
    once = unpack(pack({"kernel": torch.from_numpy(kernel)}))
    assert torch.allclose(unpack(pack(once))["kernel"], once["kernel"], rtol=1e-6, atol=0)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_when_it_is_read(broken):
    kernel = torch.ones(2, 1, 3, 3)
    kernel[1, 0, 1, 1] = broken
    read = unpack(pack({"kernel": kernel, "bias": torch.tensor([broken, 1.0])}))
    assert torch.equal(read["kernel"][0], kernel[0])
    assert not read["kernel"][1].isfinite().all()
    assert read["bias"].isfinite().tolist() == [False, True]


def test_a_network_takes_a_byte_a_weight_and_a_little():
    weights = Refiner(48).state_dict()
    count = sum(weight.numel() for weight in weights.values())
    packed = pack(weights)
    assert count < sum(array.nbytes for array in packed.values()) < 1.02 * count
    read = unpack(packed)
    assert {name: weight.shape for name, weight in read.items()} == {
        name: weight.shape for name, weight in weights.items()
    }


def test_a_scale_that_is_not_there_is_named():
    arrays = pack({"kernel": torch.ones(2, 1, 3, 3)})
    del arrays["kernel/scale"]
    with pytest.raises(KeyError, match="kernel/scale"):
        unpack(arrays)
