"""Colour by name: every conversion is OpenColorIO's, from `$OCIO` or the ACES studio config."""

import os
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from lifemask.ocio.errors import ColorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PyOpenColorIO import Config, CPUProcessor

WORKING = "ACEScg"
CONFIG = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
LINEAR_SRGB = "Linear Rec.709 (sRGB)"
SRGB = "sRGB Encoded Rec.709 (sRGB)"

_ROWS = 1 << 16
_KNEE = 0.6
_MOST_NEAR = 4


def convert(pixels: "NDArray[np.floating[Any]]", source: str, target: str) -> "NDArray[np.float32]":
    """Return ``pixels`` (..., 3) in the colour space ``target``: a float32 copy, never clamped."""
    import numpy as np

    result = np.array(pixels, np.float32, order="C")
    processor = _processor(check_space(source), check_space(target))
    if not processor.isNoOp():
        rows = result.reshape(-1, 3)
        parts = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
        apply = map if len(parts) == 1 else _pool().map
        list(apply(processor.applyRGB, parts))
    return result


def finite(pixels: "NDArray[np.floating[Any]]") -> "NDArray[np.floating[Any]]":
    """Return ``pixels`` to compute with: infinity is where half floats end, NaN and -inf black."""
    import numpy as np

    numbers: NDArray[np.floating[Any]] = np.nan_to_num(pixels, True, 0.0, 65504.0, 0.0)
    return numbers


def check_space(space: str) -> str:
    """Return the config's own name of a colour space, given that, an alias or a role.

    Raises ColorError with the nearest names when there is none.
    """
    found = _config().getColorSpace(space)
    if found:
        return str(found.getName())
    names = list(_config().getColorSpaceNames())
    near = {name.lower(): name for name in names}
    close = [name for name in near if space.lower() in name]
    close = close[:_MOST_NEAR] or get_close_matches(space.lower(), near, _MOST_NEAR, 0.4)
    nearest = ", ".join(near[name] for name in close)
    hint = f"the nearest are {nearest}" if close else f"allowed are those of {_source()}"
    if not space:
        raise ColorError("no colour space is named; say what the numbers mean, as in ACEScg")
    raise ColorError(f"{space!r} is not a colour space; {hint}")


def names_of(space: str) -> list[str]:
    """Return all names that the config has for a colour space; errors as in `check_space`."""
    found = _config().getColorSpace(check_space(space))
    return [str(found.getName()), *map(str, found.getAliases())]


def is_scene_linear(space: str) -> bool:
    """Whether values of this space are proportional to light in the scene."""
    import PyOpenColorIO

    found = _config().getColorSpace(check_space(space))
    linear = _config().isColorSpaceLinear(found.getName(), PyOpenColorIO.REFERENCE_SPACE_SCENE)
    return bool(linear) and not found.isData()


def display(pixels: "NDArray[np.floating[Any]]", source: str) -> "NDArray[np.float32]":
    """Return ``pixels`` (..., 3) as an sRGB picture, 0..1, for people and detectors to look at.

    Scene light above .6 rolls off towards white; a picture that was graded for video is only
    converted. This is far quicker than an ACES view, and good enough to judge by.
    """
    import numpy as np

    light = convert(finite(pixels), source, LINEAR_SRGB)
    if _config().getColorSpace(check_space(source)).getEncoding() != "sdr-video":
        span = 1 - _KNEE
        high = light > _KNEE
        light[high] = _KNEE + span * -np.expm1((_KNEE - light[high]) / span)
    return np.clip(convert(light, LINEAR_SRGB, SRGB), 0, 1)


def _source() -> str:
    return os.environ.get("OCIO") or CONFIG


@cache
def _load(source: str) -> "Config":
    import PyOpenColorIO

    try:
        return PyOpenColorIO.Config.CreateFromFile(source)
    except (PyOpenColorIO.Exception, PyOpenColorIO.ExceptionMissingFile) as error:
        raise ColorError(f"OCIO: {source} is not a usable configuration ({error})") from error


def _config() -> "Config":
    return _load(_source())


@cache
def _processor_of(config: str, source: str, target: str) -> "CPUProcessor":
    import PyOpenColorIO

    try:
        processor = _load(config).getProcessor(source, target)
    except PyOpenColorIO.Exception as error:
        raise ColorError(f"{source} cannot be converted to {target} ({error})") from error
    return processor.getOptimizedCPUProcessor(PyOpenColorIO.OPTIMIZATION_LOSSLESS)


def _processor(source: str, target: str) -> "CPUProcessor":
    return _processor_of(_source(), source, target)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "colour")
