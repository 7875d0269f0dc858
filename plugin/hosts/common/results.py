"""What is on disk of a node: the frames of its result, and of the plate they were made of.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where a name has the frame number: ####, @@@@, %04d or $F4; the last one counts.
_PLACE = re.compile(r"#+|@+|%0?([0-9]{0,2})d|\$F([0-9]{0,2})")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
# A part of a range; blanks may be anywhere but within a number.
_PART = re.compile(r"\s*(-?[0-9]{1,10})\s*(?:-\s*(-?[0-9]{1,10})\s*(?:x\s*([0-9]{1,10})\s*)?)?")
_LONGEST = 1_000_000  # frames of a range
_MAGIC = b"\x76\x2f\x31\x01"
_USUAL, _MOST = 1 << 16, 1 << 26  # bytes of a header: most have fewer; with a manifest of mattes


@dataclass(frozen=True)
class Pattern:
    r"""The files of a sequence, with forward slashes: ``before``, frame in ``digits``, ``after``.

    A movie, or a still, has no digits: it is the file of every frame.

    >>> Pattern.of("C:\\shots\\sh 010\\plate.%04d.exr").hashes
    'C:/shots/sh 010/plate.####.exr'
    """

    before: str
    digits: int
    after: str

    @classmethod
    def of(cls, path: str) -> Pattern:
        """Return the pattern in ``path``; raises ValueError when it has no place for the number."""
        forward = slashed(path)
        found = list(_PLACE.finditer(forward, forward.rfind("/") + 1))
        if not found:
            raise ValueError(f"{path}: has no place for the frame number, such as ####")
        place = found[-1]
        digits = int(place[1] or place[2] or 1) if place[0][0] in "%$" else len(place[0])
        return cls(forward[: place.start()], digits, forward[place.end() :])

    @property
    def hashes(self) -> str:
        """As Lifemask writes it: ``name.####.exr``."""
        return f"{self.before}{'#' * self.digits}{self.after}"

    def file(self, frame: int) -> str:
        """Return the file of a frame; a minus sign takes no digit's place."""
        number = f"{frame:0{self.digits + (frame < 0)}d}" if self.digits else ""
        return f"{self.before}{number}{self.after}"

    def frames(self) -> list[int]:
        """Return the frames that are on disk, ascending."""
        start = self.before.rpartition("/")[2]
        number = rf"-?(?:\d{{{self.digits}}}|[1-9]\d{{{self.digits},}})"
        name = re.compile(f"{re.escape(start)}({number}){re.escape(self.after)}")
        folder = Path(self.before + "_").parent
        found = (
            name.fullmatch(file.name) for file in (folder.iterdir() if folder.is_dir() else ())
        )
        return sorted(int(match[1]) for match in found if match)


def pattern(path: str) -> Pattern:
    """Return the pattern in ``path``, or the file itself when it is a movie or a still."""
    try:
        return Pattern.of(path)
    except ValueError:
        return Pattern(slashed(path), 0, "")


def is_absolute(path: str) -> bool:
    """Return whether a path, of this system or of Windows, needs no folder before it."""
    return path.startswith("/") or bool(_WINDOWS.match(path))


def slashed(path: str) -> str:
    r"""Return a path with forward slashes, if it is one of Windows.

    >>> slashed("\\\\server\\share\\é.exr"), slashed("/odd\\name.exr")
    ('//server/share/é.exr', '/odd\\name.exr')
    """
    return path.replace("\\", "/") if os.name == "nt" or _WINDOWS.match(path) else path


def ranges(frames: Iterable[int]) -> str:
    """Return frames as people write them.

    >>> ranges([1001, 1002, 1003, 1007])
    '1001-1003,1007'
    """
    runs = groupby(enumerate(sorted(set(frames))), lambda pair: pair[1] - pair[0])
    spans = [[frame for _, frame in run] for _, run in runs]
    return ",".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else f"{s[0]}" for s in spans)


def numbers(text: str) -> list[int]:
    """Return the frames of a range such as ``1001-1096x2,1100``; raises ValueError.

    >>> numbers("1001-1005x2,1010")
    [1001, 1003, 1005, 1010]
    """
    parts = [_part(part) for part in text.split(",")] if text.strip() else []
    count = sum(map(len, parts))
    if count > _LONGEST:
        raise ValueError(
            f"{text!r} is not a frame range: of {count} frames, where {_LONGEST} may be"
        )
    return sorted({frame for part in parts for frame in part})


