"""Layered EXR files for a compositor, written whole and checked."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.ocio.media_errors import BrokenFileError, WriteError
from lifemask.ocio.system.atomic import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Channels = Mapping[str, NDArray[np.floating[Any]]]

# Attributes of the file's own layout, which the writer sets itself.
LAYOUT = (
    *("channels", "compression", "dataWindow", "displayWindow", "lineOrder", "type", "tiles"),
    *("chunkCount", "name", "version", "preview", "dwaCompressionLevel", "zipCompressionLevel"),
    *("maxSamplesPerPixel", "idManifest", "multiView"),
)
_CHECKED_ROWS = 16


def write(path: Path, channels: "Channels", header: Mapping[str, Any]) -> None:
    """Write one part with a full-frame window, ZIPS, and read part of it back before it counts.

    ``channels`` are (H, W), float16 or float32, and are stored as such. Raises WriteError when the
    disk is full, refuses, or returns other pixels.
    """
    import numpy as np
    import OpenEXR

    # OpenEXR 3.5 writes wrong pixels, without an error, from an array that is not contiguous.
    whole = {name: np.ascontiguousarray(pixels) for name, pixels in channels.items()}
    layout = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    with replacing(path) as temporary:
        try:
            with OpenEXR.File(_without_layout(header) | layout, dict(whole)) as file:
                file.write(str(temporary))
        except (RuntimeError, ValueError) as error:
            raise WriteError(f"{path}: cannot be written ({error})") from error
        _check(path, temporary, whole)


def read_channels(path: Path, part: int = 0) -> "tuple[dict[str, NDArray[Any]], dict[str, Any]]":
    """Return the channels of a part, (H, W) as stored, and its header without the layout.

    Raises BrokenFileError when the file is truncated or not an EXR.
    """
    import OpenEXR

    _check_there(path)
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = {name: channel.pixels for name, channel in file.channels(part).items()}
            header = _without_layout(file.header(part))
    except (RuntimeError, ValueError, TypeError, ZeroDivisionError, MemoryError) as error:
        raise BrokenFileError(
            f"{path}: not a whole EXR file, cut short or broken ({error})"
        ) from error
    return channels, header


def read_header(path: Path, part: int = 0) -> dict[str, Any]:
    """Return the header of a part without the layout, as `write` takes it."""
    import OpenEXR

    _check_there(path)
    try:
        with OpenEXR.File(str(path), header_only=True) as file:
            return _without_layout(file.header(part))
    except (RuntimeError, ValueError, TypeError, ZeroDivisionError) as error:
        raise BrokenFileError(f"{path}: not an EXR file ({error})") from error


def _check_there(path: Path) -> None:
    # OpenEXR prints a line of its own about a missing file.
    if not path.exists():
        raise BrokenFileError(f"{path}: there is no such file")


def _without_layout(header: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in header.items() if name not in LAYOUT}


def _check(path: Path, written: Path, channels: "Channels") -> None:
    """Compare some rows, always including the first and the last, with the written ones."""
    import numpy as np
    import OpenImageIO

    file = OpenImageIO.ImageInput.open(str(written))
    if file is None:
        raise WriteError(f"{path}: cannot be read back ({OpenImageIO.geterror()})")
    spec = file.spec()
    rows = np.linspace(0, spec.height - 1, _CHECKED_ROWS).astype(int)
    good = set(spec.channelnames) == set(channels)
    for row in set(rows.tolist()) if good else ():
        pixels = file.read_scanlines(row, row + 1, 0, 0, spec.nchannels, OpenImageIO.FLOAT)
        good = good and pixels is not None and _same(pixels[0].T, spec.channelnames, channels, row)
    file.close()
    if not good:
        raise WriteError(f"{path}: the disk gave back something else than was written")


def _same(pixels: "NDArray[Any]", names: Iterable[str], channels: "Channels", row: int) -> bool:
    import numpy as np

    expected = (channels[name][row] for name in names)
    return all(map(partial(np.array_equal, equal_nan=True), pixels, expected))
