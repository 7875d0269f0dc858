"""Movies as cameras, phones and editors write them."""

from fractions import Fraction

import av
import numpy as np
import pytest
from film import SIZE, damaged, film, left_out, trimmed

from lifemask.ocio.media import container, exr, movie
from lifemask.ocio.media.reader import Reader, pixel_aspect, read, same_size
from lifemask.ocio.media.sequence import MOVIES, Sequence
from lifemask.ocio.media.timecode import time_code
from lifemask.ocio.media_errors import BrokenFileError

GOP = {"g": "12", "bf": "2", "b": "20M"}
OPEN = {"x264-params": "open-gop=1:keyint=12:bframes=3:b-adapt=0:scenecut=0"}
HEVC = {"x265-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0:log-level=none"}


def levels(reader, numbers):
    return [float(reader.read(number).rgb.mean()) for number in numbers]


def steps(path):
    """Return how light each frame of a film is; fails unless each is lighter than the last."""
    sequence = Sequence.find(path)
    with Reader(sequence) as reader:
        found = levels(reader, sequence.frames)
    assert np.diff(found).min() > 0.005
    return sequence, found


@pytest.mark.parametrize(
    ("name", "codec", "kind", "options"),
    [
        ("a.mp4", "libx264", "yuv420p", {"g": "12"}),
        ("a.mp4", "libx264", "yuv420p", OPEN),
        ("a.mkv", "libx264", "yuv420p", OPEN),
        ("a.m2ts", "libx264", "yuv420p", OPEN),
        ("a.avi", "libx264", "yuv420p", {"g": "12"}),
        ("a.avi", "libx264", "yuv420p", OPEN),
        ("a.mp4", "libx264", "yuv420p", {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}),
        ("a.mp4", "libx265", "yuv420p", HEVC),
        ("a.mxf", "mpeg2video", "yuv422p", GOP),
        ("a.mpg", "mpeg2video", "yuv420p", GOP),
        ("a.mpg", "libx264", "yuv420p", {"g": "12"}),
        ("a.mov", "prores_ks", "yuv422p10le", {}),
    ],
)
def test_a_frame_that_is_searched_for_is_the_one_asked_for(
    tmp_path, monkeypatch, name, codec, kind, options
):
    rate = 25 if name.endswith("mxf") else 24
    sequence, expected = steps(film(tmp_path / name, codec, kind, rate=rate, options=options))
    assert sequence.frames == tuple(range(1, 61))
    monkeypatch.setattr(movie, "_NEAR", 0)
    order = np.random.default_rng(0).permutation(60)
    with Reader(sequence) as reader:
        found = levels(reader, (order + 1).tolist())
    np.testing.assert_array_equal(found, np.array(expected)[order])


@pytest.mark.parametrize(("first", "count"), [(5, 19), (0, 14), (5, 9)])
@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_a_trimmed_movie_has_the_frames_that_it_shows(tmp_path, monkeypatch, ending, first, count):
    whole = film(tmp_path / f"a.{ending}", "libx264", "yuv420p", 24, options={"g": "8"})
    _, expected = steps(whole)
    sequence, found = steps(trimmed(whole, tmp_path / f"b.{ending}", first, count))
    assert sequence.frames == tuple(range(1, count + 1))
    assert found == expected[first : first + count]
    monkeypatch.setattr(movie, "_NEAR", 0)
    assert levels(Reader(sequence), (count, 1, 7)) == [found[-1], found[0], found[6]]


