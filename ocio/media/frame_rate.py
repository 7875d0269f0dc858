"""The frame rate of a movie, measured from the times of its frames."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from lifemask.ocio.media.container import HALF, index_of, opened, stamp, stated_count
from lifemask.ocio.media.metadata import exact_rate

_TICKS = 2  # of a stream's time base: how far rounding may move a frame
_OFF = 0.25  # of a frame: tolerance of an even rate


@dataclass(frozen=True)
class Rate:
    """``fps`` frames a second; where the time between frames ``varies``, that is their mean."""

    fps: Fraction
    varies: bool = False


def rate_of(path: Path) -> Rate | None:
    """Return a movie's rate, None when it has none; raises BrokenFileError."""
    return _rate(path, *stamp(path))


@lru_cache(maxsize=16)
def _rate(path: Path, _changed: int, _size: int) -> Rate | None:
    with opened(path) as (_, stream):
        base = stream.time_base or Fraction(1)
        named = exact_rate(float(stream.average_rate or stream.guessed_rate or 0))
        listed = sorted(entry.timestamp for entry in stream.index_entries)
        # Those of a file's index are when frames are decoded: just as even, and at hand.
        times = listed if stated_count(stream) == len(listed) > 1 else []
    if not times or _uneven(times):
        index = index_of(path)
        times = list(index.times) or (listed if len(listed) == index.count else [])
    steps = len(times) - 1
    if steps < 1 or times[-1] == times[0]:
        return Rate(named) if named else None
    mean = steps / (base * (times[-1] - times[0]))
    if steps > 1 and _uneven(times):
        return Rate(exact_rate(float(mean)) or mean, varies=True)
    if named and abs(steps * named / mean - steps) <= max(HALF, _TICKS * base * named):
        return Rate(named)
    # What a header names may be a guess, or that of fields.
    return Rate(exact_rate(float(mean)) or mean)


def _uneven(times: list[int]) -> bool:
    """Whether the frames' times differ from an even rate from the first to the last."""
    steps, lasts = len(times) - 1, times[-1] - times[0]
    most = max(_TICKS * steps, _OFF * lasts)
    beats = enumerate(times)
    return any(abs((time - times[0]) * steps - place * lasts) > most for place, time in beats)
