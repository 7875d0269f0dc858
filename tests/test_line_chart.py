"""A chart is an SVG file on its own whose points lie where the values are."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.plugin.reports.line_chart import Panel, chart, ticks

SVG = "{http://www.w3.org/2000/svg}"
PANEL = Panel(
    "near & far",
    {"ours": [(0.0, 0.5), (5.0, 0.75), (10.0, 1.0)], "theirs": [(0.0, -3.0), (10.0, 0.5)]},
    {"still": 0.5},
    (0.0, 1.0),
)


@pytest.fixture
def drawn():
    return ElementTree.fromstring(chart("<both>", [PANEL, PANEL], "min"))


def places(line):
    return [tuple(map(float, point.split(","))) for point in line.get("points").split()]


def test_points_lie_where_their_values_are(drawn):
    lines = drawn.findall(f".//{SVG}polyline")
    assert [line.get("class") for line in lines] == ["first", "second"] * 2
    ours, theirs = (places(line) for line in lines[:2])
    (left, low), (middle, between), (right, top) = ours
    assert (middle, between) == (pytest.approx((left + right) / 2), pytest.approx((low + top) / 2))
    assert theirs[1] == (right, low)
    assert theirs[0][1] - low == pytest.approx(7 * (low - top), abs=0.5)
    level = drawn.find(f".//{SVG}path[@class='level']").get("d")
    assert [float(number) for number in re.findall(r"[\d.]+", level)] == [left, low, right]


def test_words_are_there_once_in_each_panel(drawn):
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert words.count("<both>") == 1
    for word in ("near & far", "ours", "theirs", "still", "0.4", "10 min", "5"):
        assert words.count(word) == 2, word


def test_one_time_is_enough():
    one = Panel("x", {"ours": [(0.0, 0.5)]}, {}, (0.0, 1.0))
    (line,) = ElementTree.fromstring(chart("x", [one], "min")).iter(f"{SVG}polyline")
    assert len(places(line)) == 1


@given(st.floats(-100, 100), st.floats(0.01, 1000))
def test_ticks_are_even_and_within(low, length):
    marks = ticks(low, low + length)
    assert 1 <= len(marks) <= 8
    assert all(low - 1e-9 <= mark <= low + length + 1e-9 for mark in marks)
    steps = [b - a for a, b in pairwise(marks)]
    assert steps == pytest.approx(steps[:1] * len(steps))
