"""The refiner's losses: L1 of light, SSIM and detail of features, calibrated uncertainty, matte.

Features are misplaced by a pixel or two, and the picture with the least L1 over all the places
where they may be is a soft one. So L1 is taken of low-passed pictures alone; fine detail has to
correlate with the truth's, and to be as strong.
"""

import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes.learning.data.examples import Batch
from lifemask.nodes.refiner.network import Prediction
from lifemask.nodes.render.filters import blur
from lifemask.nodes.render.ssim import ssim

_LOW_PASS = (4, 8)  # pixels a side that L1 is averaged over
_SCALES = 3  # of SSIM, each half the size of the one before
_LEVEL, _TEXTURE = 1e-4, 5e-5  # of SSIM: the stabilisers of mean and variance, log squared
_DETAIL, _WINDOW = 2.0, 15  # pixels: sigma of the high-pass, and the window of a correlation
_NO_DETAIL = 4e-6  # log squared
_WEIGHTS = {"l1": 6.0, "ssim": 0.7, "detail": 1.0, "uncertainty": 0.02, "matte": 0.1}


def losses(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """Return the parts of the loss, each a number; the weighted sum is `total`.

    ``uncertainty`` is the negative log likelihood of a Laplace distribution.
    """
    truth, weight = batch.truth, batch.weight
    picture = batch.candidates[:, 0] + prediction.residual
    scale = prediction.uncertainty
    error = (picture - truth).abs().detach().mean(1, keepdim=True)
    return {
        "l1": torch.stack([_l1(picture - truth, weight, side) for side in _LOW_PASS]).sum(),
        "ssim": ssim_loss(picture, truth, weight),
        "detail": detail_loss(picture, truth, weight),
        "uncertainty": _mean(error / scale + scale.log(), weight * batch.teaches_uncertainty),
        "matte": _matte(prediction.matte, batch),
    }


def total(parts: dict[str, Tensor]) -> Tensor:
    """Return the weighted sum of the ``parts``."""
    return torch.stack([_WEIGHTS[name] * part for name, part in parts.items()]).sum()


def _mean(planes: Tensor, weight: Tensor) -> Tensor:
    return (planes * weight).sum() / (weight.sum() * planes.shape[1] + 1)


def _l1(error: Tensor, weight: Tensor, side: int) -> Tensor:
    """Mean absolute error of averages of ``side`` by ``side`` pixels."""
    smooth, inside = (functional.avg_pool2d(p, side, side // 2) for p in (error, weight))
    return _mean(smooth.abs(), (inside > 0.9).float())


def ssim_loss(picture: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the sum over scales of one less the weighted SSIM of pictures (N, 3, H, W)."""
    planes = [picture, truth, weight]
    parts = []
    for _ in range(_SCALES):
        parts.append(_mean(1 - ssim(planes[0], planes[1], _LEVEL, _TEXTURE), planes[2]))
        planes = [functional.avg_pool2d(plane, 2) for plane in planes]
    return torch.stack(parts).sum()


def detail_loss(picture: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return how unlike the fine detail of two pictures (N, 3, H, W) is, at two scales.

    One less the correlation, plus half the absolute log of the ratio of strengths. Where features
    are uncertain, L1 and SSIM favour a soft picture; this does not.
    """
    planes = [picture.mean(1, keepdim=True), truth.mean(1, keepdim=True), weight]
    finer = _details(*planes)
    return finer + _details(*(functional.avg_pool2d(plane, 2) for plane in planes))


def _details(picture: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    def mean(planes: Tensor) -> Tensor:
        return functional.avg_pool2d(planes, _WINDOW, 1, _WINDOW // 2)

    a, b = (plane - blur(plane, _DETAIL) for plane in (picture, truth))
    own, right = mean(a**2) + _NO_DETAIL, mean(b**2) + _NO_DETAIL
    unlike = 1 - mean(a * b) / (own * right).sqrt() + (own / right).log().abs() / 2
    return _mean(unlike, (mean(weight) > 0.9).float())


def _matte(logit: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of the adjusted face matte, where there is one."""
    moved = batch.face.clamp(1e-3, 1 - 1e-3).logit() + logit
    entropy = functional.binary_cross_entropy_with_logits(moved, batch.matte, reduction="none")
    return _mean(entropy, (batch.face > 0.01).float())
