"""How training uses the machine: half precision where it is fast, less at once where it is full."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import nn

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.errors import KnobError, Remedy
from lifemask.nodes.memory import is_full

_KEPT = 12  # floats for each that is shown in a window
_WHOLE = 3  # copies of the crops that the windows are of


def fast() -> bool:
    """Return whether the device multiplies bfloat16 quicker than float32."""
    if device().type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device().type == "cpu" and torch.backends.mkldnn.is_available() and _has_bf16()


def _has_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported())


def mixed() -> AbstractContextManager[object]:
    """Compute what follows in bfloat16 where that is fast; weights and losses stay float32."""
    return torch.autocast(device().type, torch.bfloat16, enabled=fast())


def without_memory(error: RuntimeError | MemoryError, chosen: list[int]) -> list[int]:
    """Return the first half of a batch that memory had no room for.

    Raises ``error`` when it is another one, KnobError when the batch is of one already.
    """
    if not is_full(error):
        raise error
    if len(chosen) == 1:
        raise KnobError(
            "size: there is not enough memory for one example", Remedy("smaller_windows")
        ) from error
    if device().type == "cuda":
        torch.cuda.empty_cache()
    progress.note("train", f"memory is full: batches of {len(chosen) // 2} from now on")
    return chosen[: len(chosen) // 2]


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
    """Return whether a card has memory for ``size`` bytes of examples, and as much to learn in."""
    return device().type == "cuda" and 2 * size < torch.cuda.mem_get_info(device())[0]


def memory(shape: tuple[int, int, int], network: nn.Module, batch: int, size: int) -> str:
    """Return how much memory a training in windows of ``size`` pixels will take, in words.

    The examples are so many, of so many planes of so many pixels a side: their ``shape``.

    Weights, their average, their gradients and AdamW's two moments are six floats a weight; what
    the network keeps of an example for the way back is measured as so many floats a number shown.
    """
    weights = sum(weight.numel() for weight in network.parameters())
    count, planes, side = shape
    pixels = max(_KEPT * size**2, _WHOLE * side**2)
    step = planes * pixels * batch * 4
    return (
        f"memory: {_size(count * planes * side**2 * 2)} of examples, "
        f"{_size(weights * 6 * 4)} for the network, {_size(step)} a batch of {batch}"
    )


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
