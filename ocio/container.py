"""What a movie's container says of its frames, without decoding them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.ocio.errors import BrokenFileError

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Index:
    """How many frames there are, and when each is shown, in the stream's time base.

    ``times`` is empty when the container does not know each: its frames are counted only.
    """

    count: int
    times: tuple[int, ...] = ()

    def number(self, time: int | None) -> int | None:
        """Return which frame is shown at exactly this time, counted from 1."""
        from bisect import bisect_left

        place = bisect_left(self.times, time) if time is not None else len(self.times)
        return place + 1 if self.times[place : place + 1] == (time,) else None


def index_of(path: Path) -> Index:
    """Return a movie's index, kept until the file changes; raises BrokenFileError."""
    stat = path.stat()
    return _index(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _index(path: Path, _changed: int, _size: int) -> Index:
    with opened(path) as (container, stream):
        kind, codec, counted = container.format.name, stream.codec_context, said(stream)
        shown = [p.pts for p in container.demux(stream) if p.size and not p.is_discard]
        # AVI has one time a frame, in the order of decoding.
        ordered = kind != "avi" or not codec.has_b_frames
    if kind == "mpegts" and codec.name == "h264":
        # A camcorder's picture of two fields: the second has no time of its own.
        shown = [time for time in shown if time is not None]
    if not shown:
        raise BrokenFileError(f"{path}: has no frames")
    times = {time for time in shown if time is not None}
    if not ordered or len(times) < len(shown):
        return Index(len(shown))
    # A movie that was cut out of a longer one may begin with frames that need what is gone.
    first = None if counted == len(times) else _first_time(path)
    whole = sorted(time for time in times if first is None or time >= first)
    return Index(len(whole), tuple(whole))


def said(stream: "VideoStream") -> int:
    """Return the header's number of frames, 0 when it lasts longer or shorter than they do."""
    lasts = frames_in(stream.duration or 0, stream)
    return stream.frames if abs(lasts - stream.frames) <= HALF else 0


def frames_in(time: int, stream: "VideoStream") -> Fraction:
    """Return how many frames are shown in a time."""
    return time * (stream.time_base or Fraction()) * (stream.average_rate or Fraction())


def _first_time(path: Path) -> int | None:
    """Return when the first picture is shown that can be decoded."""
    from av.error import FFmpegError

    with opened(path) as (container, stream), suppress(FFmpegError):
        return next((picture.pts for picture in container.decode(stream)), None)
    return None


@contextmanager
def opened(path: Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """Give a movie and its first video stream, and close the file."""
    import av

    with told(path), av.open(str(path)) as container:
        if not container.streams.video:
            raise BrokenFileError(f"{path}: has no pictures")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield container, stream


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say FFmpeg's errors as ours."""
    from av.error import FFmpegError

    try:
        yield
    except (FFmpegError, ValueError) as error:
        raise BrokenFileError(f"{path}: not a whole movie ({error})") from error
