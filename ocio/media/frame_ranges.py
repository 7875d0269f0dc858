"""Frame ranges as people write them: 1001-1096x2,1100."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fileseq.frameset import FrameSet

MOST = 1_000_000
"""Frames that a range may have: eleven hours and a half of film."""

# What fileseq would take, and nobody means: fractions, two numbers with a blank between, padding.
_PLAIN = re.compile(r"\s*-?[0-9]{1,10}\s*(-\s*-?[0-9]{1,10}\s*(x\s*[0-9]{1,10}\s*)?)?")
_SHORT = 80  # letters of a range that a sentence has room for


def numbers(text: str) -> tuple[int, ...]:
    """Return the frames of a range, ascending; raises ValueError saying what is wrong.

    >>> numbers("1010, 1001-1005x2")
    (1001, 1003, 1005, 1010)
    """
    parts = [_part(text, part) for part in text.split(",")]
    count = sum(map(len, parts))
    if count > MOST:
        raise ValueError(f"{text!r} is not a frame range: of {count} frames, where {MOST} may be")
    return tuple(sorted({int(frame) for part in parts for frame in part}))


def _part(text: str, part: str) -> "FrameSet":
    from fileseq.exceptions import FileSeqException, MaxSizeException
    from fileseq.frameset import FrameSet

    try:
        if _PLAIN.fullmatch(part):
            return FrameSet(part)
    except (FileSeqException, MaxSizeException):
        pass  # a step of 0, or more frames than any shot has
    raise ValueError(f"{text!r} is not a frame range like 1001-1096x2 or 1001,1005")


def named_range(frames: Iterable[int]) -> str:
    """Return frames as a range.

    >>> named_range([1001, 1002, 1003, 1007])
    '1001-1003,1007'
    """
    from fileseq.frameset import FrameSet

    return str(FrameSet.framesToFrameRange(frames))


def abbreviated(frames: Sequence[int]) -> str:
    """Return ascending frames in words that fit into a sentence, however many there are.

    >>> abbreviated([1001, 1002, 1003, 1007])
    '1001-1003,1007'
    """
    if len(frames) <= MOST and len(words := named_range(frames)) <= _SHORT:
        return words
    return f"{len(frames)} frames from {frames[0]} to {frames[-1]}"
