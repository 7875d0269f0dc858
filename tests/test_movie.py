from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import full_disk

from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.media.movie_writer import write_movie
from lifemask.ocio.media.reader import Reader, read, same_size
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media_errors import BrokenFileError, SizeError, WriteError

COLOURS = np.random.default_rng(0).uniform(0.1, 0.9, (60, 3)).astype(np.float32)


def flat(colour: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> "np.ndarray":  # type: ignore[type-arg]
    return np.broadcast_to(colour, (32, 48, 3))


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Sequence:
    path = tmp_path_factory.mktemp("movie") / "a.mp4"
    write_movie(path, map(flat, COLOURS), Fraction(24000, 1001))
    return Sequence.find(path)


def test_a_movie_counts_from_one_and_knows_its_rate_and_colour(movie: Sequence) -> None:
    assert movie.is_movie
    assert movie.frames == tuple(range(1, 61))
    assert movie.fps == Fraction(24000, 1001)
    assert tagged_space(movie) == "Camera Rec.709"
    assert same_size(movie) == (48, 32)
    assert read(movie, 1).header["framesPerSecond"] == movie.fps


@pytest.mark.parametrize("order", ["forward", "back", "jumps"])
def test_each_frame_is_itself_in_any_order(movie: Sequence, order: str) -> None:
    numbers = {"forward": range(1, 61), "back": range(60, 50, -1), "jumps": (7, 60, 1, 59, 2, 2)}
    with Reader(movie) as reader:
        for number in numbers[order]:
            middle = reader.read(number).rgb[16, 24]
            np.testing.assert_allclose(middle, COLOURS[number - 1], atol=0.015)


@pytest.mark.parametrize(
    ("kind", "bits"), [("yuv420p", 8), ("yuv422p10le", 10), ("yuv444p12le", 12)]
)
@pytest.mark.parametrize("full", [False, True])
def test_code_values_mean_what_bt709_says(tmp_path: Path, kind: str, bits: int, full: bool) -> None:
    one = 1 << bits - 8
    for luma in (16, 64, 235, 250):
        picture = av.VideoFrame(64, 48, kind)
        for plane, code in zip(picture.planes, (luma, 128, 128), strict=True):
            item = np.uint8 if bits == 8 else np.uint16
            plane.update(np.full(plane.buffer_size // item().itemsize, code * one, item).tobytes())
        path = tmp_path / f"{luma}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=24)
            stream.width, stream.height, stream.pix_fmt = 64, 48, kind
            stream.codec_context.color_range = 2 if full else 1
            stream.codec_context.colorspace = 1
            container.mux(stream.encode(picture))
            container.mux(stream.encode())
        white = luma * one / (256 * one - 1) if full else (luma - 16) / 219
        np.testing.assert_allclose(read(Sequence.find(path), 1).rgb, white, atol=1e-4)


def test_rgb_movies_keep_their_codes(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(codes, format="rgb24")))
        container.mux(stream.encode())
    rgb = read(Sequence.find(tmp_path / "a.mkv"), 1).rgb
    np.testing.assert_allclose(rgb, codes / 255, atol=1e-4)


def test_pictures_of_odd_size_and_of_bytes_are_taken(tmp_path: Path) -> None:
    pictures = [np.full((31, 33, 3), 128, np.uint8)] * 3
    write_movie(tmp_path / "a.mp4", pictures, 25)
    frame = read(Sequence.find(tmp_path / "a.mp4"), 3)
    assert frame.rgb.shape == (30, 32, 3)
    np.testing.assert_allclose(frame.rgb, 128 / 255, atol=0.01)


def test_pictures_that_differ_in_size_leave_no_movie(tmp_path: Path) -> None:
    pictures = [np.zeros((32, 32, 3)), np.zeros((32, 34, 3))]
    with pytest.raises(SizeError, match="differ in size"):
        write_movie(tmp_path / "a.mp4", pictures, 25)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).random((8, 64, 64, 3))
    with full_disk(4096), pytest.raises(WriteError, match=r"a\.mp4: cannot be written"):
        write_movie(tmp_path / "a.mp4", noise, 25)
    assert not list(tmp_path.iterdir())


def test_a_truncated_movie_gives_whole_frames_or_an_error(movie: Sequence, tmp_path: Path) -> None:
    raw = Path(movie.path).read_bytes()
    (tmp_path / "a.mp4").write_bytes(raw[: len(raw) * 2 // 3])
    cut = Sequence.find(tmp_path / "a.mp4")
    with pytest.raises(BrokenFileError, match=r"a\.mp4"), Reader(cut) as reader:
        for number in cut.frames:
            reader.read(number)
