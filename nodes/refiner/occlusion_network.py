"""Segment what is in front of a face, in its crop, by a network that knows what faces look like.

`render.occluders` judges texels by other frames; this sees the plate's own pixels beside what the
double should look like there, so it finds what is thin, what is there in every frame, and edges.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import archive
from lifemask.nodes.device import at_most, device
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.warp import View
from lifemask.nodes.unet import UNet

SIDE = 256
"""Pixels a side of the crop in which a face is seen."""

PLATE = slice(0, 3)
"""Of what the network is shown; log."""
ALBEDO = slice(3, 6)
"""The double's, log, as are all planes from here on at the double's mesh."""
LIGHT = slice(6, 9)
NORMAL = slice(9, 12)
UV = slice(12, 14)
COVERED = slice(14, 15)
FACE = slice(15, 16)
SCORE = slice(16, 17)
THIN = slice(17, 18)
HAND = slice(18, 19)
CHANNELS = 19

OCCLUDER, LENS, TRANSMISSION, SHADOW = range(4)
"""Planes of the output, logits."""
OUTPUTS = 4

KIND = "occlusion"
_WIDTHS = (24, 40, 64, 96, 96)
_SHOWN = CHANNELS + 3  # the prediction is shown, too
_GAIN, _CONTRAST = 6.0, 12.0  # of log values, which span a sixth; of the difference
_MOST = 3.0
_USUAL, _SURPRISE, _MOST_SURPRISING = 1.0, 2.0, 2.0  # of `occluders.scores`
_FILE = Path(__file__).with_name("occlusion.safetensors")


class OcclusionNetwork(torch.nn.Module):
    """A U-Net at half of the crop's resolution, whose pixels hold two by two of the crop's."""

    def __init__(self) -> None:
        """Make an untrained one."""
        super().__init__()
        self.net = UNet(_SHOWN * 4, _WIDTHS, OUTPUTS * 4)
        # Convolutions are twice as fast with channels last.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, planes: Tensor) -> Tensor:
        """Logits (N, OUTPUTS, H, W) for ``planes`` (N, CHANNELS, H, W) in the slices' order.

        H and W are multiples of 32.
        """
        inward = functional.pixel_unshuffle(_normalised(planes), 2)
        return functional.pixel_shuffle(self.net(inward), 2)


def _normalised(planes: Tensor) -> Tensor:
    """``planes`` without the plate's exposure and white balance, in units of about 1."""
    covered = planes[:, COVERED]
    predicted = planes[:, ALBEDO] + planes[:, LIGHT]
    level, own = (_mean(part, covered) for part in (predicted, planes[:, ALBEDO]))
    colours = [
        planes[:, PLATE] - level,
        (predicted - level) * covered,
        (planes[:, ALBEDO] - own) * covered,
        (planes[:, PLATE] - predicted) * covered * (_CONTRAST / _GAIN),
    ]
    geometry = [planes[:, NORMAL] * covered, (2 * planes[:, UV] - 1) * covered]
    score = ((planes[:, SCORE] - _USUAL) / _SURPRISE).clamp(0, _MOST_SURPRISING)
    mattes = [covered, planes[:, FACE], score, planes[:, THIN], planes[:, HAND]]
    shown = (torch.cat(colours, 1) * _GAIN).clamp(-_MOST, _MOST)
    return torch.cat([shown, *geometry, *mattes], 1)


def _mean(planes: Tensor, weight: Tensor) -> Tensor:
    return (planes * weight).sum((2, 3), True) / (weight.sum((2, 3), True) + 1)


def seen(
    plate: Tensor,
    own: View,
    normal: Tensor,
    expected: tuple[Tensor, Tensor],
    mattes: tuple[Tensor, Tensor],
    hand: Tensor,
    crop: Crop,
) -> Tensor:
    """The network's planes (1, CHANNELS, SIDE, SIDE) for a face.

    ``plate`` (1, 3, H, W), log, is in the window, and ``normal`` (1, 3, H, W) at the double's mesh
    ``own``. ``expected`` are the double's albedo and the light on it, (1, 3, 64, 64), log.
    ``mattes`` are those of `descriptors.mattes`, and ``hand`` (1, 1, H, W) is what tracked hands
    cover.
    """
    score, thin = (own.of(matte, "bilinear") * own.covered for matte in mattes)
    albedo, light = (own.of(map_) for map_ in expected)
    face = own.of_atlas(atlas().face) * own.covered
    known = [albedo, light, normal, own.uv.permute(0, 3, 1, 2)]
    return crop.take(torch.cat([plate, *known, own.covered, face, score, thin, hand], 1))


@torch.inference_mode()
def segmented(planes: Tensor) -> Tensor:
    """The logits (1, OUTPUTS, SIDE, SIDE) for what is `seen` of a face.

    They are the same to the bit on any number of cores.
    """
    with at_most(1):
        logits: Tensor = _shipped()(planes)
    return logits


@cache
def _shipped() -> OcclusionNetwork:
    return load(_FILE)[0].to(device()).eval()


def load(path: Path) -> tuple[OcclusionNetwork, int]:
    """Read a network, and the number of steps of its training."""
    arrays, about = archive.load(path, KIND)
    network = OcclusionNetwork()
    network.load_state_dict({k: torch.from_numpy(v).float() for k, v in arrays.items()})
    return network, int(about["steps"])
