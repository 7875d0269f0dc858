"""SMPTE time code (ST 12-1), counted from a movie's first frame."""

import re
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import OpenEXR

_MOST = 60  # frames a second that EXR's two digits, in pairs, can number
_WORDS = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)([:;.,])(\d\d+)")


def time_code(start: str, fps: Fraction, after: int) -> "OpenEXR.TimeCode | None":
    """Return the `OpenEXR.TimeCode` of a frame so many frames after ``start`` (01:00:00:00).

    A ``;`` before the frame means drop frame. Above 30 frames a second two frames share a number,
    and the second has the field flag. None when ``start`` is no time code.
    """
    import OpenEXR

    words, nominal = _WORDS.fullmatch(start), round(fps)
    if not words or not 0 < nominal <= _MOST:
        return None
    drops = nominal // 15 if words[4] != ":" and nominal % 30 == 0 else 0
    *time, frame = map(int, words.group(1, 2, 3, 5))
    hours, minutes, seconds, frame = _counted([*time, frame], nominal, drops, after)
    paired = nominal > 30
    flags = [bool(drops), False, paired and frame % 2 == 1, False, False, False]
    try:
        number = frame // 2 if paired else frame
        return OpenEXR.TimeCode(hours, minutes, seconds, number, *flags, *[0] * 8)
    except RuntimeError:
        return None


def _counted(time: list[int], nominal: int, drops: int, after: int) -> tuple[int, int, int, int]:
    """Return hours, minutes, seconds and frame ``after`` frames.

    The first ``drops`` numbers of every minute but each tenth are left out.
    """
    hours, minutes, seconds, frame = time
    minutes += 60 * hours
    count = (60 * minutes + seconds) * nominal + frame - drops * (minutes - minutes // 10) + after
    minute = 60 * nominal - drops
    tens, rest = divmod(count, 10 * minute + drops)
    count += drops * (9 * tens + max(0, (rest - drops) // minute))
    seconds, frame = divmod(count, nominal)
    return seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frame
