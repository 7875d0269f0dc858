"""Recognise and handle out-of-memory errors, for which some libraries have no type."""

from collections.abc import Iterator
from contextlib import contextmanager

from lifemask.nodes.errors import KnobError, Remedy

_FULL = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "std::bad_alloc",
    "Insufficient memory",  # OpenCV's
    "could not create a primitive",  # oneDNN's
)


def is_full(error: BaseException) -> bool:
    """Return whether ``error`` means that memory ran out, a graphics card's included."""
    # By name, so that torch is not loaded for it.
    own = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return own or any(message in str(error) for message in _FULL)


@contextmanager
def enough_memory(problem: str) -> Iterator[None]:
    """Raise KnobError with this ``problem`` when memory runs out in the block."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_full(error):
            raise
        raise KnobError(problem, Remedy("fewer_examples")) from error


def fits_card(size: int) -> bool:
    """Return whether a card has memory for ``size`` bytes, and as much again to compute in."""
    import torch

    from lifemask.nodes.device import device

    return device().type == "cuda" and 2 * size < torch.cuda.mem_get_info(device())[0]
