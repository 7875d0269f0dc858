"""Movies beside whose pictures there are others, and those whose frames come at uneven times."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition
from film import SIZE, film, grey
from PIL import Image

from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.media.frame_rate import Rate
from lifemask.ocio.media.reader import Reader, read, same_size
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media_errors import BrokenFileError
from lifemask.plugin.commands.cli import main

HEIGHT, WIDTH = SIZE
COUNT = 12
PLAYED, NOT_PLAYED = Disposition.default, Disposition(0)


def filmed(container, width=WIDTH, height=HEIGHT, role=None):
    """Add a stream; return what writes its frame of a number."""
    stream = container.add_stream("libx264", 24)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    if role is not None:
        stream.disposition = role

    def write(number):
        frame = grey(number).reformat(width, height, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 24)
        container.mux(stream.encode(frame))

    return write, lambda: container.mux(stream.encode())


def covered(path, first, marked, side=96, movie=True):
    """Write a movie with a cover, which is ``marked`` as one or is a stream of one picture."""
    data = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), 250, np.uint8)).save(data, "JPEG")
    with av.open(str(path), "w") as container:
        write, end = filmed(container) if movie and not first else (None, None)
        cover = container.add_stream("mjpeg", 25)
        cover.width, cover.height, cover.pix_fmt = side, side, "yuvj420p"
        if marked:
            cover.disposition = Disposition.attached_pic
        if movie and first:
            write, end = filmed(container)
        container.start_encoding()
        packet = av.Packet(data.getvalue())
        packet.stream, packet.pts, packet.dts, packet.time_base = cover, 0, 0, Fraction(1, 25)
        packet.is_keyframe = True
        container.mux(packet)
        if movie:
            for number in range(COUNT):
                write(number)
            end()
    return path


def attached(path):
    """Write a movie with a cover in its attachments."""
    data = io.BytesIO()
    Image.fromarray(np.full((96, 96, 3), 250, np.uint8)).save(data, "PNG")
    with av.open(str(path), "w") as container:
        write, end = filmed(container)
        container.add_attachment("cover.png", "image/png", data.getvalue())
        for number in range(COUNT):
            write(number)
        end()
    return path


def several(path, *streams):
    """Write video streams, each of (width, height, role, number of frames)."""
    with av.open(str(path), "w") as container:
        writers = [filmed(container, *stream[:3]) for stream in streams]
        for number in range(COUNT):
            for (write, _), (*_, count) in zip(writers, streams, strict=True):
                if number < count:
                    write(number)
        for _, end in writers:
            end()
    return path


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("name", "marked"), [("a.mp4", True), ("a.mkv", False), ("a.mov", False), ("a.mp4", False)]
)
def test_a_cover_is_never_taken_for_the_movie(tmp_path, name, marked, first):
    check_movie(covered(tmp_path / name, first, marked, side=512))


def test_an_attached_picture_is_never_taken_for_the_movie(tmp_path):
    check_movie(attached(tmp_path / "a.mkv"))


def check_movie(path):
    """Fail unless all that is told of a movie is told of the stream with its frames."""
    sequence = Sequence.find(path)
    assert (sequence.frames, sequence.rate) == (tuple(range(1, COUNT + 1)), Rate(Fraction(24)))
    assert same_size(sequence) == (WIDTH, HEIGHT)
    assert sequence.stream_note == ""
    assert tagged_space(sequence) is None
    with Reader(sequence) as reader:
        levels = [float(reader.read(n).rgb.mean()) for n in (12, 1, 7)]
    np.testing.assert_allclose(levels, [0.21, 0.08, 0.15], atol=0.01)


def test_a_file_with_a_cover_only_is_refused(tmp_path):
    path = covered(tmp_path / "a.mp4", True, True, movie=False)
    with pytest.raises(BrokenFileError, match=r"a\.mp4: has only a cover picture$"):
        Sequence.find(path)


SMALL = (32, 24)
FULL = (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("name", "streams", "taken", "doubt"),
    [
        ("a.mov", [(*FULL, None, 12), (*SMALL, None, 12)], FULL, "(64x48, 32x24); number 1 is"),
        ("a.mkv", [(*SMALL, None, 12), (*FULL, None, 12)], FULL, "(32x24, 64x48); number 2 is"),
        ("a.avi", [(*SMALL, None, 12), (*FULL, None, 12)], FULL, "number 2 is taken"),
        ("a.ts", [(*SMALL, None, 12), (*FULL, None, 12)], FULL, "number 2 is taken"),
        ("a.mkv", [(*SMALL, PLAYED, 12), (*FULL, NOT_PLAYED, 12)], SMALL, "number 1 is taken"),
        ("a.mov", [(*FULL, NOT_PLAYED, 12), (*SMALL, PLAYED, 12)], SMALL, "number 2 is taken"),
        ("a.mov", [(128, 96, PLAYED, 1), (*FULL, NOT_PLAYED, 12)], FULL, ""),
    ],
)
def test_of_several_streams_the_played_and_largest_is_taken(tmp_path, name, streams, taken, doubt):
    sequence = Sequence.find(several(tmp_path / name, *streams))
    assert (len(sequence.frames), same_size(sequence)) == (12, taken)
    assert doubt in sequence.stream_note
    assert bool(doubt) == bool(sequence.stream_note)


def with_thumbnails(path):
    """Write a QuickTime movie whose first stream has the thumbnails of its chapters."""
    raw = bytearray(several(path, (*SMALL, None, 12), (*FULL, None, 12)).read_bytes())
    moov = raw.rindex(b"moov") - 4
    trak = raw.index(b"trak", raw.index(b"trak", moov) + 4) - 4
    reference = struct.pack(">I4sI4sI", 20, b"tref", 12, b"chap", 1)
    for place in (moov, trak):
        (size,) = struct.unpack_from(">I", raw, place)
        struct.pack_into(">I", raw, place, size + len(reference))
    raw[trak + size : trak + size] = reference
    path.write_bytes(raw)
    return path


def test_thumbnails_of_chapters_are_never_taken_for_the_movie(tmp_path):
    check_movie(with_thumbnails(tmp_path / "a.mov"))


def timed(path, times, rate):
    """Write a movie whose frames are shown at ``times``, in 1/90000 s, and whose header lies."""
    base = Fraction(1, 90000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate)
        stream.height, stream.width, stream.pix_fmt = (*SIZE, "yuv420p")
        stream.codec_context.time_base = stream.time_base = base
        for number, time in enumerate(times):
            frame = grey(number).reformat(format="yuv420p")
            frame.pts, frame.time_base = time, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


UNEVEN = np.cumsum([0, *(3000, 6000, 1500, 9000) * 4]).tolist()


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov", "ts", "avi"])
def test_of_a_rate_that_varies_the_mean_is_taken(tmp_path, ending):
    sequence = Sequence.find(timed(tmp_path / f"a.{ending}", UNEVEN, 30))
    assert len(sequence.frames) == len(UNEVEN)
    assert sequence.rate.varies
    assert sequence.fps == pytest.approx(16 / (UNEVEN[-1] / 90000), rel=0.02)
    assert read(sequence, 1).header["framesPerSecond"] == sequence.fps


@pytest.mark.parametrize(
    "times",
    [
        [3750 * n for n in range(40) if n != 20],
        [3750 * n for n in range(20)] + [75000 + 3000 * n for n in range(20)],
    ],
)
def test_a_frame_left_out_and_a_change_of_rate_vary(tmp_path, times):
    assert Sequence.find(timed(tmp_path / "a.mkv", times, 24)).rate.varies


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov", "ts", "avi"])
@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "60000/1001", "240"])
def test_rounded_times_are_no_varying_rate(tmp_path, ending, rate):
    path = film(tmp_path / f"a.{ending}", "libx264", "yuv420p", rate=Fraction(rate))
    assert Sequence.find(path).rate == Rate(Fraction(rate))


def test_when_frames_are_shown_counts_more_than_a_header(tmp_path):
    path = timed(tmp_path / "a.mkv", [3750 * n for n in range(40)], 30)
    assert Sequence.find(path).rate == Rate(Fraction(24))


def test_what_is_in_doubt_of_a_plate_is_told(tmp_path, capsys):
    path = timed(tmp_path / "a.mkv", UNEVEN, 30)
    new = ["shot", "new", str(tmp_path / "sh010"), "--plate", str(path), "--colorspace", "ACEScg"]
    assert main(new) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "its frame rate varies, 18.45 a second in the mean; 18.45 is written down" in told
    path = several(tmp_path / "b.mov", (*FULL, None, 12), (*SMALL, None, 12))
    new[2], new[4] = str(tmp_path / "sh020"), str(path)
    assert main(new) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "has 2 video streams (64x48, 32x24); number 1 is taken" in told
    assert "varies" not in told
