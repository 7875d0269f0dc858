"""Segment occluders in one texture, by a network that knows what faces look like.

Unlike `occluders` and `thin_occluders` it needs no other frames, so it finds what is there in most
of them, and works on a single one.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import archive
from lifemask.nodes.device import at_most, device
from lifemask.nodes.render.atlas import COARSE, SIZE, atlas
from lifemask.nodes.render.filters import masked_blur
from lifemask.nodes.render.texture import averaged
from lifemask.nodes.unet import UNet

_WIDTHS = (24, 48, 64, 64)
_BLOCK = SIZE // COARSE
_GAIN, _CONTRAST = 6.0, 15.0  # of log values, which span a sixth; of the finer band
_SIGMAS = (3.0, 8.0)  # coarse texels: light is smoother
_CHANNELS = 4 * _BLOCK**2 + 5 * len(_SIGMAS) + 2
_FILE = Path(__file__).with_name("segmenter.safetensors")


class Segmenter(torch.nn.Module):
    """A network that marks occluders in textures."""

    def __init__(self) -> None:
        """Make an untrained one."""
        super().__init__()
        self.net = UNet(_CHANNELS, _WIDTHS, 1)

    def forward(self, colour: Tensor, valid: Tensor) -> Tensor:
        """The logit (N, 1, COARSE, COARSE) of an occluder.

        ``colour`` (N, 3, SIZE, SIZE) is log, ``valid`` (N, 1, SIZE, SIZE) is 0..1.
        """
        logit: Tensor = self.net(_shown(colour, valid))
        return logit


def _shown(colour: Tensor, valid: Tensor) -> Tensor:
    """The network's input, (N, _CHANNELS, COARSE, COARSE): mostly without exposure and light.

    From colours alone it would take days to learn to ignore light.
    """
    level = (colour * valid).sum((2, 3), keepdim=True) / (valid.sum((2, 3), keepdim=True) + 1)
    flat = ((colour - level).clamp(-1, 1) * _GAIN) * valid
    fine = functional.pixel_unshuffle(torch.cat([flat, valid], 1), _BLOCK)
    mean = torch.from_numpy(atlas().albedo).permute(2, 0, 1)[None].to(colour.device)
    coarse, seen = averaged(colour, valid)
    at = torch.linspace(-1, 1, COARSE, device=colour.device)
    place = torch.stack(torch.meshgrid(at, at, indexing="ij")).expand(len(colour), -1, -1, -1)
    unlike = [_unlike(coarse - mean, seen, sigma) for sigma in _SIGMAS]
    return torch.cat([fine, *unlike, place], 1)


def _unlike(apart: Tensor, seen: Tensor, sigma: float) -> Tensor:
    """The difference from the mean face, without light: (N, 5, COARSE, COARSE).

    The part of ``apart`` (N, 3, COARSE, COARSE), log, finer than ``sigma``, then how much of it is
    brightness, and how much is colour.
    """
    fine = (apart - masked_blur(apart, seen, sigma)) * seen * _CONTRAST
    grey = fine.mean(1, keepdim=True)
    return torch.cat([fine, grey.abs(), 3 * (fine - grey).norm(dim=1, keepdim=True)], 1)


@torch.inference_mode()
def segmented(colour: Tensor, valid: Tensor) -> Tensor:
    """The occluder matte (N, 1, COARSE, COARSE), 0..1, of textures; see `Segmenter`.

    It is the same to the bit on any number of cores.
    """
    with at_most(1):
        logit: Tensor = _shipped()(colour, valid)
    return logit.sigmoid()


@cache
def _shipped() -> Segmenter:
    return load(_FILE)[0].to(device()).eval()


def load(path: Path) -> tuple[Segmenter, int]:
    """Read a network, and the number of steps of its training."""
    arrays, about = archive.load(path, "segmenter")
    network = Segmenter()
    network.load_state_dict({k: torch.from_numpy(v).float() for k, v in arrays.items()})
    return network, int(about["steps"])
