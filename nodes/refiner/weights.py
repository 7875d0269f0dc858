"""A network's weights in a file: a byte for each of a kernel's, at a scale for each of its outputs.

A byte is coarser than a half float and as good here: what the network says moves by a hundredth of
what two trainings of it differ by. All else is in half floats.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SCALE = "/scale"
_MOST = 127
_LEAST_SCALE = 1e-30  # of an output whose weights are all about 0


def pack(weights: Mapping[str, Tensor]) -> "dict[str, NDArray[Any]]":
    """Return ``weights`` as arrays to be saved."""
    arrays: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if _is_kernel(weight):
            most = weight.abs().amax((1, 2, 3), keepdim=True)
            scale = (most / _MOST).clamp(min=_LEAST_SCALE)
            arrays[name] = (weight / scale).round().to(torch.int8)
            arrays[name + _SCALE] = scale
        else:
            arrays[name] = weight.half()
    return {name: array.cpu().numpy() for name, array in arrays.items()}


def unpack(arrays: "Mapping[str, NDArray[np.generic]]") -> dict[str, Tensor]:
    """Return the weights that `pack` was given, nearly, as float32.

    Raises KeyError where a scale is missing; what was not finite is not.
    """
    tensors = {name: torch.from_numpy(array).float() for name, array in arrays.items()}
    return {
        name: tensor * tensors[name + _SCALE] if _is_kernel(tensor) else tensor
        for name, tensor in tensors.items()
        if not name.endswith(_SCALE)
    }


def _is_kernel(weight: Tensor) -> bool:
    """Whether it is a convolution's over more than one pixel, and so most of the network."""
    return weight.ndim == 4 and weight.shape[-1] > 1
