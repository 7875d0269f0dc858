"""A network's weights in a file: kernels in 8 bits with a scale for each output channel.

Eight bits are as good as a half float here: the output changes by a hundredth of the difference
between two trainings. All other weights are half floats.
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
    """Return ``weights`` quantised, as arrays to save."""
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
    """Return the weights that `pack` quantised, as float32.

    Raises KeyError where a scale is missing. Values that were not finite are not finite.
    """
    tensors = {name: torch.from_numpy(array).float() for name, array in arrays.items()}
    return {
        name: tensor * tensors[name + _SCALE] if _is_kernel(tensor) else tensor
        for name, tensor in tensors.items()
        if not name.endswith(_SCALE)
    }


def _is_kernel(weight: Tensor) -> bool:
    """Whether it is the kernel of a convolution over more than one pixel; most weights are."""
    return weight.ndim == 4 and weight.shape[-1] > 1
