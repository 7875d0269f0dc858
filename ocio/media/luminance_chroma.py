"""Pictures of luminance and chroma, as OpenEXR's ``WRITE_YC`` stores them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.ocio.media_errors import BrokenFileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REC709 = 0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329


def to_rgb(
    file: Path, pixels: "NDArray[np.float32]", chromaticities: Sequence[float] | None
) -> "NDArray[np.float32]":
    """Return RGB of ``pixels`` (H, W, 3), luminance Y and the chromas RY and BY (ImfRgbaYca).

    ``chromaticities`` are x and y of red, green, blue and white; None means Rec.709. Raises
    BrokenFileError when they define no RGB space.
    """
    import numpy as np

    red, green, blue = _weights(file, chromaticities or _REC709)
    luminance, ry, by = np.moveaxis(pixels.astype(np.float64), -1, 0)
    with np.errstate(all="ignore"):  # pixels that are not finite stay so
        r, b = (ry + 1) * luminance, (by + 1) * luminance
        g = (luminance - red * r - blue * b) / green
        return np.stack([r, g, b], -1).astype(np.float32)


def _weights(file: Path, chromaticities: Sequence[float]) -> "NDArray[np.float64]":
    """The shares of red, green and blue in luminance."""
    import numpy as np

    x, y = np.array(chromaticities, np.float64).reshape(4, 2).T
    xyz = np.stack([x, y, 1 - x - y])
    with np.errstate(all="ignore"):
        usable = np.isfinite(xyz).all() and y[3] and abs(np.linalg.det(xyz[:, :3])) > 1e-6
        weights = np.linalg.solve(xyz[:, :3], xyz[:, 3] / y[3]) * y[:3] if usable else np.zeros(3)
    if not np.isfinite(weights).all() or not weights[1]:
        raise BrokenFileError(f"{file}: chromaticities {tuple(chromaticities)} are of no RGB space")
    return weights
