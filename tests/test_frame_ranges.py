import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.ocio.media.frame_ranges import abbreviated, named_range, numbers
from lifemask.plugin.hosts.common import results


@given(st.sets(st.integers(-300, 300), min_size=1))
def test_what_is_named_is_read_again(frames):
    words = named_range(sorted(frames))
    assert numbers(words) == tuple(sorted(frames))
    assert results.numbers(words) == sorted(frames)


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1001", (1001,)),
        ("1001-1006x2", (1001, 1003, 1005)),
        (" 1001 - 1003 , 1010", (1001, 1002, 1003, 1010)),
        ("1005,1001,1001-1002", (1001, 1002, 1005)),
        ("1010-1001x4", (1002, 1006, 1010)),
        ("-3--1", (-3, -2, -1)),
    ],
)
def test_a_range_means_the_same_here_and_in_hosts(text, frames):
    assert numbers(text) == frames
    assert tuple(results.numbers(text)) == frames


ODD = """1015.5 1e3 1001-1010x0.5 1001,,1005 1001, １００１ 1-9x0 1001-1010y2 1001-1010:3 1001-
1001x2 1-9x-2 1001# 1001-1005-1009 1-9999999 1-9999999999 1-600000,1-600000 x"""  # noqa: RUF001


@pytest.mark.parametrize("text", [*ODD.split(), "1001 1005", "9" * 5000])
def test_what_is_no_range_is_refused_here_and_in_hosts(text):
    for read in (numbers, results.numbers):
        with pytest.raises(ValueError, match="is not a frame range"):
            read(text)


def read_or_refused(read, text):
    try:
        return list(read(text))
    except ValueError:
        return None


NUMBER = st.integers(-120, 1200).map(str)
BLANKS = st.sampled_from(["", "", " ", "\t"])
SIGNS = st.sampled_from(["-", "-", "x", "y", ":", ",", ".5", "#", " "])
PIECES = st.tuples(BLANKS, NUMBER, BLANKS, SIGNS).map("".join)
TEXTS = st.tuples(st.lists(PIECES, max_size=5).map("".join), BLANKS, NUMBER, BLANKS).map("".join)


@settings(max_examples=1000)
@given(TEXTS)
def test_any_text_is_read_or_refused_alike_here_and_in_hosts(text):
    assert read_or_refused(numbers, text) == read_or_refused(results.numbers, text)


def test_many_frames_are_told_in_a_few_words():
    assert abbreviated(range(1, 9_000_000, 2)) == "4500000 frames from 1 to 8999999"
    assert abbreviated([n * n for n in range(1, 500)]) == "499 frames from 1 to 249001"
