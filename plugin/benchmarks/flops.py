"""How fast this machine is, and how much work something makes for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import torch
from torch import Tensor

from lifemask.nodes.device import device
from lifemask.nodes.refiner.crop import CHANNELS
from lifemask.nodes.refiner.network import Refiner

_SIDE = {"cuda": 8192, "cpu": 2048}
"""Of the matrices that a device multiplies to show what it can do."""

_PICTURES = {"cuda": (64, 128, 64), "cpu": (1, 128, 64)}
"""Of a convolution for the same: so many pictures, channels, and pixels a side."""


def a_second(work: Callable[[], object], seconds: float) -> float:
    """Return how often ``work`` is done in a second, tried for so many ``seconds``.

    The first time, in which memory is found and kernels are chosen, does not count.
    """
    took = _durations(work, seconds)
    return len(took) / sum(took)


def peak(kind: torch.dtype, seconds: float) -> float:
    """Return the most operations a second in large products of matrices or wide convolutions.

    Of the two, which are of other libraries on some processors, the faster one counts.
    """
    with _rounded_as_convolutions(), torch.inference_mode():
        return max(
            operations(work) / min(_durations(work, seconds))
            for work in (_product(kind), _convolution(kind))
        )


def operations(work: Callable[[], Tensor]) -> int:
    """Return the floating-point operations of ``work``, and of the way back if it has gradients.

    Products and convolutions are counted, two for each multiplication; ``work`` may be on meta
    tensors, which cost nothing.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        result = work()
        if result.requires_grad:
            result.backward()
    return int(counter.get_total_flops())


def looking(network: Refiner, size: int) -> int:
    """Return the floating-point operations of a look at a crop of ``size`` pixels."""
    return _operations(network, 1, size, None)


def learning(network: Refiner, batch: int, size: int) -> int:
    """Return those of a step on a ``batch`` of crops, in which one member learns."""
    return _operations(network, batch, size, 0)


def _operations(network: Refiner, batch: int, size: int, turn: int | None) -> int:
    with torch.device("meta"), torch.set_grad_enabled(turn is not None):
        same = Refiner(network.width, len(network.members))
        crops = torch.empty(batch, CHANNELS, size, size)

        def work() -> Tensor:
            answer = same(crops, turn)
            return torch.stack([answer.change.sum(), answer.matte.sum(), answer.spread.sum()]).sum()

        return operations(work)


def _product(kind: torch.dtype) -> Callable[[], Tensor]:
    side = _SIDE[device().type]
    left, right = (torch.randn(side, side, device=device()).to(kind) for _ in range(2))
    return lambda: left @ right


def _convolution(kind: torch.dtype) -> Callable[[], Tensor]:
    count, channels, side = _PICTURES[device().type]
    shapes = (count, channels, side, side), (channels, channels, 3, 3)
    pictures, kernel = (torch.randn(shape, device=device()).to(kind) for shape in shapes)
    last = torch.channels_last
    pictures, kernel = pictures.to(memory_format=last), kernel.to(memory_format=last)
    return lambda: torch.conv2d(pictures, kernel, padding=1)


def _durations(work: Callable[[], object], seconds: float) -> list[float]:
    """How many seconds ``work`` takes, time after time, at least twice."""
    work()
    _wait()
    took: list[float] = []
    while len(took) < 2 or sum(took) < seconds:
        begun = monotonic()
        work()
        _wait()
        took.append(monotonic() - begun)
    return took


def _wait() -> None:
    """Let the device finish: it runs behind the program."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


@contextmanager
def _rounded_as_convolutions() -> Iterator[None]:
    """Let a card's products of float32 be as coarse as its convolutions are: TF32."""
    before = torch.backends.cuda.matmul.allow_tf32
    if device().type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
