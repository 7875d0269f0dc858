"""Video pictures to RGB, exactly.

FFmpeg's own conversion to 16-bit RGB is .4 % too dark and clips values above white.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from av import VideoFrame
    from av.video.format import VideoFormat
    from av.video.plane import VideoPlane
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]

# Weights of red and blue in luma, by the matrix number of ITU-T H.273.
_BT601 = (0.299, 0.114)
_BT709 = (0.2126, 0.0722)
_LUMA = {1: _BT709, 4: (0.3, 0.11), 5: _BT601, 6: _BT601, 7: (0.212, 0.087), 9: (0.2627, 0.0593)}

_WIDE = re.compile("f(16|32)|32|96|128")  # floats, and integers of 32 bits
_MISREAD = re.compile("(rgb|bgr)(444|5.5be)")  # RGB of 4 or 5 bits


@cache
def is_supported(name: str) -> bool:
    """Whether this pixel format of FFmpeg's is supported."""
    from av import VideoFrame
    from av.error import FFmpegError

    try:
        tiny = VideoFrame(16, 16, name)
        as_rgb(tiny)
        alpha_of(tiny)
    except (FFmpegError, ValueError):
        return False
    return True


def as_rgb(picture: "VideoFrame") -> "Pixels":
    """Return an `av.VideoFrame` as RGB (H, W, 3): 0 is black, 1 white, superwhite is above.

    A picture that names no matrix is BT.709, or BT.601 in standard definition. Raises ValueError or
    FFmpegError when its pixel format is not supported.
    """
    import numpy as np
    from av.video.reformatter import ColorRange

    name, depth = picture.format.name, picture.format.components[0].bits
    if picture.format.is_bayer or name.startswith("xyz") or _MISREAD.search(name):
        raise ValueError(f"{name}: FFmpeg would make up colours")
    if _is_plain(picture.format):
        return _stored(picture)[..., [0, 0, 0] if len(picture.format.components) < 3 else [0, 1, 2]]
    if picture.format.is_rgb or name.startswith(("pal", "mono")):
        return _from_rgb(picture, depth)
    always_full = name.startswith("yuvj")
    # Set on both sides, so that FFmpeg only upsamples the chroma and shifts the code values.
    kept = ColorRange.JPEG if always_full else ColorRange.MPEG
    whole = picture.reformat(
        format="yuv444p16le", src_color_range=kept, dst_color_range=kept, threads=_threads(picture)
    )
    full = always_full or picture.color_range == ColorRange.JPEG
    luma, cb, cr = _levels(_planes(whole), depth, full)
    red, blue = _LUMA.get(picture.colorspace, _BT601 if picture.height <= 576 else _BT709)
    rgb = np.empty((*luma.shape, 3), np.float32)
    rgb[..., 0] = luma + (2 - 2 * red) * cr
    rgb[..., 2] = luma + (2 - 2 * blue) * cb
    rgb[..., 1] = (luma - red * rgb[..., 0] - blue * rgb[..., 2]) / (1 - red - blue)
    return rgb


def alpha_of(picture: "VideoFrame") -> "Pixels | None":
    """Return the alpha (H, W) of an `av.VideoFrame`, 0..1; None when its format has none."""
    import numpy as np

    if picture.format.has_palette:
        return _of_palette(picture)
    depth = next((part.bits for part in picture.format.components if part.is_alpha), 0)
    if not depth:
        return None
    if _is_plain(picture.format):
        return _stored(picture)[..., -1]
    kind = "gbrap16le" if picture.format.is_rgb else "yuva444p16le"
    # The low bits are FFmpeg's, 0 or the high ones again.
    codes = (
        _plane(picture.reformat(format=kind, threads=_threads(picture)).planes[3], picture.width)
        >> 16 - depth
    )
    return codes.astype(np.float32) / np.float32((1 << depth) - 1)


def _is_plain(kind: "VideoFormat") -> bool:
    """Whether pixels need no conversion: grey, planar RGB, floats and 32-bit integers."""
    if kind.has_palette or kind.is_bit_stream or "msb" in kind.name:
        return False
    planes_of_rgb = kind.is_rgb and kind.is_planar
    return planes_of_rgb or len(kind.components) < 3 or bool(_WIDE.search(kind.name))


def _stored(picture: "VideoFrame") -> "Pixels":
    """Return the components (H, W, N) of a plain picture.

    FFmpeg's conversion clips floats, takes any grey for full range, and damages rows of gbrap16le.
    """
    import numpy as np
    from av.video.reformatter import ColorRange

    kind, depth = picture.format, picture.format.components[0].bits
    is_float = "f" in kind.name
    item = np.dtype(
        f"{'>' if kind.is_big_endian else '<'}{'f' if is_float else 'u'}{-(-depth // 8)}"
    )
    planes = [
        np.frombuffer(memoryview(plane), item).reshape(plane.height, -1) for plane in picture.planes
    ]
    if kind.is_planar:
        parts = [planes[part.plane][:, : picture.width] for part in kind.components]
    else:
        count = len(kind.components)
        parts = [planes[0][:, first : picture.width * count : count] for first in range(count)]
    values = np.dstack(parts).astype(np.float32)
    if not is_float:
        values /= np.float32((1 << depth) - 1)
    if len(parts) < 3 and not is_float and picture.color_range == ColorRange.MPEG:
        black, white = (code * (1 << depth - 8) / ((1 << depth) - 1) for code in (16, 235))
        values[..., 0] = (values[..., 0] - black) / (white - black)
    return values


def _of_palette(picture: "VideoFrame") -> "Pixels | None":
    import numpy as np

    alpha = picture.to_ndarray(format="rgba", threads=_threads(picture))[..., 3]
    return None if alpha.min() == 255 else alpha.astype(np.float32) / np.float32(255)


def _from_rgb(picture: "VideoFrame", depth: int) -> "Pixels":
    import numpy as np

    if depth <= 8:
        return picture.to_ndarray(format="rgb24", threads=_threads(picture)).astype(
            np.float32
        ) / np.float32(255)
    white = np.float32(((1 << depth) - 1) << 16 - depth)
    green, blue, red = (
        _planes(picture.reformat(format="gbrp16le", threads=_threads(picture))) / white
    )
    return np.dstack([red, green, blue])


def _threads(picture: "VideoFrame") -> int | None:
    """Return how many threads may convert a picture, None for FFmpeg's own choice.

    Threads write up to 64 bytes at once, past the end of a row into another thread's pixels.
    """
    return None if picture.width % 64 == 0 else 1


def _planes(picture: "VideoFrame") -> "Pixels":
    """Return the planes (3, H, W) of a 16-bit picture without the padding of their rows."""
    import numpy as np

    planes = [_plane(plane, picture.width) for plane in picture.planes]
    return np.stack(planes).astype(np.float32)


def _plane(plane: "VideoPlane", width: int) -> "NDArray[np.uint16]":
    import numpy as np

    return np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, -1)[:, :width]


def _levels(planes: "Pixels", depth: int, full: bool) -> "Pixels":
    """Return luma 0..1 and both colour differences -.5..5 from 16-bit code values."""
    import numpy as np

    step = np.float32(1 << 16 - depth)
    one = np.float32(1 << depth - 8)
    zero, white, chroma = (0, 256 - 1 / one, 256 - 1 / one) if full else (16, 219, 224)
    offset = np.array([zero * one, 128 * one, 128 * one], np.float32)[:, None, None]
    span = np.array([white * one, chroma * one, chroma * one], np.float32)[:, None, None]
    return (planes / step - offset) / span
