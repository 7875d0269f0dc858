"""What is in front of a face in the plate, by the occlusion network, with the plate's edges."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.refiner.occlusion_network import (
    LENS,
    OCCLUDER,
    SCORE,
    TRANSMISSION,
    segmented,
)
from lifemask.nodes.render.filters import guided
from lifemask.nodes.render.glass import Glass
from lifemask.nodes.render.occluders import MAYBE, SURE

_EDGE = 1.0  # pixels of the crop: how far an edge of the plate attracts the matte
_COARSE = 1.5  # pixels of the plate in one of the crop, from which on edges are found anew
_SOFTNESS = 2e-4  # log squared: contrasts above its root are edges
_LEAST = 0.04  # of a matte: what is less is nothing
_NEAR_FACE = 8.0  # an occluder counts from a face matte of 1 / 8
_EVIDENCE = 2.0  # log odds of an occluder where the shot's other frames are just sure of one
_CERTAIN = 4.0  # times that: the most that they add
_BRIDGED = 3.0  # times that where the face was lost: its mesh is off, which misleads the network
_STEEPNESS = 3.0  # of the odds, by the artist's knob


@dataclass(frozen=True)
class Front:
    """Mattes (1, 1, H, W), 0..1, of what lies in front of a face.

    ``occlusion`` hides it, and it is seen through ``glass``.
    """

    occlusion: Tensor
    glass: Glass

    @classmethod
    def of(
        cls,
        planes: Tensor,
        plate: Tensor,
        face: Tensor,
        crop: Crop,
        sensitivity: float,
        bridged: bool = False,
    ) -> "Front":
        """Find it by the ``planes`` that the network is shown, see `occlusion_network.seen`.

        ``plate`` (1, 3, H, W), log, and the ``face`` matte (1, 1, H, W) are in the window from
        which the ``crop`` is taken. A higher ``sensitivity`` finds more, 0 nothing. In a
        ``bridged`` frame the face was lost.
        """
        logits = segmented(planes)
        surprising = ((planes[:, SCORE][:, 0] - MAYBE) / (SURE - MAYBE)).clamp(0, _CERTAIN)
        evidence = _EVIDENCE * (_BRIDGED if bridged else 1)
        prior = torch.zeros_like(logits)
        prior[:, OCCLUDER] = evidence * surprising + _STEEPNESS * math.log(max(sensitivity, 1e-6))
        height, width = plate.shape[-2:]
        mattes = crop.give((logits + prior).sigmoid(), height, width).clamp(0, 1)
        front = _sharpened(mattes[:, [OCCLUDER]], plate, 1 / crop.zoom) * near_face(face)
        lens = mattes[:, [LENS]] * near_face(face) * (sensitivity > 0)
        return cls(front, Glass(lens, mattes[:, [TRANSMISSION]]))


def _sharpened(matte: Tensor, plate: Tensor, coarser: float) -> Tensor:
    """The ``matte`` (1, 1, H, W) with the edges of the ``plate`` (1, 3, H, W), log.

    Only if it is from a crop whose pixels are so many times ``coarser`` than the plate's: a filter
    that moves edges loses what is thin.
    """
    if matte.max() < _LEAST:
        return torch.zeros_like(matte)
    if coarser > _COARSE:
        matte = guided(matte, plate.mean(1, keepdim=True), _EDGE * coarser, _SOFTNESS)
    return ((matte - _LEAST) / (1 - 2 * _LEAST)).clamp(0, 1)


def near_face(face: Tensor) -> Tensor:
    """Where occluders count: in the ``face`` matte and a little beyond its edge."""
    return (face * _NEAR_FACE).clamp(0, 1)
