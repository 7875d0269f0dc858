"""Read picture files: EXR, DPX, TIFF, PNG, JPEG and any other format of OpenImageIO."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from lifemask.ocio.media import exr
from lifemask.ocio.media.frame import Frame
from lifemask.ocio.media.layers import Layer, Part, choose
from lifemask.ocio.media.luminance_chroma import to_rgb
from lifemask.ocio.media.metadata import header_of
from lifemask.ocio.media.orientation import Orientation
from lifemask.ocio.media_errors import BrokenFileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from OpenImageIO import ImageInput, ImageSpec

    Pixels = NDArray[np.float32]

# No plate is larger; a header that claims more is broken.
_MOST_PIXELS = 1 << 28
_MOST_PIXELS_IN_A_BYTE = 1 << 14
_MOST_CHANNELS = 1024
_EXR = "openexr"
_DECODER_LOCK = Lock()


class Format(NamedTuple):
    """The common properties of a sequence's frames: size when upright, and the layer to read."""

    width: int
    height: int
    layer: str


def read_picture(path: Path, number: int = 1, layers: bool = False, layer: str = "") -> Frame:
    """Return the file as a frame of its display window, whatever its data window is.

    Raises BrokenFileError when the file is missing, truncated, or not a picture, LayerError as
    `choose` does.
    """
    with opened(path, layer) as (file, chosen):
        spec, used = file.spec(), chosen.used
        first, last = min(used), max(used) + 1
        pixels = _orientation(spec).upright(_display_window(_pixels(path, file, first, last), spec))
        header = _header(path, file)
    return Frame(
        number,
        _colour(path, pixels, first, chosen, spec),
        None if chosen.alpha is None else _picked(pixels, chosen.alpha - first),
        _layers(path, spec, chosen) if layers else {},
        header,
        not chosen.is_chroma and all(str(spec.channelformat(index)) == "half" for index in used),
        chosen.path,
    )


def format_of(path: Path, layer: str = "") -> Format:
    """Return the properties in the header; errors as in `read_picture`."""
    with opened(path, layer) as (file, chosen):
        width, height = file.spec().full_width, file.spec().full_height
        size = (height, width) if _orientation(file.spec()).transposed else (width, height)
    return Format(*size, chosen.path)


@contextmanager
def opened(path: Path, layer: str = "") -> "Iterator[tuple[ImageInput, Layer]]":
    """Yield the OpenImageIO reader of a file with a sane header, at the part with the picture.

    The layer is the named one, or the one that `choose` finds. Errors as in `read_picture`.
    """
    import OpenImageIO

    with _DECODER_LOCK:
        _choose_decoder()
    # Straight alpha stays as it is in the file: multiplying it in would change the colours.
    config = OpenImageIO.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    file = OpenImageIO.ImageInput.open(str(path), config)
    if file is None:
        words = _error_text(OpenImageIO).replace(f"EXR Error ({path}): ", "")
        if "format reader" in words:
            raise BrokenFileError(
                f"{path}: its format is not read; EXR, DPX, TIFF, PNG, JPEG and movies are"
            )
        raise BrokenFileError(f"{path}: not a whole picture ({words})")
    try:
        chosen = choose(path, _parts(file), _views(file), layer)
        file.seek_subimage(chosen.part.index, 0)
        _check(path, file.spec())
        yield file, chosen
    finally:
        file.close()


def _parts(file: "ImageInput") -> list[Part]:
    """The flat parts of an EXR; of other files, the first page."""
    file.seek_subimage(0, 0)
    count = file.spec().get_int_attribute("oiio:subimages", 1)
    found = []
    for index in range(count if file.format_name() == _EXR else 1):
        file.seek_subimage(index, 0)
        spec = file.spec()
        name, view = (spec.get_string_attribute(word) for word in ("name", "view"))
        part = Part(index, tuple(spec.channelnames), name if count > 1 else "", view)
        found += [(spec.deep, part)]
    return [part for deep, part in found if not deep] or [part for _, part in found]


def _views(file: "ImageInput") -> tuple[str, ...]:
    file.seek_subimage(0, 0)
    views = file.spec().getattribute("multiView") or ()
    return (views,) if isinstance(views, str) else tuple(views)


