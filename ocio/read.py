"""Frames of any footage: sequences, stills and movies."""

from pathlib import Path
from threading import Lock
from typing import Self

from lifemask.ocio.errors import MissingFramesError, SizeError
from lifemask.ocio.frame import Frame
from lifemask.ocio.movie import Movie
from lifemask.ocio.named import named_space
from lifemask.ocio.picture import opened, read_picture, size
from lifemask.ocio.sequence import Sequence

__all__ = ["Frame", "Reader", "check_readable", "named_space", "read", "same_size"]


class Reader:
    """Reads frames of one sequence; a movie stays open, so that the next frame needs no search.

    It may be read from several threads at once, at most ``ahead`` of them with any gain.
    """

    def __init__(self, sequence: Sequence) -> None:
        self._sequence = sequence
        self._size: tuple[int, ...] = ()
        self._movie = Movie(Path(sequence.path)) if sequence.is_movie else None
        self._lock = Lock()

    @property
    def ahead(self) -> int:
        """How many threads may read: a movie is decoded in order, by one."""
        return 1 if self._movie else 4

    def read(self, number: int, layers: bool = False) -> Frame:
        """Return one frame, with its other channels if asked.

        Raises MissingFramesError, BrokenFileError, or SizeError when the size is not that of the
        frames before.
        """
        file = self._sequence.file(number)
        if number not in self._sequence.frames or not file.is_file():
            raise MissingFramesError(f"{self._sequence.path}: frame {number} is missing")
        frame = self._decoded(number) or read_picture(file, number, layers)
        height, width = frame.rgb.shape[:2]
        self._size = self._size or (width, height)
        if self._size != (width, height):
            raise SizeError(_differs(file, (width, height), self._size))
        return frame

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
    """Raise BrokenFileError unless the first frame is, by its header, a picture."""
    if not sequence.is_movie:
        size(sequence.file(sequence.frames[0]))


def pixel_aspect(sequence: Sequence) -> float:
    """Return how wide the pixels are for each that they are high, by the first frame's header."""
    if sequence.is_movie:
        return float(read(sequence, sequence.frames[0]).header.get("pixelAspectRatio", 1.0))
    with opened(sequence.file(sequence.frames[0])) as picture:
        return float(picture.spec().get_float_attribute("PixelAspectRatio", 1.0))


def same_size(sequence: Sequence) -> tuple[int, int]:
    """Return the width and height of all frames, from their headers alone.

    Raises SizeError naming the first frame that differs.
    """
    if sequence.is_movie:
        height, width = read(sequence, sequence.frames[0]).rgb.shape[:2]
        return width, height
    first, *rest = map(sequence.file, sequence.frames)
    expected = size(first)
    for file in rest:
        if size(file) != expected:
            raise SizeError(_differs(file, size(file), expected))
    return expected


def _differs(file: Path, found: tuple[int, ...], expected: tuple[int, ...]) -> str:
    return "{}: is {}x{}, the frames before are {}x{}".format(file, *found, *expected)
