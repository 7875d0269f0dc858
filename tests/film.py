"""Tiny movies of every kind, made with FFmpeg."""

import struct
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


def packets(path):
    """Return where in the file each coded frame lies, as (first byte, bytes)."""
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size]


def damaged(path, place, target):
    """Copy a movie with nonsense in the coded frame at ``place``, in the order of decoding."""
    raw = bytearray(path.read_bytes())
    first, size = packets(path)[place]
    nonsense = np.random.default_rng(0).integers(0, 256, size - 30, np.uint8)
    raw[first + 30 : first + size] = nonsense.tobytes()
    target.write_bytes(raw)
    return target


def left_out(path, place, target):
    """Copy an HEVC movie with a coded frame that says it is filler: no error, and no picture."""
    raw = bytearray(path.read_bytes())
    unit, size = packets(path)[place]
    end = unit + size
    while unit < end:
        raw[unit + 4] = 38 << 1
        unit += 4 + int.from_bytes(raw[unit : unit + 4])
    target.write_bytes(raw)
    return target


def trimmed(path, target, first, count):
    """Copy an MP4 that shows only some of its frames, by its edit list: the others stay in it."""
    raw = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = int(1 / (stream.time_base * stream.average_rate))
        shown = round(1000 * count / stream.average_rate)
    place = raw.index(b"elst") + 12
    _, start = struct.unpack_from(">II", raw, place)
    struct.pack_into(">II", raw, place, shown, start + first * frame)
    target.write_bytes(raw)
    return target