@cache
def _choose_decoder() -> None:
    """Have OpenEXR choose how it decodes DWA while no other thread does.

    It chooses on first use, without a lock: another thread that decodes meanwhile rounds
    differently, and a few pixels of the first frames would vary from run to run.
    """
    import OpenImageIO

    with suppress(OSError), TemporaryDirectory() as folder:
        tiny = OpenImageIO.ImageBuf(OpenImageIO.ImageSpec(8, 8, 3, "half"))
        tiny.specmod().attribute("compression", "dwaa")
        tiny.write(f"{folder}/tiny.exr")
        OpenImageIO.ImageBuf(f"{folder}/tiny.exr").read()


def _check(path: Path, spec: "ImageSpec") -> None:
    sizes = (spec.width, spec.height), (spec.full_width, spec.full_height)
    believable = all(0 < width * height <= _MOST_PIXELS for width, height in sizes)
    if not believable or spec.width * spec.height > path.stat().st_size * _MOST_PIXELS_IN_A_BYTE:
        raise BrokenFileError(f"{path}: its header says {sizes[1][0]}x{sizes[1][1]} pixels")
    if spec.deep or spec.depth > 1 or not 0 < spec.nchannels <= _MOST_CHANNELS:
        raise BrokenFileError(f"{path}: deep or volume data, where a flat picture is needed")


def _pixels(path: Path, file: "ImageInput", first: int, last: int) -> "Pixels":
    import numpy as np
    import OpenImageIO

    pixels: Pixels | None = file.read_image(
        file.current_subimage(), 0, first, last, OpenImageIO.FLOAT
    )
    if pixels is None or file.has_error:
        raise BrokenFileError(f"{path}: truncated or broken ({_error_text(file)})")
    pixels = pixels.reshape(*pixels.shape[:2], last - first)
    if file.format_name() == _EXR:
        kinds = [str(file.spec().channelformat(index)) for index in range(first, last)]
        # OpenImageIO divides whole numbers, as if the largest were white.
        pixels[..., [kind == "uint" for kind in kinds]] *= np.float32(1 << 32)
    return pixels


def _display_window(pixels: "NDArray[Any]", spec: "ImageSpec") -> "NDArray[Any]":
    """Put the data window into the display window: cropped where larger, 0 where smaller."""
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


def _orientation(spec: "ImageSpec") -> Orientation:
    return Orientation.of_exif(spec.get_int_attribute("Orientation", 1))


def _colour(path: Path, pixels: "Pixels", first: int, layer: Layer, spec: "ImageSpec") -> "Pixels":
    places = [index - first for index in layer.channels]
    colour = pixels if places == list(range(pixels.shape[-1])) else _picked(pixels, places)
    return to_rgb(path, colour, spec.getattribute("chromaticities")) if layer.is_chroma else colour


def _picked(pixels: "Pixels", channels: list[int] | int) -> "Pixels":
    import numpy as np

    return np.ascontiguousarray(pixels[..., channels])


def _header(path: Path, file: "ImageInput") -> dict[str, Any]:
    if file.format_name() != _EXR:
        return header_of(file.spec())
    try:
        return exr.read_header(path, file.current_subimage())
    except BrokenFileError:
        # Text that is not UTF-8, which OpenImageIO takes.
        return header_of(file.spec())


def _layers(path: Path, spec: "ImageSpec", chosen: Layer) -> "dict[str, Pixels]":
    """Return the channels other than the picture's own colours, in the display window."""
    import numpy as np

    used = {chosen.part.channels[index] for index in chosen.used}
    if path.suffix.lower() == ".exr":
        # Eight times as fast as OpenImageIO for many channels.
        channels, _ = exr.read_channels(path, chosen.part.index)
    else:
        channels = {}
    return {
        name: _display_window(pixels.astype(np.float32, copy=False), spec)
        for name, pixels in channels.items()
        if name not in used
    }


def _error_text(source: "ImageInput | ModuleType") -> str:
    """Return OpenImageIO's message about the last failure, as one sentence."""
    try:
        words = source.geterror()
    except UnicodeDecodeError:
        words = ""
    # A second sentence asks back.
    return " ".join(words.split()).partition(". ")[0] or "no format is known for it"
