"""The double's catchlights on the likeness's eyes, which stand in the same light."""

import torch
from torch import Tensor

from lifemask.nodes.faces import topology
from lifemask.nodes.render.acescct import to_linear, to_log
from lifemask.nodes.render.atlas import REGIONS, openings
from lifemask.nodes.render.filters import resample
from lifemask.nodes.render.warp import View, extent

_IRISES = {"right_eye": topology.RIGHT_IRIS, "left_eye": topology.LEFT_IRIS}

_LEVEL = 0.6  # quantile of an iris and its pupil: anything brighter is a reflection
_BRIGHTER = (1.4, 2.0)  # times that level: no reflection yet, and surely one
_WITHIN = 0.95  # radii of an iris within which its level is read
_RIM = (0.85, 1.1)  # radii between which a reflection fades out
_INSIDE = 0.6  # of the opening's map: below it is the lid
_SHUT, _OPENED = 0.4, 0.8  # radii between the lids: a lid has no catchlight
_LOWER, _UPPER = 4, 12  # of the lids' contour: their middles


def with_catchlights(
    log: Tensor, plate: Tensor, view: View, own: View, features: Tensor, landmarks: Tensor
) -> Tensor:
    """The likeness ``log`` (1, 3, H, W) with the catchlights of the ``plate`` (1, 3, H, W), log.

    ``view`` and ``own`` are the likeness's and the double's mesh, ``features`` (504, 2) the pixels
    of the latter's vertices, ``landmarks`` (478, 2) those of the double's landmarks.
    """
    result = log.clone()
    for name, points in _IRISES.items():
        eye, own_eye = (each.of_atlas(openings()[name]) for each in (view, own))
        at, own_at = extent(eye), extent(own_eye)
        corner = features.new_tensor([own_at[1].start, own_at[0].start])
        iris = landmarks[list(points)] - corner
        share = _openness(landmarks[list(REGIONS[name])], iris)
        eye, own_eye = eye[(..., *at)], own_eye[(..., *own_at)]
        if not (share and eye.numel() and own_eye.numel()):
            continue
        mirrored = _mirrored(plate[(..., *own_at)], own_eye, iris)
        position = view.cut(at).fragments(features) - corner
        carried = resample(mirrored, position).clamp(min=0)
        lit = to_linear(result[(..., *at)]) + share * eye * carried
        result[(..., *at)] = to_log(lit)
    return result


def _openness(lids: Tensor, iris: Tensor) -> float:
    """0 of shut ``lids`` (16, 2), 1 of open ones."""
    gap = float((lids[_LOWER] - lids[_UPPER]).norm())
    radius = float((iris[1:] - iris[0]).norm(dim=1).mean())
    return min(1.0, max(0.0, (gap / max(radius, 1e-6) - _SHUT) / (_OPENED - _SHUT)))


def _mirrored(plate: Tensor, eye: Tensor, iris: Tensor) -> Tensor:
    """The reflections in the cornea, (1, 3, H, W), linear.

    A window or a lamp is much brighter than most of an iris, whatever its colour; the pattern of a
    light iris is less so.
    """
    radii = _radii(iris, *plate.shape[-2:])
    seen = (radii < _WITHIN) & (eye[0, 0] > _INSIDE)
    if not seen.any():
        return torch.zeros_like(plate)
    linear = to_linear(plate)
    level = linear[0, :, seen].quantile(_LEVEL, 1)
    near, far = _RIM
    disc = ((far - radii) / (far - near)).clamp(0, 1)
    above = linear.mean(1, keepdim=True) / level.mean().clamp(min=1e-6)
    low, high = _BRIGHTER
    lit = ((above - low) / (high - low)).clamp(0, 1)
    return (linear - level.view(1, 3, 1, 1)).clamp(min=0) * disc * lit


def _radii(iris: Tensor, height: int, width: int) -> Tensor:
    """How far each pixel (height, width) is from the middle of an ``iris`` (5, 2), in its radii.

    After the middle come its right, upper, left and lower rim.
    """
    middle, right, upper, left, lower = iris
    inverse = torch.linalg.pinv(torch.stack([right - left, lower - upper], 1) / 2)
    x = torch.arange(width).to(iris) + 0.5 - middle[0]
    y = torch.arange(height).to(iris) + 0.5 - middle[1]
    across = inverse[:, 0, None, None] * x + inverse[:, 1, None, None] * y[:, None]
    radii: Tensor = torch.linalg.vector_norm(across, dim=0)
    return radii
