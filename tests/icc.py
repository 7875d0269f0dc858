"""Colour profiles made from primaries and curves, as photographs have them."""

import struct

import numpy as np

from lifemask.ocio.colour.encodings import to_xyz

D65, D50 = (0.3127, 0.329), (0.3457, 0.3585)
REC709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *D65)
P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, *D65)
ADOBE = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *D65)
PROPHOTO = (0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001, *D50)
REC2020 = (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, *D65)
ECI = (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *D50)
NTSC_PRINTER = (0.6, 0.35, 0.3, 0.55, 0.15, 0.1, *D50)
SRGB = "sRGB Encoded Rec.709 (sRGB)"

BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
WHITE = np.array([0.9642, 1, 0.8249])
CODES = np.linspace(0, 1, 4096)


def srgb(code: np.ndarray) -> np.ndarray:
    """Return the linear values of codes; so do the other curves."""
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def lightness(code: np.ndarray) -> np.ndarray:
    return np.where(code <= 0.08, code * 100 / 903.3, ((code + 0.16) / 1.16) ** 3)


def camera(code: np.ndarray) -> np.ndarray:
    return np.where(code < 0.081, code / 4.5, ((code + 0.099) / 1.099) ** (1 / 0.45))


def adobe(code: np.ndarray) -> np.ndarray:
    return code**2.19921875


def eighteen(code: np.ndarray) -> np.ndarray:
    return code**1.8


def adapted(primaries: tuple[float, ...]) -> np.ndarray:
    """Return the colorants of a profile: XYZ of red, green, blue as columns, under D50."""
    xyz = to_xyz(primaries)
    gains = (BRADFORD @ WHITE) / (BRADFORD @ xyz.sum(1))
    return np.linalg.inv(BRADFORD) @ np.diag(gains) @ BRADFORD @ xyz


def table(curve) -> bytes:
    values = np.round(curve(np.linspace(0, 1, 1024)) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(values)) + values.tobytes()


def power(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)


def parameters(kind: int, *values: float) -> bytes:
    fixed = [round(value * 65536) for value in values]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(fixed)}i", kind, 0, *fixed)


def icc(colorants: np.ndarray, curve: bytes, kind: bytes = b"RGB ", name: str = "x") -> bytes:
    """Return a profile of a matrix and a curve, or of grey."""
    xyz = [b"XYZ \0\0\0\0" + (c * 65536).round().astype(">i4").tobytes() for c in colorants.T]
    text = name.encode() + b"\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78}
    if kind == b"RGB ":
        tags |= dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), xyz, strict=True))
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    else:
        tags |= {b"kTRC": curve}
    return profile(kind, tags)


def profile(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a profile of a screen with these tags."""
    at, index, data = 132 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        index += struct.pack(">4sII", tag, at + len(data), len(value))
        data += value + b"\0" * (-len(value) % 4)
    head = b"\0\0\0\0\x02\x40\0\0mntr" + kind + b"XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28
    head += b"\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d"
    whole = (struct.pack(">I", at + len(data)) + head).ljust(128, b"\0")
    return whole + struct.pack(">I", len(tags)) + index + data


SRGB_NUMBERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
SRGB_CURVE = parameters(3, *SRGB_NUMBERS)
