"""Video pictures to RGB, exactly.

FFmpeg's own conversion to 16-bit RGB comes out .4 % dark and cuts what lies above white.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from av import VideoFrame
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]

# Weights of red and blue in luma, by the matrix number of ITU-T H.273.
_BT601 = (0.299, 0.114)
_BT709 = (0.2126, 0.0722)
_LUMA = {1: _BT709, 4: (0.3, 0.11), 5: _BT601, 6: _BT601, 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
_FULL_RANGE = 2


def as_rgb(picture: "VideoFrame") -> "Pixels":
    """Return an `av.VideoFrame` as RGB (H, W, 3): 0 is black, 1 white, superwhite is above.

    A picture that names no matrix is BT.709, or BT.601 when it is of standard definition.
    """
    import numpy as np

    if picture.format.is_rgb:
        rgb = picture.reformat(format="rgb48le").to_ndarray().astype(np.float32)
        return rgb / np.float32(65535)
    depth = picture.format.components[0].bits
    planes = _planes(picture.reformat(format="yuv444p16le"))
    full = picture.color_range == _FULL_RANGE or picture.format.name.startswith("yuvj")
    red, blue = _LUMA.get(picture.colorspace, _BT601 if picture.height <= 576 else _BT709)
    luma, cb, cr = _levels(planes, depth, full)
    rgb = np.empty((*luma.shape, 3), np.float32)
    rgb[..., 0] = luma + (2 - 2 * red) * cr
    rgb[..., 2] = luma + (2 - 2 * blue) * cb
    rgb[..., 1] = (luma - red * rgb[..., 0] - blue * rgb[..., 2]) / (1 - red - blue)
    return rgb


def _planes(picture: "VideoFrame") -> "Pixels":
    """Return the planes (3, H, W) of a 16-bit picture without the padding of their rows."""
    import numpy as np

    rows = [np.frombuffer(memoryview(p), np.uint16).reshape(p.height, -1) for p in picture.planes]
    return np.stack(rows)[..., : picture.width].astype(np.float32)


def _levels(planes: "Pixels", depth: int, full: bool) -> "Pixels":
    """Return luma 0..1 and both colour differences -.5..5 from 16-bit code values."""
    import numpy as np

    step = np.float32(1 << 16 - depth)
    one = np.float32(1 << depth - 8)
    zero, white, chroma = (0, 256 - 1 / one, 256 - 1 / one) if full else (16, 219, 224)
    offset = np.array([zero * one, 128 * one, 128 * one], np.float32)[:, None, None]
    span = np.array([white * one, chroma * one, chroma * one], np.float32)[:, None, None]
    return (planes / step - offset) / span
