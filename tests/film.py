"""Tiny movies of every kind, made with FFmpeg."""

from fractions import Fraction

import av
import numpy as np

SIZE = (48, 64)


def film(path, codec, kind, count=60, rate=24, pictures=None, form=None, **stream_is):
    """Write ``count`` frames, each a little lighter than the one before, or the ``pictures``."""
    options = stream_is.pop("options", {})
    rotation = stream_is.pop("rotation", 0)
    timecode = stream_is.pop("timecode", "")
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, Fraction(rate))
        stream.height, stream.width, stream.pix_fmt = (*SIZE, kind)
        stream.options = options
        if rotation:
            stream.set_display_rotation(rotation)
        if timecode:
            stream.metadata["timecode"] = timecode
        for name, value in stream_is.items():
            setattr(stream.codec_context, name, value)
        for number, frame in enumerate(pictures or map(grey, range(count))):
            frame = frame.reformat(format=kind)
            frame.pts, frame.time_base = number, 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def grey(number):
    return av.VideoFrame.from_ndarray(np.full((*SIZE, 3), 20 + 3 * number, np.uint8), "rgb24")
