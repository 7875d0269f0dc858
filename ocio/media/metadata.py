"""Metadata of picture files other than EXR, in the form of an EXR header."""

import re
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from OpenImageIO import ImageSpec

_NAMES = {"DateTime": "capDate", "Copyright": "owner", "PixelAspectRatio": "pixelAspectRatio"}
_RATES = ("framesPerSecond", "FramesPerSecond", "dpx:FrameRate", "cineon:FrameRate")
# Attributes of a file's layout and coding, not of the footage.
_LAYOUT = (
    *("oiio:", "openexr:", "tiff:", "jpeg:", "png:", "compression", "planarconfig"),
    *("ICCProfile", "Exif:ColorSpace"),
)
_CONVERTED = (*_RATES, "smpte:TimeCode", "Orientation")


def header_of(spec: "ImageSpec") -> dict[str, Any]:
    """Return time code, rate and all numbers and strings of an OpenImageIO spec for `exr.write`."""
    import OpenEXR

    values: dict[str, Any] = {item.name: item.value for item in spec.extra_attribs}
    header: dict[str, Any] = {
        _NAMES.get(name, name): _plain(value)
        for name, value in values.items()
        if isinstance(value, str | int | float) and not name.startswith((*_LAYOUT, *_CONVERTED))
    }
    # A DPX without a time code has all bits set, which is none.
    with suppress(KeyError, RuntimeError):
        header["timeCode"] = OpenEXR.TimeCode(*_time_code(*values["smpte:TimeCode"]))
    rates = (exact_rate(values[name]) for name in _RATES if name in values)
    rate = next(filter(None, rates), None)
    return header | ({"framesPerSecond": rate} if rate else {})


def exact_rate(value: float | tuple[int, int]) -> Fraction | None:
    """Return an exact frame rate, 24000/1001 for 23.976; None when the value is no rate."""
    if isinstance(value, tuple):
        return Fraction(*value) if min(value) > 0 else None
    if not 0.01 < value < 10000:
        return None
    near = round(value)
    ntsc = Fraction(near * 1000, 1001)
    return ntsc if abs(value - ntsc) < 0.002 else Fraction(value).limit_denominator(1000)


def _plain(value: str | float) -> str | float:
    """Return a value that EXR can hold: UTF-8 text, 32-bit integers."""
    if isinstance(value, str):
        # OpenImageIO escapes the bytes of older encodings so; they are Latin-1 as a rule, and
        # where a Cineon's text was never written they are all set.
        text = re.sub("[\udc80-\udcff]", lambda byte: chr(ord(byte[0]) - 0xDC00), value)
        return text.strip("\xff")
    return value if -(1 << 31) <= value < 1 << 31 else float(value)


def _time_code(packed: int, user: int) -> list[int]:
    """Return hours, minutes, seconds, frames, six flags and eight user groups of SMPTE 12M."""
    hours, minutes, seconds, frames = (
        10 * (packed >> at + 4 & tens) + (packed >> at & 15)
        for at, tens in ((24, 3), (16, 7), (8, 7), (0, 3))
    )
    flags = [packed >> bit & 1 for bit in (6, 7, 15, 23, 30, 31)]
    return [hours, minutes, seconds, frames, *flags, *(user >> 4 * n & 15 for n in range(8))]
