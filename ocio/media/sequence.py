"""Find footage by name: image sequences, stills and movies."""

import re
from collections import defaultdict
from collections.abc import Sequence as Ordered
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from glob import glob
from itertools import pairwise
from math import gcd
from os import scandir
from pathlib import Path
from stat import S_ISREG
from sys import getfilesystemencoding
from typing import TYPE_CHECKING

from lifemask.ocio.media.frame_ranges import MOST, abbreviated, numbers
from lifemask.ocio.media_errors import BrokenFileError, LayerError, MissingFramesError

if TYPE_CHECKING:
    from lifemask.ocio.media.frame_rate import Rate

MOVIES = frozenset(
    {".mov", ".qt", ".mp4", ".m4v", ".3gp", ".mkv", ".webm", ".mxf", ".avi", ".wmv"}
    | {".ts", ".m2t", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob"}
)

# Where a pattern has the frame number (####, @@@@, %04d, $F4, or the last *), and a file name.
_PLACE = re.compile(r"#+|@+|%0?(?P<d>[0-9]{0,2})d|\$F(?P<f>[0-9]{0,2})")
_DOTTED = re.compile(r"(.*\.)(-?[0-9]+)(\.[^./]+)", re.DOTALL)
_LAST = 2**31 - 1  # hosts count frames in 32 bits
_FEW = 4  # names that a sentence has room for
Numbers = Ordered[int]  # of frames, ascending; of a movie, a range


@dataclass(frozen=True)
class Sequence:
    """The ``frames`` of an image sequence, a still or a movie.

    ``path`` has one ``#`` for each digit of a padded frame number (``name.####.exr``); for a still
    or a movie it is the file. Stills and movies count from 1. ``layer`` names the picture's layer
    in an EXR, where its name does not show that.
    """

    path: str
    frames: tuple[int, ...]
    layer: str = ""

    def __post_init__(self) -> None:
        """Refuse a layer for a movie, which has none."""
        if self.layer and self.is_movie:
            raise LayerError(f"{self.path}: a movie has no layers, so none that is {self.layer!r}")

    @classmethod
    def find(cls, path: str | Path, frames: str = "", layer: str = "") -> "Sequence":
        """Return the footage at ``path``: all of it, or the range ``frames`` (1001-1096x2).

        ``path`` is a pattern (``####``, ``%04d``, ``@``, ``$F4``, or ``*``), one file of a sequence
        (``name.1001.exr``), a still, or a movie. Raises BrokenFileError when there is no such
        footage or it is ambiguous, MissingFramesError when frames are missing.
        """
        found = _footage(path)
        if len(found) > 1:
            few, more = list(found)[:_FEW], len(found) - _FEW
            names = ", ".join(few) + (f" and {more} more" if more > 0 else "")
            raise BrokenFileError(f"{path}: means several sequences; name one of {names}")
        name, existing = next(iter(found.items()))
        return cls(name, _chosen(name, existing, frames), layer)

    @classmethod
    def find_all(cls, path: str | Path) -> "list[Sequence]":
        """Return each sequence, still and movie that ``path`` matches; errors as in `find`.

        Files whose numbers skip more than half of the frames, or are too large for frames, are
        stills: photographs named by time, or by a camera.
        """
        takes = [take for found in _footage(path).items() for take in _takes(*found)]
        # A single photograph by name means only that one.
        return [take for take in takes if take.path == str(path)] or takes

    @classmethod
    def find_made(cls, path: str | Path) -> "list[Sequence]":
        """Return what `find_all` does, with the existing frames only: none is missing."""
        return [cls(name, tuple(existing)) for name, existing in _footage(path).items()]

    @property
    def is_movie(self) -> bool:
        """Whether all frames are in one movie file."""
        return _is_movie(self.path)

    @cached_property
    def rate(self) -> "Rate | None":
        """The frame rate of a movie; None if it has none, and for pictures."""
        from lifemask.ocio.media.frame_rate import rate_of

        return rate_of(Path(self.path)) if self.is_movie else None

    @property
    def fps(self) -> Fraction | None:
        """The `rate`, or its mean where it varies."""
        return self.rate.fps if self.rate else None

    @property
    def stream_note(self) -> str:
        """A sentence that names which of several video streams is read; empty for only one."""
        from lifemask.ocio.media.container import stream_note

        return stream_note(Path(self.path)) if self.is_movie else ""

    def file(self, frame: int) -> Path:
        """Return the file that holds this frame."""
        padding = list(re.finditer(r"#+", Path(self.path).name))
        if not padding or Path(self.path).is_file():
            return Path(self.path)
        name, (start, end) = Path(self.path).name, padding[-1].span()

        def named(width: int) -> Path:
            number = str(frame).zfill(width)
            return Path(self.path).with_name(name[:start] + number + name[end:])

        # A minus sign counts as a digit in C's names, and not in others.
        beside = named(end - start + (frame < 0))
        return beside if frame < 0 and beside.exists() else named(end - start)


def _footage(path: str | Path) -> dict[str, Numbers]:
    """Return the frame numbers of all that ``path`` matches, by path; errors as in `find`."""
    if Path(path).is_dir():
        raise BrokenFileError(f"{path}: is a folder; name its frames, as in name.####.exr")
    existing = _on_disk(str(path))
    for name in (str(path), *existing):
        check_utf8(name)
    if not existing:
        _check_listed(Path(path).parent)
        raise BrokenFileError(f"{path}: there is no such file or sequence")
    return dict(sorted(existing.items()))


def check_utf8(name: str) -> None:
    """Raise BrokenFileError unless ``name`` is UTF-8, as the image libraries need."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        why = "its name is not UTF-8; rename it"
        if getfilesystemencoding() != "utf-8":
            why = "the locale is not UTF-8, as names have to be; set PYTHONUTF8=1"
        raise BrokenFileError(f"{name!a}: {why}") from error


def _is_movie(path: str) -> bool:
    return Path(path).suffix.lower() in MOVIES


def _on_disk(path: str) -> dict[str, Numbers]:
    """Return the existing frame numbers, by the path of their sequence."""
    if Path(path).is_file():
        dotted = None if _is_movie(path) else _DOTTED.fullmatch(path)
        if not dotted or int(dotted[2]) > _LAST:
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
    numbered = re.compile(f"({_regex(before)})(-?[0-9]+)({_regex(after)})")
    return _grouped(_glob(path), [numbered, _DOTTED])


def _grouped(files: list[str], patterns: list[re.Pattern[str]]) -> dict[str, Numbers]:
    """Group files whose names differ only in a number; others stay alone."""
    alone: dict[str, Numbers] = {}
    numbered = defaultdict(list)
    for file in files:
        match = next(filter(None, (pattern.fullmatch(file) for pattern in patterns)), None)
        if match and not _is_movie(file):
            numbered[match[1], match[3]].append(match[2])
        else:
            alone[file] = _frames_in(file)
    return alone | {
        before + "#" * width + after: sorted({*map(int, found)})
        for (before, after), those in numbered.items()
        for width, found in _padded(those).items()
    }


def _padded(those: list[str]) -> dict[int, list[str]]:
    """Group numbers of equal padding, by their least number of digits."""
    widths = {len(number) for number in those if number.startswith("0")}
    alike = defaultdict(list)
    for number in those:
        # A minus sign counts as a digit, or not; a long number needs no padding.
        fits = {len(number), len(number) - number.startswith("-")} & widths
        if number.lstrip("-")[0] != "0":
            fits |= {width for width in widths if width < len(number)}
        alike[max(fits, default=0)].append(number)
    return {width or min(map(len, found)): found for width, found in alike.items()}


def _frames_in(file: str) -> Numbers:
    from lifemask.ocio.media.movie import length

    return range(1, length(Path(file)) + 1 if _is_movie(file) else 2)


def _number(place: re.Match[str]) -> str:
    """Return the regular expression for frame numbers with a pattern's padding."""
    digits = int(place["d"] or place["f"] or 1) if place[0][0] in "%$" else len(place[0])
    if digits < 2:
        return "-?[0-9]+"
    return rf"-?(?:[0-9]{{{digits}}}|[1-9][0-9]{{{digits},}})|-[0-9]{{{digits - 1}}}"


def _regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _glob(pattern: str) -> list[str]:
    files = glob(pattern.replace("[", "[[]"))  # noqa: PTH207
    return sorted(file for file in files if _may_be_footage(file))


def _may_be_footage(file: str) -> bool:
    """Whether it is a file: reading a pipe would block. A broken link is a missing frame."""
    try:
        return S_ISREG(Path(file).stat().st_mode)
    except OSError:
        return True


def _check_listed(folder: Path) -> None:
    """Raise OSError when nothing is found because ``folder`` is unreadable."""
    with suppress(FileNotFoundError, NotADirectoryError), scandir(folder):
        pass


def _takes(path: str, existing: Numbers) -> "list[Sequence]":
    """Return footage as one sequence, or as stills if its numbers look like photographs'."""
    if len(existing) < 2 or not (_far_apart(existing) or _too_large(existing)):
        return [Sequence(path, _chosen(path, existing, ""))]
    numbered = Sequence(path, tuple(existing))
    return [Sequence(str(numbered.file(number)), (1,)) for number in existing]


def _far_apart(existing: Numbers) -> bool:
    """Whether more than half of the frames are missing: times of day, numbers of a camera."""
    # Two numbers alone do not make a step.
    step = _step(existing) if len(existing) > 2 else 1
    return (existing[-1] - existing[0]) // step >= 2 * len(existing)


def _too_large(existing: Numbers) -> bool:
    return max(abs(existing[0]), abs(existing[-1])) > _LAST


def _chosen(path: str, existing: Numbers, frames: str) -> tuple[int, ...]:
    """Return the frames of the range, or all; raises MissingFramesError for missing ones."""
    try:
        wanted = numbers(frames) if frames else _without_holes(existing)
    except ValueError as error:
        raise MissingFramesError(f"{path}: {error}; it has {abbreviated(existing)}") from error
    missing = sorted({*wanted}.difference(existing))
    if missing:
        raise MissingFramesError(
            f"{path}: misses frames {abbreviated(missing)}; it has {abbreviated(existing)}"
        )
    return tuple(wanted)


def _without_holes(existing: Numbers) -> Numbers:
    """Return the frames from first to last; raises ValueError when most of them are missing."""
    step = _step(existing)
    count = (existing[-1] - existing[0]) // step + 1
    if count > len(existing) + MOST:
        raise ValueError(f"misses {count - len(existing)} of {count} frames")
    if _too_large(existing):
        raise ValueError(f"has numbers that are too large for frames, above {_LAST}")
    return range(existing[0], existing[-1] + 1, step)


def _step(existing: Numbers) -> int:
    return gcd(*(after - before for before, after in pairwise(existing))) or 1
