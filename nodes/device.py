"""The device for tensors, and the number of threads that compute."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from lifemask.nodes import progress

if TYPE_CHECKING:
    import torch


@cache
def device() -> "torch.device":
    """Return the fastest device of this machine: CUDA, or the processor.

    A card that torch cannot use, such as one with an old driver, is reported in one line. On the
    processor torch gets half of the cores, unless ``OMP_NUM_THREADS`` is set: the other half reads
    and writes frames, and threads that compete for a core are ten times slower.
    """
    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if available:
        return torch.device("cuda")
    for one in caught:
        _, of_card, why = str(one.message).partition("CUDA initialization: ")
        if of_card:
            why = why.partition(" (Triggered ")[0].partition(". Please ")[0]
            progress.note("device", f"the processor is used, not the graphics card: {why}")
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    return torch.device("cpu")


@contextmanager
def at_most(threads: int) -> Iterator[None]:
    """Let torch compute on at most so many ``threads``; its rounding depends on the number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(min(before, threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads() -> int:
    """Return how many threads compute on the processor, see `device`."""
    import torch

    device()
    return torch.get_num_threads()


def device_name() -> str:
    """Return the device's name for an artist: that of the card, or of the processor."""
    import torch

    if device().type == "cuda":
        return torch.cuda.get_device_name(device())
    return f"{device().type}, {torch.get_num_threads()} threads"
