"""Movies read through FFmpeg, at full depth."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.ocio.media.container import (
    HALF,
    Index,
    check_pixels,
    ffmpeg_errors,
    frames_in,
    index_of,
    opened,
    stated_count,
)
from lifemask.ocio.media.frame import Frame
from lifemask.ocio.media.frame_rate import rate_of
from lifemask.ocio.media.orientation import Orientation, orientation_of
from lifemask.ocio.media.timecode import time_code
from lifemask.ocio.media.yuv import alpha_of, as_rgb
from lifemask.ocio.media_errors import BrokenFileError

if TYPE_CHECKING:
    from av import VideoFrame

# Up to about this distance, decoding on is quicker than seeking to a key frame.
_NEAR = 48


def length(path: Path) -> int:
    """Return the number of frames; raises BrokenFileError when the file is not a movie."""
    with opened(path) as (_, stream):
        counted = stated_count(stream)
    # A count that the file has no room for is not believed.
    return counted if 0 < counted <= path.stat().st_size else index_of(path).count


def tags(path: Path) -> tuple[int, int]:
    """Return the primaries and the transfer function by their numbers in ITU-T H.273."""
    with opened(path) as (_, stream):
        return int(stream.codec_context.color_primaries), int(stream.codec_context.color_trc)


class Movie:
    """An open movie, whose frames count from 1; reading in order needs no seek."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._zero: int | None = None
        self._corrupt = False
        self._start()

    def read(self, number: int) -> Frame:
        """Return a frame; raises BrokenFileError when it cannot be decoded."""
        with ffmpeg_errors(self._path):
            near = self._next <= number < self._next + _NEAR
            picture = self._decode_to(number) if near else None
            if picture is None:
                self._seek(number)
                picture = self._decode_to(number)
            if picture is not None:
                return self._frame(number, picture)
        raise BrokenFileError(f"{self._path}: frame {number} cannot be decoded")

    def close(self) -> None:
        """Close the file."""
        self._open.close()

    def _frame(self, number: int, picture: "VideoFrame") -> Frame:
        check_pixels(self._path, picture.format.name)
        orientation, alpha = orientation_of(picture), alpha_of(picture)
        return Frame(
            number,
            orientation.upright(as_rgb(picture)),
            None if alpha is None else orientation.upright(alpha),
            header=self._header(number, orientation),
        )

    def _decode_to(self, number: int) -> "VideoFrame | None":
        """Decode on to a frame; None when it, or a frame that it depends on, is damaged."""
        from av.error import FFmpegError

        with suppress(FFmpegError):
            for picture in self._pictures:
                place = self._number(picture)
                self._next = place + 1
                # What follows a damaged picture is built on it, up to the next key frame.
                self._corrupt = picture.is_corrupt or (self._corrupt and not picture.key_frame)
                if place >= number:
                    return picture if place == number and not self._corrupt else None
        return None

    def _number(self, picture: "VideoFrame") -> int:
        """Return the frame's number: the next one, unless its time shows that some are missing."""
        if picture.pts is None:
            return self._next
        if self._zero is None:
            self._zero = self._first(picture.pts)
        passed = frames_in(picture.pts - self._zero, self._stream)
        if abs(passed - (self._next - 1)) < HALF:
            return self._next
        return index_of(self._path).number(picture.pts) or self._next

    def _first(self, time: int) -> int:
        """Return the time of the first frame, which need not be the first picture's."""
        start = self._stream.start_time
        if start is None or abs(frames_in(time - start, self._stream)) < HALF:
            return time
        times = index_of(self._path).times
        return times[0] if times else time

    def _start(self) -> None:
        """Go to the first frame."""
        self._open.close()
        self._container, self._stream = self._open.enter_context(opened(self._path))
        self._pictures: Iterator[VideoFrame] = self._container.decode(self._stream)
        self._next, self._zero, self._corrupt = 1, None, False

    def _seek(self, number: int) -> None:
        """Seek to a key frame from which the frame can be decoded, in the end to the start."""
        index = index_of(self._path)
        last, back = min(number, len(index.times)), 0
        while last - back > 1:
            if self._seek_key_frame(index, last - back, number):
                return
            back = 2 * back + 8
        self._start()

    def _seek_key_frame(self, index: Index, at: int, number: int) -> bool:
        """Seek to a frame; False when no whole key frame is decoded up to ``number``.

        That happens: FFmpeg seeks by when frames are decoded, not by when they are shown.
        """
        from av.error import FFmpegError

        try:
            self._container.seek(index.times[at - 1], stream=self._stream)
            pictures = self._container.decode(self._stream)
            enough = index.times[:number][-1]
            first = next((p for p in pictures if _is_whole(p) or (p.pts or 0) >= enough), None)
        except FFmpegError:
            return False
        place = index.number(first.pts) if first and _is_whole(first) else None
        if first is None or place is None or place > number:
            return False
        self._pictures = chain([first], pictures)
        self._next, self._zero, self._corrupt = place, index.times[0], False
        return True

    def _header(self, number: int, orientation: Orientation) -> dict[str, Any]:
        header: dict[str, Any] = {}
        if aspect := self._stream.sample_aspect_ratio:
            header["pixelAspectRatio"] = float(1 / aspect if orientation.transposed else aspect)
        if rate := rate_of(self._path):
            header["framesPerSecond"] = rate.fps
            words = self._container.metadata | self._stream.metadata
            code = time_code(words.get("timecode", ""), rate.fps, number - 1)
            header |= {"timeCode": code} if code else {}
        return header


def _is_whole(picture: "VideoFrame") -> bool:
    """Whether a picture depends on no other."""
    return bool(picture.key_frame and not picture.is_corrupt)
