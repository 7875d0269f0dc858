"""Convert between colour spaces by name, with OpenColorIO.

A name is looked up in `$OCIO` first, then in the built-in ACES studio config.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from lifemask.ocio.colour.configuration import (
    BUILT_IN,
    Space,
    active_source,
    find,
    is_assumed,
    load,
    local_name,
    processor,
)
from lifemask.ocio.media_errors import ColorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORKING = "ACEScg"
LINEAR_SRGB = "Linear Rec.709 (sRGB)"
SRGB = "sRGB Encoded Rec.709 (sRGB)"

_ROWS = 1 << 16
_KNEE = 0.6
_MOST_NEAR = 4
_VIDEO_WHITE = 1.01
_SAME = 1e-3


def convert(pixels: "NDArray[np.floating[Any]]", source: str, target: str) -> "NDArray[np.float32]":
    """Return ``pixels`` (..., 3) in the colour space ``target``: a float32 copy, never clamped."""
    import numpy as np

    result = np.array(pixels, np.float32, order="C")
    conversion = processor(_space(source), _space(target))
    if not conversion.isNoOp():
        rows = result.reshape(-1, 3)
        parts = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
        apply = map if len(parts) == 1 else _pool().map
        list(apply(conversion.applyRGB, parts))
    return result


def finite(pixels: "NDArray[np.floating[Any]]") -> "NDArray[np.floating[Any]]":
    """Return finite ``pixels``: infinity becomes the largest half float, NaN and -inf black."""
    import numpy as np

    numbers: NDArray[np.floating[Any]] = np.nan_to_num(pixels, True, 0.0, 65504.0, 0.0)
    return numbers


def check_space(space: str) -> str:
    """Return the configuration's own name of a colour space, given that, an alias or a role.

    Raises ColorError with the nearest names when there is none.
    """
    return _space(space).name


def is_identified(space: str) -> bool:
    """Whether a colour space's relation to the working space is known, and not assumed.

    A configuration that only names its scene_linear space is assumed to have Rec.709 primaries.
    Raises ColorError when the space is of data, or cannot be converted in both directions.
    """
    found, working = _space(space), _space(WORKING)
    if found.declared.isData():
        raise ColorError(f"{found.name} is for data; say what the numbers mean, as in ACEScg")
    processor(found, working)
    if found.linear:
        processor(working, found)
    return not is_assumed(found)


def names_of(space: str) -> list[str]:
    """Return all names of a colour space, including those of the equal built-in linear space.

    Errors as in `check_space`.
    """
    found = _space(space)
    same = found if found.config == BUILT_IN else _same(found)
    spaces = dict.fromkeys([found, *([same] if same else [])])
    return [str(name) for s in spaces for name in (s.name, *s.declared.getAliases())]


def is_scene_linear(space: str) -> bool:
    """Whether values of this space are proportional to light in the scene."""
    return _space(space).linear


def result_space(plate: str) -> str:
    """Return the colour space of a plate's results: the plate's own if that is scene-linear.

    Otherwise the working space, under its name in `$OCIO` if it has one.
    """
    return plate if is_scene_linear(plate) else local_name(WORKING)


def display(pixels: "NDArray[np.floating[Any]]", source: str) -> "NDArray[np.float32]":
    """Return ``pixels`` (..., 3) as an sRGB picture, 0..1, for people and detectors.

    Scene light above .6 rolls off towards white; a picture graded for video is only converted. Far
    quicker than an ACES view, and good enough to judge by.
    """
    import numpy as np

    light = convert(finite(pixels), source, LINEAR_SRGB)
    if not _is_graded(_space(source)):
        span = 1 - _KNEE
        high = light > _KNEE
        light[high] = _KNEE + span * -np.expm1((_KNEE - light[high]) / span)
    return np.clip(convert(light, LINEAR_SRGB, SRGB), 0, 1)


def _space(name: str) -> Space:
    found = find(name)
    if not found:
        raise ColorError(_unknown(name))
    return found


def _unknown(space: str) -> str:
    if not space:
        return "no colour space is named; say what the numbers mean, as in ACEScg"
    near = {name.lower(): name for name in load(active_source()).getColorSpaceNames()}
    close = [name for name in near if space.lower() in name]
    close = close[:_MOST_NEAR] or get_close_matches(space.lower(), near, _MOST_NEAR, 0.4)
    nearest = ", ".join(near[name] for name in close)
    hint = f"the nearest are {nearest}" if close else f"allowed are those of {active_source()}"
    return f"{space!r} is not a colour space; {hint}"


@cache
def _same(space: Space) -> Space | None:
    """Return the built-in linear space with the values of another configuration's, if one has."""
    import numpy as np

    if not space.linear or is_assumed(space):
        return None
    for name in load(BUILT_IN).getColorSpaceNames():
        built_in = Space(BUILT_IN, name)
        if built_in.linear:
            rows = [processor(space, built_in).applyRGB(row) for row in np.eye(3).tolist()]
            if np.allclose(rows, np.eye(3), atol=_SAME):
                return built_in
    return None


@cache
def _is_graded(space: Space) -> bool:
    """Whether a picture was graded for video, by its encoding or by where its white is."""
    encoding = space.declared.getEncoding()
    if encoding:
        return bool(encoding == "sdr-video")
    white = processor(space, _space(LINEAR_SRGB)).applyRGB([1.0] * 3)
    return not space.linear and max(white) < _VIDEO_WHITE


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "colour")
