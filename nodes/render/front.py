"""What is in front of the face: where the plate is sharply unlike the re-rendered double."""

from torch import Tensor

from lifemask.nodes.render.compose import View
from lifemask.nodes.render.sample import blur


def in_front(
    quotient: Tensor, own: View, clear: Tensor, size: float, readiness: float
) -> tuple[Tensor, Tensor]:
    """Occlusion matte and doubt, (1, 1, H, W), of the ``quotient`` (1, 3, H, W): the plate less
    the re-rendered double, log.
    """
    doubt = blur(quotient.abs().mean(1, keepdim=True), max(1.0, size * 0.02))
    return doubt * 0, doubt