def test_frames_that_lack_what_was_cut_off_are_not_counted(tmp_path, monkeypatch):
    raw = film(tmp_path / "a.ts", "mpeg2video", "yuv420p", options=GOP).read_bytes()
    blocks = len(raw) // 188
    (tmp_path / "b.ts").write_bytes(raw[:564] + raw[blocks * 45 // 100 * 188 :])
    sequence, found = steps(tmp_path / "b.ts")
    assert 12 < len(found) < 60
    monkeypatch.setattr(movie, "_NEAR", 0)
    assert levels(Reader(sequence), reversed(sequence.frames)) == found[::-1]


def test_the_times_of_frames_are_kept_until_the_file_changes(tmp_path):
    container._index.cache_clear()
    path = film(tmp_path / "a.mp4", "libx264", "yuv420p", options={"g": "12"})
    sequence = Sequence.find(path)
    for number in (60, 1, 55, 60, 2):
        read(sequence, number)
    assert container._index.cache_info().misses == 1
    for count in (7, 5):
        found = Sequence.find(film(tmp_path / "a.mkv", "libx264", "yuv420p", count))
        assert len(found.frames) == count


def test_only_the_frame_that_is_damaged_is_lost(tmp_path):
    good = film(tmp_path / "a.mov", "prores_ks", "yuv422p10le", 8)
    _, expected = steps(good)
    sequence = Sequence.find(damaged(good, 3, tmp_path / "b.mov"))
    with Reader(sequence) as reader:
        assert levels(reader, (1, 2, 3)) == expected[:3]
        with pytest.raises(BrokenFileError, match=r"b\.mov: frame 4 cannot be decoded$"):
            reader.read(4)
        assert levels(reader, (5, 8, 6)) == [expected[n] for n in (4, 7, 5)]
    assert levels(Reader(sequence), (8,)) == expected[7:]


@pytest.mark.parametrize("place", [0, 3])
def test_a_frame_that_is_left_out_moves_no_other(tmp_path, place):
    options = {"x265-params": "keyint=1:info=0:log-level=none"}
    good = film(tmp_path / "a.mp4", "libx265", "yuv420p", 8, options=options)
    _, expected = steps(good)
    with Reader(Sequence.find(left_out(good, place, tmp_path / "b.mp4"))) as reader:
        assert levels(reader, range(1, place + 1)) == expected[:place]
        with pytest.raises(BrokenFileError, match=f"frame {place + 1} cannot be decoded"):
            reader.read(place + 1)
        assert levels(reader, range(place + 2, 9)) == expected[place + 1 :]


def test_a_damaged_frame_spoils_no_other_group_and_shows_no_wrong_frame(tmp_path):
    good = film(tmp_path / "a.mp4", "libx264", "yuv420p", 32, options={"g": "8", "crf": "1"})
    _, expected = steps(good)
    sequence = Sequence.find(damaged(good, 8, tmp_path / "b.mp4"))
    lost = []
    with Reader(sequence) as reader:
        for number in sequence.frames:
            try:
                assert levels(reader, (number,)) == [expected[number - 1]]
            except BrokenFileError:
                lost.append(number)
    assert 9 in lost
    assert {*lost} <= {*range(5, 17)}


@pytest.mark.parametrize(
    ("ending", "form"),
    [(end, "mpegts") for end in ("ts", "m2t", "mts", "M2TS")]
    + [("mpg", None), ("mpeg", None), ("vob", None), ("3gp", None), ("qt", "mov")],
)
def test_the_endings_of_cameras_are_those_of_movies(tmp_path, ending, form):
    codec = "mpeg2video" if form is None and ending != "3gp" else "libx264"
    path = film(tmp_path / f"a.{ending}", codec, "yuv420p", 9, form=form)
    assert f".{ending.lower()}" in MOVIES
    sequence, _ = steps(path)
    assert len(sequence.frames) == 9
    assert sequence.fps == 24


@pytest.mark.parametrize(
    ("start", "fps", "after", "expected"),
    [
        ("01:00:00:00", 24, 25, (1, 0, 1, 1, 0, 0)),
        ("23:59:59:23", 24, 1, (0, 0, 0, 0, 0, 0)),
        ("10:20:30:05", Fraction(24000, 1001), 24, (10, 20, 31, 5, 0, 0)),
        ("00:00:59;29", Fraction(30000, 1001), 1, (0, 1, 0, 2, 1, 0)),
        ("00:09:59;29", Fraction(30000, 1001), 1, (0, 10, 0, 0, 1, 0)),
        ("00:00:00;00", Fraction(30000, 1001), 107892, (1, 0, 0, 0, 1, 0)),
        ("23:59:59;29", Fraction(30000, 1001), 1, (0, 0, 0, 0, 1, 0)),
        ("00:00:59;59", Fraction(60000, 1001), 2, (0, 1, 0, 2, 1, 1)),
        ("01:00:00:49", 50, 2, (1, 0, 1, 0, 0, 1)),
    ],
)
def test_time_code_counts_on(start, fps, after, expected):
    found = time_code(start, Fraction(fps), after)
    names = ("hours", "minutes", "seconds", "frame", "dropFrame", "fieldPhase")
    assert tuple(getattr(found, name) for name in names) == expected


@pytest.mark.parametrize("start", ["", "now", "01:00:00", "99:00:00:00", "00:00:99:00"])
def test_what_is_no_time_code_gives_none(start):
    assert time_code(start, Fraction(24), 0) is None


def test_more_frames_a_second_than_time_code_counts_have_none():
    assert not any(time_code("01:00:00:00", Fraction(100), after) for after in range(100))


def test_time_code_and_squeezed_pixels_reach_the_result(tmp_path):
    film(
        tmp_path / "a.mov",
        "prores_ks",
        "yuv422p10le",
        4,
        timecode="10:20:30:22",
        sample_aspect_ratio=Fraction(2),
    )
    sequence = Sequence.find(tmp_path / "a.mov")
    frame = read(sequence, 4)
    exr.write(tmp_path / "a.exr", {"R": frame.rgb[..., 0]}, frame.header)
    header = read(Sequence.find(tmp_path / "a.exr"), 1).header
    code = header["timeCode"]
    assert (code.hours, code.minutes, code.seconds, code.frame) == (10, 20, 31, 1)
    assert header["pixelAspectRatio"] == pixel_aspect(sequence) == 2


@pytest.mark.parametrize(
    ("name", "codec", "kind", "bits", "within"),
    [
        ("a.mov", "prores_ks", "yuva444p10le", 10, 1 / 4095),
        ("a.mkv", "ffv1", "yuva444p12le", 12, 1e-7),
        ("a.mov", "qtrle", "argb", 8, 1e-7),
        ("a.mov", "png", "rgba64be", 16, 1e-7),
    ],
)
def test_alpha_comes_at_full_depth(tmp_path, name, codec, kind, bits, within):
    codes = np.linspace(0, (1 << bits) - 1, SIZE[0] * SIZE[1]).astype(np.uint16).reshape(SIZE)
    colour = np.full((*SIZE, 3), 32768, np.uint16)
    stored = np.dstack([colour, codes << 16 - bits])
    given = [av.VideoFrame.from_ndarray(stored, "rgba64le")]
    film(tmp_path / name, codec, kind, pictures=given)
    frame = read(Sequence.find(tmp_path / name), 1)
    np.testing.assert_allclose(frame.alpha, codes / ((1 << bits) - 1), atol=within)
    assert frame.alpha.dtype == np.float32


def test_a_movie_without_alpha_has_none(tmp_path):
    film(tmp_path / "a.mov", "prores_ks", "yuv422p10le", 1)
    assert read(Sequence.find(tmp_path / "a.mov"), 1).alpha is None


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_a_phone_s_movie_is_upright(tmp_path, rotation, turns):
    stored = np.zeros((*SIZE, 3), np.uint8)
    stored[:16, :16], stored[:16, -16:] = 255, 128
    given = [av.VideoFrame.from_ndarray(stored, "rgb24")]
    film(
        tmp_path / "a.mov",
        "prores_ks",
        "yuv444p10le",
        pictures=given,
        rotation=rotation,
        sample_aspect_ratio=Fraction(2),
    )
    sequence = Sequence.find(tmp_path / "a.mov")
    expected = np.rot90(stored[..., 0] / 255, turns)
    np.testing.assert_allclose(read(sequence, 1).rgb[..., 1], expected, atol=0.05)
    assert same_size(sequence) == expected.shape[::-1]
    assert pixel_aspect(sequence) == (0.5 if turns % 2 else 2)
