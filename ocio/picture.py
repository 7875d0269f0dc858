"""Frames from picture files: EXR, DPX, TIFF, PNG, JPEG and what else OpenImageIO reads."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

from lifemask.ocio import exr
from lifemask.ocio.errors import BrokenFileError
from lifemask.ocio.frame import Frame
from lifemask.ocio.metadata import header_of
from lifemask.ocio.turn import Turn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from OpenImageIO import ImageInput, ImageSpec

    Pixels = NDArray[np.float32]

# No plate has more, nor can a byte hold more; a header that says so must not be believed.
_MOST_PIXELS = 1 << 28
_MOST_PIXELS_IN_A_BYTE = 1 << 14
_MOST_CHANNELS = 1024
_WHOLE = ("rgba", "rgb", "beauty", "combined")  # layers with all that a renderer saw
_CHOOSING = Lock()


def read_picture(path: Path, number: int = 1, layers: bool = False) -> Frame:
    """Return the file as a frame of its display window, whatever its data window is.

    Raises BrokenFileError when the file is not there, truncated, or not a picture.
    """
    with opened(path) as file:
        spec, part, names = file.spec(), file.current_subimage(), list(file.spec().channelnames)
        rgb, alpha = colour_channels(names)
        used = [*rgb, *alpha]
        first, last = min(used), max(used) + 1
        pixels = _turn(spec).upright(_framed(_pixels(path, file, first, last), spec))
        header, half = _header(path, file), str(spec.channelformat(rgb[0])) == "half"
    return Frame(
        number,
        pixels if used == [0, 1, 2] else _picked(pixels, [index - first for index in rgb]),
        _picked(pixels, alpha[0] - first) if alpha else None,
        _layers(path, spec, part, {names[index] for index in used}) if layers else {},
        header,
        half,
    )


def size(path: Path) -> tuple[int, int]:
    """Return the width and height of the frame, upright; errors as in `read_picture`."""
    with opened(path) as file:
        width, height = file.spec().full_width, file.spec().full_height
        return (height, width) if _turn(file.spec()).lies else (width, height)


@contextmanager
def opened(path: Path) -> "Iterator[ImageInput]":
    """Give the OpenImageIO reader of a file whose header is sane; errors as in `read_picture`.

    Of several parts it reads the one that is called as the whole picture is, or the first one with
    a colour.
    """
    import OpenImageIO

    with _CHOOSING:
        _choose_decoder()
    # Straight alpha stays as it is in the file: multiplying it in would change the colours.
    config = OpenImageIO.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    file = OpenImageIO.ImageInput.open(str(path), config)
    if file is None:
        words = _complaint(OpenImageIO).replace(f"EXR Error ({path}): ", "")
        raise BrokenFileError(f"{path}: not a whole picture ({words})")
    try:
        _to_colour(file)
        _check(path, file.spec())
        yield file
    finally:
        file.close()


def _to_colour(file: "ImageInput") -> None:
    parts = range(file.spec().get_int_attribute("oiio:subimages", 1))
    file.seek_subimage(min(parts, key=partial(_rank, file), default=0), 0)


def _rank(file: "ImageInput", part: int) -> int:
    """0 for a part with the whole picture, 1 for another one with a colour, else 2."""
    file.seek_subimage(part, 0)
    spec, names = file.spec(), list(file.spec().channelnames)
    if not _colours(names):
        return 2
    layers = [name.rpartition(".")[0] for name in names]
    words = ".".join([spec.get_string_attribute("name"), *layers]).lower().split(".")
    return int({*_WHOLE}.isdisjoint(words))


@cache
def _choose_decoder() -> None:
    """Have OpenEXR choose how it decodes DWA while no other thread does.

    It chooses on first use, unguarded: what another thread decodes meanwhile is rounded otherwise,
    and a few pixels of the first frames would not be the same every time.
    """
    import OpenImageIO

    with suppress(OSError), TemporaryDirectory() as folder:
        tiny = OpenImageIO.ImageBuf(OpenImageIO.ImageSpec(8, 8, 3, "half"))
        tiny.specmod().attribute("compression", "dwaa")
        tiny.write(f"{folder}/tiny.exr")
        OpenImageIO.ImageBuf(f"{folder}/tiny.exr").read()


def colour_channels(names: list[str]) -> tuple[list[int], list[int]]:
    """Return which channels are red, green, blue, and which, if any, is alpha.

    They are ``R G B A``, or those of a layer that is called as the whole picture is, or of the
    first one with a colour; a picture without any is grey.
    """
    return _colours(names) or ([0, 0, 0], [])


def _colours(names: list[str]) -> tuple[list[int], list[int]] | None:
    place = {name.lower(): index for index, name in reversed(list(enumerate(names)))}
    layers = dict.fromkeys(name.lower().rpartition(".")[0] for name in names)
    whole = sorted(layers, key=lambda layer: layer.rpartition(".")[2] not in _WHOLE)
    for layer in (f"{layer}." if layer else "" for layer in ["", *whole]):
        # Y beside X is no luminance but part of a position or a normal.
        luminance = () if f"{layer}x" in place else (("y",) * 3,)
        for colour in (("r", "g", "b"), ("red", "green", "blue"), *luminance):
            rgb = [place.get(layer + channel, -1) for channel in colour]
            if min(rgb) >= 0:
                alpha = [place.get(layer + channel, -1) for channel in ("a", "alpha")]
                return rgb, [index for index in alpha if index >= 0][:1]
    return None


def _check(path: Path, spec: "ImageSpec") -> None:
    sizes = (spec.width, spec.height), (spec.full_width, spec.full_height)
    believable = all(0 < width * height <= _MOST_PIXELS for width, height in sizes)
    if not believable or spec.width * spec.height > path.stat().st_size * _MOST_PIXELS_IN_A_BYTE:
        raise BrokenFileError(f"{path}: its header says {sizes[1][0]}x{sizes[1][1]} pixels")
    if spec.deep or spec.depth > 1 or not 0 < spec.nchannels <= _MOST_CHANNELS:
        raise BrokenFileError(f"{path}: deep or volume data, where a flat picture is needed")


def _pixels(path: Path, file: "ImageInput", first: int, last: int) -> "Pixels":
    import OpenImageIO

    pixels: Pixels | None = file.read_image(
        file.current_subimage(), 0, first, last, OpenImageIO.FLOAT
    )
    if pixels is None or file.has_error:
        raise BrokenFileError(f"{path}: truncated or broken ({_complaint(file)})")
    return pixels.reshape(*pixels.shape[:2], last - first)


def _framed(pixels: "NDArray[Any]", spec: "ImageSpec") -> "NDArray[Any]":
    """Put the data window into the display window: cut where it is larger, 0 where it is not."""
    import numpy as np

    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    height, width = pixels.shape[:2]
    if (left, top, width, height) == (0, 0, spec.full_width, spec.full_height):
        return pixels
    whole = np.zeros((spec.full_height, spec.full_width, *pixels.shape[2:]), pixels.dtype)
    rows = slice(max(top, 0), max(min(top + height, len(whole)), 0))
    columns = slice(max(left, 0), max(min(left + width, whole.shape[1]), 0))
    inside = pixels[max(-top, 0) :, max(-left, 0) :]
    target = whole[rows, columns]
    target[:] = inside[: target.shape[0], : target.shape[1]]
    return whole


def _turn(spec: "ImageSpec") -> Turn:
    return Turn.by_orientation(spec.get_int_attribute("Orientation", 1))


def _picked(pixels: "Pixels", channels: list[int] | int) -> "Pixels":
    import numpy as np

    return np.ascontiguousarray(pixels[..., channels])


def _header(path: Path, file: "ImageInput") -> dict[str, Any]:
    if file.format_name() != "openexr":
        return header_of(file.spec())
    try:
        return exr.read_header(path, file.current_subimage())
    except BrokenFileError:
        # Text that is not UTF-8, which OpenImageIO takes.
        return header_of(file.spec())


def _layers(path: Path, spec: "ImageSpec", part: int, used: set[str]) -> "dict[str, Pixels]":
    """Return the channels that are not the picture's own colours, in the display window."""
    import numpy as np

    if path.suffix.lower() == ".exr":
        # Eight times as fast as OpenImageIO for many channels.
        channels, _ = exr.read_channels(path, part)
    else:
        channels = {}
    return {
        name: _framed(pixels.astype(np.float32, copy=False), spec)
        for name, pixels in channels.items()
        if name not in used
    }


def _complaint(source: "ImageInput | ModuleType") -> str:
    """Return OpenImageIO's words about the last failure, in one sentence."""
    try:
        words = source.geterror()
    except UnicodeDecodeError:
        words = ""
    # A second sentence asks back.
    return " ".join(words.split()).partition(". ")[0] or "no format is known for it"
