"""The operators of the face networks in torch: NHWC tensors as in the file, any batch size.

Each builder reads a step once and returns the function that computes it from its inputs. Rank-4
tensors are permuted to NCHW views for torch's kernels: the memory stays channels-last throughout.
"""

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812

from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces.graph import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

Tensor = torch.Tensor
Function = Callable[..., Tensor]
Constants = dict[int, "NDArray[Any]"]
Builder = Callable[[Step, Constants], Function]

BUILDERS: dict[str, Builder] = {}
_ACTIVATIONS: dict[int, Callable[[Tensor], Tensor]] = {
    0: lambda x: x,
    1: F.relu,
    3: F.relu6,
}
_PLAIN: dict[str, Function] = {
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "neg": torch.neg,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "squared_difference": lambda a, b: (a - b) ** 2,
}
_ARITHMETIC: dict[str, Function] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
}


def build(step: Step, constants: Constants) -> Function:
    """Return the function that computes ``step`` from its inputs."""
    if step.name in _PLAIN:
        return _PLAIN[step.name]
    if step.name in _ARITHMETIC:
        compute, activate = _ARITHMETIC[step.name], _ACTIVATIONS[step.option(0, "b")]
        return lambda a, b: activate(compute(a, b))
    return BUILDERS[step.name](step, constants)


def _builder(name: str) -> Callable[[Builder], Builder]:
    def register(builder: Builder) -> Builder:
        BUILDERS[name] = builder
        return builder

    return register


def _nchw(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def _nhwc(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the padding before and after that TensorFlow calls SAME."""
    total = max((ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _padded(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], fill: float) -> Tensor:
    rows = _same(x.shape[2], kernel[0], stride[0])
    columns = _same(x.shape[3], kernel[1], stride[1])
    return F.pad(x, (*columns, *rows), value=fill) if any(rows + columns) else x


@_builder("conv")
@_builder("depthwise")
def _conv(step: Step, constants: Constants) -> Function:
    depthwise = step.name == "depthwise"
    kernel = constants[step.inputs[1]].shape[1:3]
    groups = constants[step.inputs[1]].shape[3] if depthwise else 1
    stride = step.option(2), step.option(1)
    activate = _ACTIVATIONS[step.option(4 if depthwise else 3, "b")]
    if kernel == stride == (1, 1) and groups == 1:
        # On channels-last memory a product of matrices, several times quicker than a convolution.
        return lambda x, weight, bias=None: activate(F.linear(x, weight.flatten(1), bias))
    same = step.option(0, "b") == 0
    # The even part of the padding costs nothing inside the convolution.
    inside = (kernel[0] // 2, kernel[1] // 2) if same and stride == (1, 1) else (0, 0)
    outside = same and inside == (0, 0)
    order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)

    def compute(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        x = _nchw(x)
        if outside:
            x = _padded(x, kernel, stride, 0.0)
        return _nhwc(
            activate(F.conv2d(x, weight.permute(order), bias, stride, inside, groups=groups))
        )

    return compute


@_builder("max_pool")
def _max_pool(step: Step, constants: Constants) -> Function:
    stride, kernel = (step.option(2), step.option(1)), (step.option(4), step.option(3))
    same = step.option(0, "b") == 0

    def compute(x: Tensor) -> Tensor:
        x = _nchw(x)
        x = _padded(x, kernel, stride, -torch.inf) if same else x
        return _nhwc(F.max_pool2d(x, kernel, stride))

    return compute


@_builder("concat")
def _concat(step: Step, constants: Constants) -> Function:
    axis = step.option(0)
    return lambda *parts: torch.cat(
        [part.expand(parts[-1].shape[0], *part.shape[1:]) for part in parts], axis
    )


@_builder("prelu")
def _prelu(step: Step, constants: Constants) -> Function:
    return lambda x, slope: _nhwc(F.prelu(_nchw(x), slope.reshape(-1)))


@_builder("reshape")
def _reshape(step: Step, constants: Constants) -> Function:
    return lambda x, *_: x.reshape(x.shape[0], *step.shape[1:])


@_builder("resize")
def _resize(step: Step, constants: Constants) -> Function:
    if step.option(3, "B") != 1:
        raise BrokenFileError("network: a resize without half-pixel centres is not one of ours")
    size = step.shape[1:3]
    return lambda x, _: _nhwc(F.interpolate(_nchw(x), size, mode="bilinear"))


@_builder("depth_to_space")
def _depth_to_space(step: Step, constants: Constants) -> Function:
    block = step.option(0)

    def compute(x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        parts = x.reshape(n, h, w, block, block, c // block**2).permute(0, 1, 3, 2, 4, 5)
        return parts.reshape(n, h * block, w * block, c // block**2)

    return compute


@_builder("mean")
@_builder("sum")
def _reduce(step: Step, constants: Constants) -> Function:
    axes = tuple(int(axis) for axis in constants[step.inputs[1]].flatten())
    keep = bool(step.option(0, "B"))
    compute = torch.mean if step.name == "mean" else torch.sum
    return lambda x, _: compute(x, axes, keep)


@_builder("pad")
def _pad(step: Step, constants: Constants) -> Function:
    flat = [int(n) for pair in reversed(constants[step.inputs[1]]) for n in pair]
    return lambda x, _: F.pad(x, flat)


@_builder("transpose")
def _transpose(step: Step, constants: Constants) -> Function:
    order = tuple(int(axis) for axis in constants[step.inputs[1]])
    return lambda x, _: x.permute(order)


@_builder("slice")
def _slice(step: Step, constants: Constants) -> Function:
    begin, end, stride = (constants[number].tolist() for number in step.inputs[1:4])
    open_begin, open_end, drop = step.option(0), step.option(1), step.option(4)
    # The first axis is the batch: it is never cut, nor dropped.
    picks: list[slice | int] = [slice(None)]
    for axis in range(1, len(begin)):
        start = None if open_begin >> axis & 1 else begin[axis]
        stop = None if open_end >> axis & 1 else end[axis]
        picks.append(begin[axis] if drop >> axis & 1 else slice(start, stop, stride[axis]))
    return lambda x, *_: x[tuple(picks)]
