"""Colour spaces of photographs, stills and movies that the built-in configuration lacks."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PyOpenColorIO import Config, Transform

    Matrix = NDArray[np.float64]

_D65, _D50 = (0.3127, 0.329), (0.3457, 0.3585)
REC709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *_D65)
_REC2020 = (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, *_D65)
_PROPHOTO = (0.734699, 0.265301, 0.159597, 0.840403, 0.036598, 0.000105, *_D50)
_ECI = (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_D50)
_APPLE = (0.625, 0.34, 0.28, 0.595, 0.155, 0.07, *_D65)
_COLORMATCH = (0.63, 0.34, 0.295, 0.605, 0.15, 0.075, *_D50)
_WIDE = (0.7347, 0.2653, 0.1152, 0.8264, 0.1566, 0.0177, *_D50)

_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


class _Encoding(NamedTuple):
    """A colour encoding; ``primaries`` are x and y of red, green, blue and white.

    A curve without an offset is a power; with one it begins as a line (sRGB, BT.709, CIE L*).
    """

    primaries: tuple[float, ...]
    gamma: float
    offset: float = 0


_ENCODINGS = {
    "L* Encoded Rec.709": _Encoding(REC709, 3, 0.16),
    "Camera Rec.2020": _Encoding(_REC2020, 1 / 0.45, 0.099),
    "sRGB Encoded Rec.2020": _Encoding(_REC2020, 2.4, 0.055),
    "Gamma 2.2 Encoded Rec.2020": _Encoding(_REC2020, 2.2),
    "Gamma 2.4 Encoded Rec.2020": _Encoding(_REC2020, 2.4),
    "Linear ProPhoto RGB": _Encoding(_PROPHOTO, 1),
    "Gamma 1.8 Encoded ProPhoto RGB": _Encoding(_PROPHOTO, 1.8),
    "Gamma 1.8 Encoded eciRGB": _Encoding(_ECI, 1.8),
    "L* Encoded eciRGB": _Encoding(_ECI, 3, 0.16),
    "Gamma 1.8 Encoded Apple RGB": _Encoding(_APPLE, 1.8),
    "Gamma 1.8 Encoded ColorMatch RGB": _Encoding(_COLORMATCH, 1.8),
    "Gamma 2.2 Encoded Wide Gamut RGB": _Encoding(_WIDE, 2.2),
}


H273 = {
    (1, 1): "Camera Rec.709",
    (1, 13): "sRGB Encoded Rec.709 (sRGB)",
    (12, 13): "sRGB Encoded P3-D65",
    (1, 8): "Linear Rec.709 (sRGB)",
    (9, 8): "Linear Rec.2020",
    (12, 8): "Linear P3-D65",
    **dict.fromkeys(((9, 1), (9, 14), (9, 15)), "Camera Rec.2020"),
    (9, 13): "sRGB Encoded Rec.2020",
}
"""Spaces by the numbers of primaries and transfer function in ITU-T H.273."""


def add_encodings(config: "Config") -> None:
    """Add these spaces to an ACES configuration."""
    import PyOpenColorIO

    for name, encoding in _ENCODINGS.items():
        curve = _curve(encoding.gamma, encoding.offset)
        space = PyOpenColorIO.ColorSpace(
            name=name,
            encoding="scene-linear" if encoding.gamma == 1 else "sdr-video",
            toReference=PyOpenColorIO.GroupTransform([curve, _matrix(encoding.primaries)]),
        )
        config.addColorSpace(space)


def to_xyz(primaries: tuple[float, ...]) -> "Matrix":
    """Return the matrix from linear RGB to CIE XYZ; white has Y = 1 and is not adapted."""
    import numpy as np

    x, y = np.reshape(primaries, (4, 2)).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    colours, white = columns[:, :3], columns[:, 3]
    return colours * np.linalg.solve(colours, white)


def to_aces(xyz: "Matrix") -> "Matrix":
    """Return the matrix to ACES2065-1, given one from RGB to CIE XYZ; its white is adapted."""
    import numpy as np
    import PyOpenColorIO

    reference = PyOpenColorIO.BuiltinTransform("UTILITY - ACES-AP0_to_CIE-XYZ-D65_BFD")
    processor = PyOpenColorIO.Config.CreateRaw().getProcessor(reference).getDefaultCPUProcessor()
    aces = np.array([processor.applyRGB(row) for row in np.eye(3).tolist()]).T
    bradford = np.array(_BRADFORD)
    cones = (bradford @ aces.sum(1)) / (bradford @ xyz.sum(1))
    adapted = np.linalg.inv(bradford) @ np.diag(cones) @ bradford @ xyz
    matrix: Matrix = np.linalg.inv(aces) @ adapted
    return matrix


def _curve(gamma: float, offset: float) -> "Transform":
    import PyOpenColorIO

    gammas, offsets = [*[gamma] * 3, 1.0], [*[offset] * 3, 0.0]
    if offset:
        return PyOpenColorIO.ExponentWithLinearTransform(gammas, offsets)
    return PyOpenColorIO.ExponentTransform(gammas, PyOpenColorIO.NEGATIVE_PASS_THRU)


def _matrix(primaries: tuple[float, ...]) -> "Transform":
    import numpy as np
    import PyOpenColorIO

    whole = np.eye(4)
    whole[:3, :3] = to_aces(to_xyz(primaries))
    return PyOpenColorIO.MatrixTransform(whole.ravel().tolist())
