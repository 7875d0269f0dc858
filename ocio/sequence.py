"""Footage by name: image sequences, stills and movies."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from glob import glob
from itertools import pairwise
from pathlib import Path

from lifemask.ocio.errors import BrokenFileError, LayerError, MissingFramesError

MOVIES = frozenset(
    {".mov", ".qt", ".mp4", ".m4v", ".3gp", ".mkv", ".webm", ".mxf", ".avi", ".wmv"}
    | {".ts", ".m2t", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob"}
)

# Where a pattern has the frame number (####, @@@@, %04d, $F4, or the last *), and a file name.
_PLACE = re.compile(r"#+|@+|%0?(?P<d>\d*)d|\$F(?P<f>\d*)")
_DOTTED = re.compile(r"(.*\.)(-?\d+)(\.[^./]+)", re.DOTALL)


@dataclass(frozen=True)
class Sequence:
    """The ``frames`` of an image sequence, a still or a movie.

    ``path`` has one ``#`` for each digit that a frame number has at least (``name.####.exr``); that
    of a still or a movie is its file. Stills and movies count from 1. ``layer`` names the one of an
    EXR that is the picture, where its name does not tell.
    """

    path: str
    frames: tuple[int, ...]
    layer: str = ""

    def __post_init__(self) -> None:
        """Refuse a layer of a movie, which has none."""
        if self.layer and self.is_movie:
            raise LayerError(f"{self.path}: a movie has no layers, so none that is {self.layer!r}")

    @classmethod
    def find(cls, path: str | Path, frames: str = "", layer: str = "") -> "Sequence":
        """Return the footage that ``path`` means: all of it, or the range ``frames`` (1001-1096x2).

        ``path`` is a pattern (``####``, ``%04d``, ``@``, ``$F4``, or ``*``), one file of a sequence
        (``name.1001.exr``), a still, or a movie. Raises BrokenFileError when there is no such
        footage or when more than one is meant, MissingFramesError when frames are not there.
        """
        found = cls.find_all(path, frames)
        if len(found) > 1:
            names = ", ".join(sequence.path for sequence in found)
            raise BrokenFileError(f"{path}: means several sequences; name one of {names}")
        return replace(found[0], layer=layer)

    @classmethod
    def find_all(cls, path: str | Path, frames: str = "") -> "list[Sequence]":
        """Return each sequence, still and movie that ``path`` means; errors as in `find`."""
        if Path(path).is_dir():
            raise BrokenFileError(f"{path}: is a folder; name its frames, as in name.####.exr")
        there = _on_disk(str(path))
        for name in (str(path), *there):
            _check_name(name)
        if not there:
            raise BrokenFileError(f"{path}: there is no such file or sequence")
        return [cls(name, _chosen(name, there[name], frames)) for name in sorted(there)]

    @property
    def is_movie(self) -> bool:
        """Whether all frames are in one movie file."""
        return _is_movie(self.path)

    @cached_property
    def fps(self) -> Fraction | None:
        """Frames a second of a movie; None for pictures, whose headers may know it."""
        from lifemask.ocio.movie import rate

        return rate(Path(self.path)) if self.is_movie else None

    def file(self, frame: int) -> Path:
        """Return the file that holds this frame."""
        padding = list(re.finditer(r"#+", Path(self.path).name))
        if not padding or Path(self.path).is_file():
            return Path(self.path)
        name, (start, end) = Path(self.path).name, padding[-1].span()

        def named(width: int) -> Path:
            number = str(frame).zfill(width)
            return Path(self.path).with_name(name[:start] + number + name[end:])

        # A minus sign takes a digit's place in C's names, and in others none.
        beside = named(end - start + (frame < 0))
        return beside if frame < 0 and beside.exists() else named(end - start)


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise BrokenFileError(f"{name!a}: its name is not UTF-8; rename it") from error


def _is_movie(path: str) -> bool:
    return Path(path).suffix.lower() in MOVIES


def _on_disk(path: str) -> dict[str, list[int]]:
    """Return the frame numbers that are there, by the path of their sequence."""
    if Path(path).is_file():
        dotted = None if _is_movie(path) else _DOTTED.fullmatch(path)
        if not dotted:
            return {path: _frames_in(path)}
        path = dotted[1] + "#" * len(dotted[2]) + dotted[3]
    place = next(reversed(list(_PLACE.finditer(path, path.rfind("/") + 1))), None)
    if place:
        before, after = path[: place.start()], path[place.end() :]
        numbered = re.compile(f"({_regex(before)})({_number(place)})({_regex(after)})")
        files = [file for file in _glob(f"{before}*{after}") if numbered.fullmatch(file)]
        return _grouped(files, [numbered])
    before, star, after = path.rpartition("*")
    if not star:
        return {}
    numbered = re.compile(f"({_regex(before)})(-?\\d+)({_regex(after)})")
    return _grouped(_glob(path), [numbered, _DOTTED])


def _grouped(files: list[str], patterns: list[re.Pattern[str]]) -> dict[str, list[int]]:
    """Put files whose names differ only in a number together; the others stay alone."""
    alone = {}
    numbers = defaultdict(list)
    for file in files:
        match = next(filter(None, (pattern.fullmatch(file) for pattern in patterns)), None)
        if match and not _is_movie(file):
            numbers[match[1], match[3]].append(match[2])
        else:
            alone[file] = _frames_in(file)
    return alone | {
        before + "#" * min(map(len, found)) + after: sorted(map(int, found))
        for (before, after), found in numbers.items()
    }


def _frames_in(file: str) -> list[int]:
    from lifemask.ocio.movie import length

    return list(range(1, length(Path(file)) + 1)) if _is_movie(file) else [1]


def _number(place: re.Match[str]) -> str:
    """Return the expression for frame numbers with the padding that a pattern asks for."""
    digits = int(place["d"] or place["f"] or 1) if place[0][0] in "%$" else len(place[0])
    if digits < 2:
        return r"-?\d+"
    return rf"-?(?:\d{{{digits}}}|[1-9]\d{{{digits},}})|-\d{{{digits - 1}}}"


def _regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _glob(pattern: str) -> list[str]:
    files = glob(pattern.replace("[", "[[]"))  # noqa: PTH207
    # A link to nothing is a frame that is missing.
    return sorted(file for file in files if not Path(file).is_dir())


def named_range(frames: Iterable[int]) -> str:
    """Return frames as a range.

    >>> named_range([1001, 1002, 1003, 1007])
    '1001-1003,1007'
    """
    from fileseq.frameset import FrameSet

    return str(FrameSet.framesToFrameRange(frames))


def _chosen(path: str, there: list[int], frames: str) -> tuple[int, ...]:
    """Return the frames of the range, or all; raises MissingFramesError when there are holes."""
    from fileseq.exceptions import FileSeqException, MaxSizeException
    from fileseq.frameset import FrameSet

    try:
        wanted = tuple(map(int, FrameSet(frames))) if frames else _without_holes(there)
    except (FileSeqException, MaxSizeException):
        wanted = ()
    if not wanted:
        raise MissingFramesError(f"{path}: {frames!r} is not a frame range like 1001-1096x2")
    missing = sorted(set(wanted) - set(there))
    if missing:
        gone, have = map(named_range, (missing, there))
        raise MissingFramesError(f"{path}: misses frames {gone}; it has {have}")
    return wanted


def _without_holes(there: list[int]) -> tuple[int, ...]:
    """Return the frames from first to last, in the smallest step that occurs."""
    step = min((b - a for a, b in pairwise(there) if b > a), default=1)
    return tuple(range(there[0], there[-1] + 1, step))
