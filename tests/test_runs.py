"""Runs of frames in which one face moves on, and what is smoothed along them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lifemask.nodes.faces.runs import runs, split
from lifemask.nodes.faces.temporal_filter import smoothed
from lifemask.nodes.render.atlas import atlas

FRAMES = np.arange(20.0)


def faces(count, shift=0.0):
    """Landmarks of one head that stands still, but for ``shift`` (N,) in widths of the face."""
    mean = np.repeat(atlas().mean[None], count, 0).astype(np.float32)
    mean[..., 0] += np.broadcast_to(shift, count)[:, None] * np.ptp(atlas().mean[:, 0])
    return mean


@given(arrays(bool, st.integers(0, 12)))
def test_runs_are_all_of_them_in_order_and_part_at_the_breaks(breaks):
    found = split(breaks)
    assert [i for run in found for i in range(run.start, run.stop)] == list(range(len(breaks) + 1))
    assert [run.start for run in found[1:]] == (np.flatnonzero(breaks) + 1).tolist()


@pytest.mark.parametrize(("missing", "parts"), [(0, 3), (1, 2), (9, 1)])
def test_a_run_goes_on_over_as_many_missing_frames_as_it_may(missing, parts):
    frame = np.array([1, 2, 4, 5, 9])
    assert len(runs(np.zeros(5, int), frame, faces(5), missing)) == parts


def test_a_take_ends_and_a_cut_ends_a_run():
    take, frame = np.array([0, 0, 1, 1, 1]), np.array([1, 2, 3, 4, 5])
    shift = np.array([0, 0, 0, 3, 3])
    assert runs(take, frame, faces(5, shift)) == [slice(0, 2), slice(2, 3), slice(3, 5)]


def test_an_even_motion_keeps_its_trend_to_the_ends():
    table = torch.from_numpy(2 + 3 * FRAMES)[:, None]
    torch.testing.assert_close(smoothed(table, 1.5, trend=True), table)
    held = smoothed(table, 1.5)
    torch.testing.assert_close(held[5:-5], table[5:-5])
    assert held[0] > table[0]
    assert held[-1] < table[-1]


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize("length", [1, 3, 20])
def test_what_stands_still_stays(length, trend):
    table = torch.full((length, 2), 7.0)
    torch.testing.assert_close(smoothed(table, 1.5, trend), table)


def test_no_sigma_changes_nothing():
    table = torch.rand(9, 3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(smoothed(table, 0), table)


def test_a_spike_becomes_a_gaussian():
    table = torch.from_numpy(FRAMES == 10).double()[:, None]
    expected = np.exp(-0.5 * ((FRAMES - 10) / 1.5) ** 2)
    np.testing.assert_allclose(
        smoothed(table, 1.5)[:, 0].numpy(), expected / expected.sum(), atol=1e-3
    )
