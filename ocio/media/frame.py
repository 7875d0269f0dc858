"""A frame of footage."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """The pixels of one frame, float32, as stored: neither converted nor clamped.

    ``rgb`` is (H, W, 3), ``alpha`` and each of the ``layers`` (H, W). Integer formats are 0..1.
    ``header`` (time code, rate, camera) is in the form of `exr.write`. ``half`` is true if RGB and
    alpha are half float in the file. ``layer`` is the layer they were read from. ``name`` is for
    messages; ``identity`` changes when the source has another picture for the same number.
    """

    number: int
    rgb: "NDArray[np.float32]"
    alpha: "NDArray[np.float32] | None" = None
    layers: "dict[str, NDArray[np.float32]]" = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    half: bool = False
    layer: str = ""
    name: str = ""
    identity: str = ""


@dataclass(frozen=True)
class LayeredFrame:
    """One frame to be written: ``channels`` (H, W) by name, as they are stored, and the header."""

    number: int
    channels: "dict[str, NDArray[np.floating[Any]]]"
    header: dict[str, Any]
