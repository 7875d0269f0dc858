"""Find the colour space of an ICC profile by its primaries and curve, whatever its name."""

import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from lifemask.ocio.colour.configuration import BUILT_IN, Space, load, processor
from lifemask.ocio.colour.encodings import H273, REC709, to_aces, to_xyz

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# A profile's numbers are rounded, and gamma 2.2 often stands for sRGB's curve.
_NEAR = 0.01
_STEPS = 256
_MOST_TAGS = 1000
_CHANNELS = b"r", b"g", b"b"
_SHAPED = {b"RGB ": b"rXYZ", b"GRAY": b"kTRC"}
_PARAMETERS = (1, 3, 4, 5, 7)


class ProfileError(Exception):
    """A profile matches no named colour space."""


def space_of_primaries(primaries: tuple[float, ...], gamma: float | None) -> str | None:
    """Return the colour space with these primaries (x, y of red, green, blue, white) and gamma.

    Without a gamma the curve is sRGB's. None when no space matches.
    """
    import numpy as np

    curve = _codes() ** gamma if gamma else _known()[H273[1, 13]][1]
    try:
        with np.errstate(all="ignore"):
            return _nearest(to_xyz(primaries), curve[:, None])
    except np.linalg.LinAlgError:
        return None


@lru_cache(maxsize=16)
def space_of_icc(data: bytes, description: str) -> str:
    """Return the colour space of an ICC profile of RGB or grey.

    Raises ProfileError, which names any other kind. Reference: ICC.1:2022, sections 7, 9 and 10.
    """
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            space = _space_of(data, description)
    except (struct.error, LookupError, ValueError) as error:
        raise ProfileError("its colour profile is broken") from error
    if not space:
        kind = data[16:20].decode("ascii", "replace").strip()
        raise ProfileError(f"its {kind} profile {description!r} is that of no known colour space")
    return space


def _space_of(data: bytes, description: str) -> str | None:
    import numpy as np

    if data[36:40] != b"acsp":
        raise ValueError("no profile")
    kind, tags = data[16:20], _tags(data)
    if b"cicp" in tags:
        primaries, transfer = tags[b"cicp"][8:10]
        return H273.get((primaries, transfer))
    if kind == b"RGB " and b"rTRC" not in tags and description.lower().startswith("srgb"):
        # sRGB's with a table for the perceptual intent has no primaries.
        return H273[1, 13]
    if data[20:24] != b"XYZ " or kind not in _SHAPED or _SHAPED[kind] not in tags:
        return None
    if kind == b"GRAY":
        return _nearest(to_xyz(REC709), _curve(tags[b"kTRC"])[:, None])
    xyz = [struct.unpack_from(">3i", tags[name + b"XYZ"], 8) for name in _CHANNELS]
    curves = [_curve(tags[name + b"TRC"]) for name in _CHANNELS]
    return _nearest(np.array(xyz).T / 65536, np.stack(curves, 1))


def _nearest(xyz: "Floats", curves: "Floats") -> str | None:
    """Return the nearest space of the built-in configuration, if it is near.

    ``xyz`` (3, 3) is the matrix from linear RGB to CIE XYZ, ``curves`` (256, 3 or 1) the linear
    values of codes from 0 to 1.
    """
    import numpy as np

    aces = to_aces(xyz)
    found = {}
    for name, (matrix, curve) in _known().items():
        turned = np.abs(np.linalg.solve(matrix, aces) - np.eye(3)).max()
        bent = np.abs(curve[:, None] - curves).max()
        if max(turned, bent) < _NEAR:
            found[name] = float(turned + bent)
    return min(found, key=found.__getitem__, default=None)


def _tags(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", data, 128)
    tags = struct.iter_unpack(">4sII", data[132 : 132 + 12 * min(count, _MOST_TAGS)])
    return {name: data[start : start + size] for name, start, size in tags}


def _curve(tag: bytes) -> "Floats":
    """Return the linear values of all codes: types ``curv`` and ``para``."""
    import numpy as np

    codes = _codes()
    if tag[:4] == b"para":
        return _parametric(codes, int.from_bytes(tag[8:10]), tag[12:])
    (count,) = struct.unpack_from(">I", tag, 8)
    table = np.frombuffer(tag, ">u2", count, 12)
    if count < 2:
        return codes ** (float(table[0]) / 256 if count else 1.0)
    return np.interp(codes, np.linspace(0, 1, count), table / 65535)


def _parametric(codes: "Floats", kind: int, data: bytes) -> "Floats":
    """Return the curve (a x + b) ** g + e from d on, and c x + f below it."""
    import numpy as np

    values = [value / 65536 for value in struct.unpack_from(f">{_PARAMETERS[kind]}i", data)]
    g, a, b, c, d, e, f = values + [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(values) :]
    if kind == 2:
        c, e, f = 0.0, c, c
    curve: Floats = np.where(codes >= d, np.maximum(a * codes + b, 0) ** g + e, c * codes + f)
    return curve


def _codes() -> "Floats":
    import numpy as np

    return np.linspace(0, 1, _STEPS)


@cache
def _known() -> "dict[str, tuple[Floats, Floats]]":
    """Return the matrix to ACES2065-1 and the curve (256,) of spaces for pictures, by name."""
    import numpy as np
    import PyOpenColorIO

    config = load(BUILT_IN)
    scene = PyOpenColorIO.SEARCH_REFERENCE_SPACE_SCENE
    known = {}
    for name in config.getColorSpaceNames(scene, PyOpenColorIO.COLORSPACE_ALL):
        if config.getColorSpace(name).getEncoding() in ("sdr-video", "scene-linear"):
            to_aces = processor(Space(BUILT_IN, name), Space(BUILT_IN, "ACES2065-1"))
            primaries = np.array([to_aces.applyRGB(row) for row in np.eye(3).tolist()]).T
            greys = [to_aces.applyRGB([code] * 3) for code in _codes().tolist()]
            known[name] = primaries, np.array(greys)[:, 1]
    return known