def _part(text: str) -> range:
    found = _PART.fullmatch(text)
    if not found or int(found[3] or 1) == 0:
        raise ValueError(f"{text!r} is not a frame range such as 1001-1096x2")
    first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
    way = 1 if first <= last else -1
    return range(first, last + way, way * step)


@dataclass(frozen=True)
class Frames:
    """The frames that were asked for, by what is there of them.

    ``made`` can be shown; ``missing`` are not there, ``broken`` no EXR files, those of
    ``other_size`` do not fit the plate, and those of ``other_plate`` were made of a plate frame
    that was another one, or has been rendered anew since.
    """

    made: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    other_size: tuple[int, ...] = ()
    other_plate: tuple[int, ...] = ()

    @property
    def on_disk(self) -> tuple[int, ...]:
        """The frames that have a file, ascending."""
        return tuple(sorted(self.made + self.broken + self.other_size + self.other_plate))

    @property
    def sentence(self) -> str:
        """What is wrong, in words; empty when nothing is."""
        said = (
            (self.missing, "not made yet"),
            (self.broken, "not whole EXR files"),
            (self.other_size, "of another size than the plate"),
            (self.other_plate, "made of another plate"),
        )
        return "; ".join(f"{ranges(frames)} {words}" for frames, words in said if frames)


def checked(result: Pattern, plate: Pattern, frames: Iterable[int], layer: str = "") -> Frames:
    """Return what is there of the ``frames`` of a result, compared with a ``layer`` of a plate."""
    found: dict[str, list[int]] = {}
    for frame in frames:
        found.setdefault(_state(result.file(frame), plate.file(frame), layer), []).append(frame)
    return Frames(**{state: tuple(sorted(those)) for state, those in found.items()})


def _state(result: str, plate: str, layer: str) -> str:
    try:
        seen = header(result)
    except FileNotFoundError:
        return "missing"
    except (ValueError, OSError):
        return "broken"
    try:
        mark = f"{Path(plate).name} {Path(plate).stat().st_size} {layer}".rstrip()
        size = _size(plate)
    except OSError:
        return "other_plate"
    if size and _size_of(seen) != size:
        return "other_size"
    return "made" if seen.get("lifemask/plate") == mark else "other_plate"


def _size(plate: str) -> tuple[int, int] | None:
    """Width and height of an EXR plate; None for other files, whose headers are not read."""
    try:
        return _size_of(header(plate))
    except ValueError:
        return None


def _size_of(seen: dict[str, Any]) -> tuple[int, int]:
    left, top, right, bottom = seen.get("displayWindow", (0, 0, -1, -1))
    return right - left + 1, bottom - top + 1


def header(path: str) -> dict[str, Any]:
    """Return our texts and all windows (x0, y0, x1, y1) of an EXR's header.

    Raises ValueError, OSError.
    """
    stat = Path(path).stat()
    return _header(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _header(path: str, changed: int, size: int) -> dict[str, Any]:
    """Read the header, again only when the file has changed."""
    with Path(path).open("rb") as file:
        data = file.read(_USUAL)
        if data[:4] != _MAGIC:
            raise ValueError(f"{path}: not an EXR file")
        found = _attributes(data)
        while found is None and len(data) < _MOST and (more := file.read(len(data))):
            data += more
            found = _attributes(data)
    if found is None:
        raise ValueError(f"{path}: not a whole EXR header")
    return found


def _attributes(data: bytes) -> dict[str, Any] | None:
    """Our texts and all windows of the header that ``data`` begins with; None when it is cut."""
    found: dict[str, Any] = {}
    at = 8
    try:
        while data[at]:
            name, kind, length, at = _attribute(data, at)
            value = data[at : at + length]
            if kind == "string" and name.startswith("lifemask/"):
                found[name] = value.decode(errors="replace")
            elif kind == "box2i":
                found[name] = struct.unpack("<4i", value)
            at += length
    except (IndexError, struct.error, ValueError):
        return None
    return found


def _attribute(data: bytes, at: int) -> tuple[str, str, int, int]:
    """Name, kind and length of the attribute ``at``, and where its value begins."""
    name_end = data.index(b"\0", at)
    kind_end = data.index(b"\0", name_end + 1)
    (length,) = struct.unpack_from("<i", data, kind_end + 1)
    if length < 0:
        raise ValueError("negative length")
    name, kind = data[at:name_end].decode(), data[name_end + 1 : kind_end].decode()
    return name, kind, length, kind_end + 5
