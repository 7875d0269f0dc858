"""Read frames of any footage: sequences, stills and movies."""

from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Self

from lifemask.ocio.media.frame import Frame
from lifemask.ocio.media.movie import Movie
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media.still import Format, format_of, opened, read_picture
from lifemask.ocio.media_errors import LayerError, MissingFramesError, Remedy, SizeError


class Reader:
    """Reads frames of one sequence; a movie stays open, so that the next frame needs no seek.

    Several threads may read at once; more than ``ahead`` gain nothing.
    """

    def __init__(self, sequence: Sequence) -> None:
        self._sequence = sequence
        self._format: Format | None = None
        self._movie = Movie(Path(sequence.path)) if sequence.is_movie else None
        self._lock = Lock()

    @property
    def ahead(self) -> int:
        """The number of useful threads: a movie is decoded in order, by one."""
        return 1 if self._movie else 4

    def read(self, number: int, layers: bool = False) -> Frame:
        """Return one frame, with its other channels if asked.

        Raises MissingFramesError, BrokenFileError, or SizeError or LayerError when the size or the
        layer is not that of the frames before.
        """
        file = self._sequence.file(number)
        if number not in self._sequence.frames or not file.is_file():
            raise MissingFramesError(f"{self._sequence.path}: frame {number} is missing")
        layer = self._sequence.layer
        frame = self._decoded(number) or read_picture(file, number, layers, layer)
        height, width = frame.rgb.shape[:2]
        self._format = self._format or Format(width, height, frame.layer)
        _check_same(file, Format(width, height, frame.layer), self._format)
        identity = f"{file.name} {file.stat().st_size} {layer}".rstrip()
        return replace(frame, name=str(file), identity=identity)

    def _decoded(self, number: int) -> Frame | None:
        """Return the frame of a movie, None of anything else."""
        if not self._movie:
            return None
        with self._lock:
            return self._movie.read(number)

    def close(self) -> None:
        """Close the movie, if it is one."""
        if self._movie:
            self._movie.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(sequence: Sequence, number: int, layers: bool = False) -> Frame:
    """Return one frame; for many frames of a movie a `Reader` is quicker. Errors as there."""
    with Reader(sequence) as reader:
        return reader.read(number, layers)


def check_readable(sequence: Sequence) -> None:
    """Raise BrokenFileError or LayerError unless the first frame is, by its header, a picture."""
    if not sequence.is_movie:
        format_of(sequence.file(sequence.frames[0]), sequence.layer)


def layer_read(sequence: Sequence) -> tuple[str, Remedy | None]:
    """Return in a sentence which layer of the first frame is read, and the remedy for another.

    The sentence is empty for plain R G B. Errors as in `check_readable`.
    """
    if sequence.is_movie:
        return "", None
    file = sequence.file(sequence.frames[0])
    with opened(file, sequence.layer) as (picture, layer):
        plain = layer.is_plain and not layer.others
        if plain or picture.format_name() != "openexr":
            return "", None
    note = f"{file.name}: the picture is {layer.names[0]}"
    if not layer.others:
        return note, None
    return f"{note}, not {layer.others}", Remedy("another_layer")


def pixel_aspect(sequence: Sequence) -> float:
    """Return the width of the pixels over their height, by the first frame's header."""
    if sequence.is_movie:
        return float(read(sequence, sequence.frames[0]).header.get("pixelAspectRatio", 1.0))
    with opened(sequence.file(sequence.frames[0]), sequence.layer) as (picture, _):
        return float(picture.spec().get_float_attribute("PixelAspectRatio", 1.0))


def same_size(sequence: Sequence) -> tuple[int, int]:
    """Return the width and height of all frames, from their headers alone.

    Raises SizeError or LayerError naming the first frame that differs.
    """
    if sequence.is_movie:
        height, width = read(sequence, sequence.frames[0]).rgb.shape[:2]
        return width, height
    first, *rest = map(sequence.file, sequence.frames)
    expected = format_of(first, sequence.layer)
    for file in rest:
        _check_same(file, format_of(file, sequence.layer), expected)
    return expected[:2]


def _check_same(file: Path, found: Format, expected: Format) -> None:
    if found[:2] != expected[:2]:
        raise SizeError(
            "{}: is {}x{}, the frames before are {}x{}".format(file, *found[:2], *expected[:2])
        )
    if found.layer != expected.layer:
        layers = (one.layer or "R G B" for one in (found, expected))
        raise LayerError(
            "{}: its picture is {}, that of the frames before {}".format(file, *layers)
        )
