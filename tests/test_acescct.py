"""The log curve on tensors is the one that OpenColorIO calls ACEScct."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes.render.acescct import STOP, to_linear, to_log
from lifemask.ocio.colour.transform import WORKING, convert

VALUES = np.float32(
    [-2, -0.5, -0.01, -1e-5, 0, 1e-6, 0.005, 0.0078124, 0.0078126, 0.01, 0.18, 1, 7, 100, 5e4]
)


def test_it_is_acescct():
    truth = convert(np.repeat(VALUES[:, None], 3, 1), WORKING, "ACEScct")[:, 0]
    np.testing.assert_allclose(to_log(torch.from_numpy(VALUES)).numpy(), truth, atol=1e-5)
    back = convert(np.repeat(truth[:, None], 3, 1), "ACEScct", WORKING)[:, 0]
    linear = to_linear(torch.from_numpy(truth)).numpy()
    np.testing.assert_allclose(linear, back, rtol=1e-4, atol=1e-6)


@given(st.floats(-10, 5e4, width=32))
def test_there_and_back_changes_nothing(value):
    there = to_log(torch.tensor([value]))
    assert float(to_linear(there)) == pytest.approx(value, rel=3e-5, abs=3e-7)


def test_a_stop_is_a_stop():
    for value in (0.02, 0.18, 3.0):
        log = to_log(torch.tensor([value, 2 * value]))
        assert float(log[1] - log[0]) == pytest.approx(STOP, abs=1e-6)


def test_what_is_brighter_has_a_higher_value():
    linear = torch.linspace(-0.02, 0.05, 400)
    assert (to_log(linear).diff() > 0).all()


def test_what_a_filter_overshoots_still_fits_into_half_float():
    assert to_linear(torch.tensor([1.45, 1.6, 3.0, 40.0])).half().isfinite().all()
