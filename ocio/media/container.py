"""The frames of a movie according to its container, without decoding them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.ocio.media.yuv import is_supported
from lifemask.ocio.media_errors import BrokenFileError

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Index:
    """The number of frames, and the time at which each is shown, in the stream's time base.

    ``times`` is empty when the container does not have them all.
    """

    count: int
    times: tuple[int, ...] = ()

    def number(self, time: int | None) -> int | None:
        """Return the number of the frame shown at exactly this time, counted from 1."""
        from bisect import bisect_left

        place = bisect_left(self.times, time) if time is not None else len(self.times)
        return place + 1 if self.times[place : place + 1] == (time,) else None


def index_of(path: Path) -> Index:
    """Return a movie's index, kept until the file changes; raises BrokenFileError."""
    return _index(path, *stamp(path))


def stamp(path: Path) -> tuple[int, int]:
    """Return a key that changes with a file: its time of change and its size."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=16)
def _index(path: Path, _changed: int, _size: int) -> Index:
    with opened(path) as (container, stream):
        kind, codec, counted = container.format.name, stream.codec_context, stated_count(stream)
        shown = [p.pts for p in container.demux(stream) if p.size and not p.is_discard]
        # AVI has one time for each frame, in decoding order.
        ordered = kind != "avi" or not codec.has_b_frames
    if kind == "mpegts" and codec.name == "h264":
        # A camcorder's picture of two fields: the second has no time of its own.
        shown = [time for time in shown if time is not None]
    if not shown:
        raise BrokenFileError(f"{path}: has no frames")
    times = {time for time in shown if time is not None}
    if not ordered or len(times) < len(shown):
        return Index(len(shown))
    # A movie cut from a longer one may begin with frames that depend on missing ones.
    first = None if counted == len(times) else _first_time(path)
    whole = sorted(time for time in times if first is None or time >= first)
    return Index(len(whole), tuple(whole))


def stated_count(stream: "VideoStream") -> int:
    """Return the header's number of frames; 0 when it does not fit the duration."""
    if stream.container.format.name == "avi" and len(stream.index_entries) != stream.frames:
        return 0  # frames that repeat the one before are counted, but not there
    lasts = frames_in(stream.duration or 0, stream)
    return stream.frames if abs(lasts - stream.frames) <= HALF else 0


def frames_in(time: int, stream: "VideoStream") -> Fraction:
    """Return the number of frames in a duration."""
    return time * (stream.time_base or Fraction()) * (stream.average_rate or Fraction())


def _first_time(path: Path) -> int | None:
    """Return the time of the first picture that can be decoded."""
    from av.error import FFmpegError

    with opened(path) as (container, stream), suppress(FFmpegError):
        return next((picture.pts for picture in container.decode(stream)), None)
    return None


@contextmanager
def opened(path: Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """Yield an open movie and its main video stream; close the file afterwards.

    Covers, thumbnails and streams of a single picture beside longer ones are ignored. Of the others
    it takes the container's default, then the largest, then the first. Raises BrokenFileError when
    there is none, or when it cannot be decoded.
    """
    import av

    with ffmpeg_errors(path), av.open(str(path)) as container:
        stream = container.streams.video[_chosen(path, container)[0]]
        check_pixels(path, stream.codec_context.pix_fmt)
        stream.thread_type = "AUTO"
        yield container, stream


def stream_note(path: Path) -> str:
    """Return a sentence that names which of several video streams is read; empty for only one."""
    import av

    with ffmpeg_errors(path), av.open(str(path)) as container:
        return _chosen(path, container)[1]


def _chosen(path: Path, container: "InputContainer") -> tuple[int, str]:
    """Return the main video stream, and the `stream_note`."""
    from av.stream import Disposition as Is

    streams, beside = container.streams.video, Is.attached_pic | Is.timed_thumbnails
    real = [stream for stream in streams if not stream.disposition & beside]
    if not real:
        raise BrokenFileError(f"{path}: has {'only a cover picture' if streams else 'no pictures'}")
    known = [stream for stream in real if stream.codec_context]
    if not known:
        raise BrokenFileError(f"{path}: its pictures are coded in a way that is not known")
    if len(known) == 1:
        return streams.index(known[0]), ""
    return _played(path, tuple(map(streams.index, known)), *stamp(path))


@lru_cache(maxsize=16)
def _played(path: Path, places: tuple[int, ...], _changed: int, _size: int) -> tuple[int, str]:
    """Choose among the video streams at several ``places``."""
    import av
    from av.stream import Disposition as Is

    def rank(place: int) -> tuple[bool, int]:
        stream = container.streams.video[place]
        return bool(stream.disposition & Is.default), stream.width * stream.height

    with av.open(str(path)) as container:
        moving = _moving(container, places) or places
        found = max(moving, key=rank)
        if len(moving) == 1:
            return found, ""
        sizes = [f"{s.width}x{s.height}" for s in map(container.streams.video.__getitem__, moving)]
    order = moving.index(found) + 1
    return found, f"has {len(moving)} video streams ({', '.join(sizes)}); number {order} is taken"


def _moving(container: "InputContainer", places: tuple[int, ...]) -> tuple[int, ...]:
    """Return the video streams with more than one picture."""
    streams = [container.streams.video[place] for place in places]
    counts = Counter[int]()
    for packet in container.demux(streams):
        counts[packet.stream.index] += bool(packet.size)
        if all(counts[stream.index] > 1 for stream in streams):
            break
    return tuple(place for place, s in zip(places, streams, strict=True) if counts[s.index] > 1)


def check_pixels(path: Path, kind: str | None) -> None:
    """Raise BrokenFileError when a pixel format, if it is known, is not supported."""
    if kind and not is_supported(kind):
        raise BrokenFileError(
            f"{path}: its pixel format {kind} is not read; RGB, grey and YCbCr of 8 to 16 bits are"
        )


@contextmanager
def ffmpeg_errors(path: Path) -> Iterator[None]:
    """Raise BrokenFileError in place of FFmpeg's errors."""
    from av.error import FFmpegError

    try:
        yield
    except (FFmpegError, ValueError) as error:
        raise BrokenFileError(f"{path}: not a whole movie ({error})") from error
