"""Movies through FFmpeg: read at full depth, written as previews."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.ocio.atomic import replacing
from lifemask.ocio.errors import BrokenFileError, SizeError
from lifemask.ocio.frame import Frame
from lifemask.ocio.yuv import as_rgb

if TYPE_CHECKING:
    import numpy as np
    from av import VideoFrame, VideoStream
    from av.container import InputContainer, OutputContainer
    from numpy.typing import NDArray

# Decoding on is quicker than searching for a key frame up to about this distance.
_NEAR = 48


def length(path: Path) -> int:
    """Return the number of frames; raises BrokenFileError when the file is no movie."""
    with _opened(path) as (_, stream):
        # A count that the file has no room for is not believed.
        if 0 < stream.frames <= path.stat().st_size:
            return int(stream.frames)
    return len(_times(path))


def rate(path: Path) -> Fraction:
    """Return the frames a second; raises BrokenFileError when the file does not know."""
    with _opened(path) as (_, stream):
        found = stream.average_rate or stream.guessed_rate
    if not found:
        raise BrokenFileError(f"{path}: does not say its frame rate")
    return Fraction(found)


def tags(path: Path) -> tuple[int, int]:
    """Return the primaries and the transfer function by their numbers in ITU-T H.273."""
    with _opened(path) as (_, stream):
        return int(stream.codec_context.color_primaries), int(stream.codec_context.color_trc)


class Movie:
    """An open movie, whose frames count from 1; frames in order need no search."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._container, self._stream = self._open.enter_context(_opened(path))
        self._pictures: Iterator[VideoFrame] = self._container.decode(self._stream)
        self._next = 1

    def read(self, number: int) -> Frame:
        """Return a frame; raises BrokenFileError when it cannot be decoded."""
        with _told(self._path):
            if not self._next <= number < self._next + _NEAR:
                self._seek(number)
            for picture in self._pictures:
                self._next += 1
                if self._next > number and not picture.is_corrupt:
                    return Frame(number, as_rgb(picture), header=self._header())
        raise BrokenFileError(f"{self._path}: frame {number} cannot be decoded")

    def close(self) -> None:
        """Close the file."""
        self._open.close()

    def _seek(self, number: int) -> None:
        """Go to the key frame before a frame."""
        times = _times(self._path)
        self._container.seek(times[min(number, len(times)) - 1], stream=self._stream)
        pictures = self._container.decode(self._stream)
        first = next(pictures, None)
        if first and first.pts is not None:
            self._pictures = chain([first], pictures)
            self._next = bisect_left(times, first.pts) + 1

    def _header(self) -> dict[str, Any]:
        found = self._stream.average_rate
        return {"framesPerSecond": Fraction(found)} if found else {}


def write_movie(
    path: Path, pictures: "Iterable[NDArray[np.floating[Any] | np.uint8]]", fps: Fraction | float
) -> None:
    """Write display pictures (H, W, 3), uint8 or 0..1, as H.264 in MP4, tagged BT.709: a preview.

    An odd last row or column is left out, since 4:2:0 has none. Raises SizeError when a picture is
    of another size than the first, WriteError when the disk is full; then nothing is left behind.
    """
    import av

    with (
        replacing(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options={"movflags": "faststart"}) as container,
    ):
        stream: VideoStream | None = None
        for picture in pictures:
            frame = _encodable(picture)
            if stream is None:
                stream = _stream(container, frame, fps)
            if (frame.width, frame.height) != (stream.width, stream.height):
                raise SizeError(f"{path}: its pictures differ in size")
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode())


def _stream(
    container: "OutputContainer", frame: "VideoFrame", fps: Fraction | float
) -> "VideoStream":
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    stream = container.add_stream("libx264", Fraction(fps).limit_denominator(1001))
    stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
    stream.options = {"crf": "16", "preset": "fast"}
    codec = stream.codec_context
    codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
    codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


def _encodable(picture: "NDArray[np.floating[Any] | np.uint8]") -> "VideoFrame":
    import av
    import numpy as np

    height, width = (size & ~1 for size in picture.shape[:2])
    levels = 1 if picture.dtype == np.uint8 else 255
    rgb = np.clip(picture[:height, :width] * levels + (levels > 1) * 0.5, 0, 255).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")


def _times(path: Path) -> list[int]:
    """Return when each frame is shown, in the stream's time base, without decoding."""
    with _opened(path) as (container, stream):
        packets = container.demux(stream)
        times = sorted(p.pts for p in packets if p.pts is not None and not p.is_discard)
    if not times:
        raise BrokenFileError(f"{path}: has no frames")
    return times


@contextmanager
def _opened(path: Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """Give a movie and its first video stream, and close the file."""
    import av

    with _told(path), av.open(str(path)) as container:
        if not container.streams.video:
            raise BrokenFileError(f"{path}: has no pictures")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield container, stream


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say FFmpeg's errors as ours."""
    from av.error import FFmpegError

    try:
        yield
    except (FFmpegError, ValueError) as error:
        raise BrokenFileError(f"{path}: not a whole movie ({error})") from error
