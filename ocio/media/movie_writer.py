"""Movies written as previews: H.264 in MP4, tagged BT.709."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.ocio.media_errors import SizeError
from lifemask.ocio.system.atomic import replacing

if TYPE_CHECKING:
    import numpy as np
    from av import VideoFrame, VideoStream
    from av.container import OutputContainer
    from numpy.typing import NDArray

    Picture = NDArray[np.floating[Any] | np.uint8]


class MovieWriter:
    """A `FrameSink` of display pictures (H, W, 3), uint8 or 0..1, as a movie.

    An odd last row or column is left out, since 4:2:0 has none.
    """

    ahead = 1

    def __init__(self, path: Path, container: "OutputContainer", fps: Fraction | float) -> None:
        self._path, self._container, self._fps = path, container, fps
        self._stream: VideoStream | None = None

    @classmethod
    @contextmanager
    def open(cls, path: Path, fps: Fraction | float) -> "Iterator[MovieWriter]":
        """Yield a writer of ``path``; the whole file appears after the ``with`` block.

        Raises WriteError when the disk is full; after any error nothing is left behind.
        """
        import av

        options = {"movflags": "faststart"}
        with (
            replacing(path) as temporary,
            av.open(str(temporary), "w", format="mp4", options=options) as container,
        ):
            writer = cls(path, container, fps)
            yield writer
            writer._finish()

    def write(self, picture: "Picture") -> None:
        """Add a picture; raises SizeError when its size differs from the first."""
        frame = _encodable(picture)
        if self._stream is None:
            self._stream = _stream(self._container, frame, self._fps)
        if (frame.width, frame.height) != (self._stream.width, self._stream.height):
            raise SizeError(f"{self._path}: its pictures differ in size")
        self._container.mux(self._stream.encode(frame))

    def _finish(self) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode())


def write_movie(path: Path, pictures: "Iterable[Picture]", fps: Fraction | float) -> None:
    """Write display pictures as a movie; errors as in `MovieWriter`."""
    with MovieWriter.open(path, fps) as movie:
        for picture in pictures:
            movie.write(picture)


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


def _encodable(picture: "Picture") -> "VideoFrame":
    import av
    import numpy as np

    height, width = (size & ~1 for size in picture.shape[:2])
    levels = 1 if picture.dtype == np.uint8 else 255
    rgb = np.clip(picture[:height, :width] * levels + (levels > 1) * 0.5, 0, 255).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
