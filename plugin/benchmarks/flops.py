"""Count floating-point operations, and measure how many this machine does in a second."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import torch
from torch import Tensor

from lifemask.nodes.device import device
from lifemask.nodes.refiner.crop import CHANNELS
from lifemask.nodes.refiner.network import Refiner

_SIDE = {"cuda": 8192, "cpu": 2048}
"""Side of the matrices whose product measures a device's peak."""

_PICTURES = {"cuda": (64, 128, 64), "cpu": (1, 128, 64)}
"""Pictures, channels and side of the convolution that measures the same."""


def a_second(work: Callable[[], object], seconds: float) -> float:
    """Return how often ``work`` runs in a second, measured for so many ``seconds``.

    The first run, which allocates memory and chooses kernels, does not count.
    """
    took = _durations(work, seconds)
    return len(took) / sum(took)


def peak(kind: torch.dtype, seconds: float) -> float:
    """Return the peak in operations a second, of large matrix products or wide convolutions.

    The faster of the two counts: on some processors different libraries do them.
    """
    with _rounded_as_convolutions(), torch.inference_mode():
        return max(
            operations(work) / min(_durations(work, seconds))
            for work in (_product(kind), _convolution(kind))
        )


def operations(work: Callable[[], Tensor]) -> int:
    """Return the floating-point operations of ``work``, with its backward pass if it has gradients.

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
    """Return the floating-point operations of refining a crop of ``size`` pixels."""
    return _operations(network, 1, size, None)


def learning(network: Refiner, batch: int, size: int) -> int:
    """Return those of a step on a ``batch`` of crops, in which one member learns."""
    return _operations(network, batch, size, 0)


def _operations(network: Refiner, batch: int, size: int, turn: int | None) -> int:
    with torch.device("meta"), torch.set_grad_enabled(turn is not None):
        same = Refiner(network.width, len(network.members))
        crops = torch.empty(batch, CHANNELS, size, size)

        def work() -> Tensor:
            prediction = same(crops, turn)
            return torch.stack(
                [prediction.residual.sum(), prediction.matte.sum(), prediction.uncertainty.sum()]
            ).sum()

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
    """The seconds of each run of ``work``, at least two."""
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
    """Wait for the device, which runs asynchronously."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


@contextmanager
def _rounded_as_convolutions() -> Iterator[None]:
    """Let a card compute float32 products in TF32, as it does convolutions."""
    before = torch.backends.cuda.matmul.allow_tf32
    if device().type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
