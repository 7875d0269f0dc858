"""What the refiner learns by: light that is near, structure that is there, honest doubt.

Where features lie is not known to the pixel, and the picture that is nearest to all the places
where they may be is a soft one, of nobody. So nearness is asked of what is smooth only; of what is
fine, that it varies as the truth does, and as much.
"""

import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes.learning.data.examples import Example
from lifemask.nodes.refiner.network import Answer
from lifemask.nodes.render.filters import blur
from lifemask.nodes.render.ssim import ssim

_SMOOTH = (4, 8)  # pixels that nearness is averaged over
_SCALES = 3  # structure is compared at so many sizes, each half of the one before
_LEVEL, _TEXTURE = 1e-4, 5e-5  # of structural similarity: what counts as equal, log squared
_DETAIL, _AROUND = 2.0, 15  # pixels: what a Gaussian takes away, and where that is compared
_NO_DETAIL = 4e-6  # log squared
_WEIGHTS = {"near": 6.0, "structure": 0.7, "detail": 1.0, "doubt": 0.02, "matte": 0.1}


def losses(answer: Answer, example: Example) -> dict[str, Tensor]:
    """The parts of the loss, each a number; the weighted sum is `total`."""
    truth, weight = example.truth, example.weight
    picture = example.candidates[:, 0] + answer.change
    error = (picture - truth).abs().detach().mean(1, keepdim=True)
    return {
        "near": torch.stack([_near(picture - truth, weight, side) for side in _SMOOTH]).sum(),
        "structure": structures(picture, truth, weight),
        "detail": details(picture, truth, weight),
        "doubt": _mean(error / answer.spread + answer.spread.log(), weight * example.unsure),
        "matte": _matte(answer.matte, example),
    }


def total(parts: dict[str, Tensor]) -> Tensor:
    """The weighted sum."""
    return torch.stack([_WEIGHTS[name] * part for name, part in parts.items()]).sum()


def _mean(planes: Tensor, weight: Tensor) -> Tensor:
    return (planes * weight).sum() / (weight.sum() * planes.shape[1] + 1)


def _near(error: Tensor, weight: Tensor, side: int) -> Tensor:
    """Absolute error of what is left when ``side`` by ``side`` pixels are averaged."""
    smooth, inside = (functional.avg_pool2d(p, side, side // 2) for p in (error, weight))
    return _mean(smooth.abs(), (inside > 0.9).float())


def structures(picture: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """How unlike in structure two pictures (N, 3, H, W) are where ``weight`` (N, 1, H, W) counts.

    Summed over several sizes; 0 is alike.
    """
    planes = [picture, truth, weight]
    parts = []
    for _ in range(_SCALES):
        unlike = 1 - ssim(planes[0], planes[1], _LEVEL, _TEXTURE)
        parts.append(_mean(unlike, planes[2]))
        planes = [functional.avg_pool2d(plane, 2) for plane in planes]
    return torch.stack(parts).sum()


def details(picture: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """How unlike the fine detail of two pictures (N, 3, H, W) is; least where they are alike.

    One less their correlation and half of the log of how much stronger either is, at two sizes:
    where nothing is sure, similarity and nearness are best for a soft picture, and this is not.
    """
    planes = [picture.mean(1, keepdim=True), truth.mean(1, keepdim=True), weight]
    finer = _details(*planes)
    return finer + _details(*(functional.avg_pool2d(plane, 2) for plane in planes))


def _details(picture: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    def mean(planes: Tensor) -> Tensor:
        return functional.avg_pool2d(planes, _AROUND, 1, _AROUND // 2)

    a, b = (plane - blur(plane, _DETAIL) for plane in (picture, truth))
    own, right = mean(a**2) + _NO_DETAIL, mean(b**2) + _NO_DETAIL
    unlike = 1 - mean(a * b) / (own * right).sqrt() + (own / right).log().abs() / 2
    return _mean(unlike, (mean(weight) > 0.9).float())


def _matte(logit: Tensor, example: Example) -> Tensor:
    """Cross entropy of the moved matte, where there is one to move."""
    moved = example.face.clamp(1e-3, 1 - 1e-3).logit() + logit
    entropy = functional.binary_cross_entropy_with_logits(moved, example.matte, reduction="none")
    return _mean(entropy, (example.face > 0.01).float())
