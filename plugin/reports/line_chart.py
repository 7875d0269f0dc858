"""Line charts over time as a stand-alone SVG file, which needs no style from its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from lifemask.nodes.html.plots import Plot

HEAD, LEFT, EDGE = 56, 46, 14
"""Pixels above a panel for its title, left of it for the numbers, and as the margin."""

STYLE = """
.ground{fill:#292929}.panel{fill:#323232}.base,.grid{stroke:#4a4a4a;fill:none}
text{fill:#a8a8a8;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.title{fill:#e0e0e0;font-size:13px}polyline{fill:none;stroke-width:2.5;stroke-linejoin:round}
.first{stroke:#d9a441;fill:none}.second{stroke:#7fb2c9;fill:none}
circle.first{fill:#d9a441}circle.second{fill:#7fb2c9}text.first{fill:#d9a441;stroke:none}
text.second{fill:#7fb2c9;stroke:none}.level{stroke:#a8a8a8;stroke-dasharray:5 4}
"""
LINES = ("first", "second")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One plot: ``lines`` by name, constant ``levels`` by name, and the ``span`` of heights shown.

    Anything beyond the ``span`` is cut off.
    """

    title: str
    lines: dict[str, Points]
    levels: dict[str, float]
    span: tuple[float, float]


def chart(title: str, panels: Sequence[Panel], unit: str) -> str:
    """Return panels side by side, with one time axis in ``unit``, as an SVG file."""
    plot = Plot(390, 260)
    width = EDGE + len(panels) * (LEFT + plot.width)
    height = HEAD + plot.height + EDGE
    body = "".join(
        f'<g transform="translate({LEFT + at * (LEFT + plot.width)} {HEAD})">'
        f"{_panel(plot, panel, unit, f'inside{at}')}</g>"
        for at, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}">'
        f'<style>{STYLE}</style><rect class="ground" width="{width}" height="{height}"/>'
        f'<text x="{LEFT}" y="20">{escape(title)}</text>{body}</svg>\n'
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between two values, evenly spread.

    >>> ticks(0.61, 0.94)
    [0.7, 0.8, 0.9]
    """
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    first, last = -floor(-low / step), floor(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _panel(plot: Plot, panel: Panel, unit: str, clip: str) -> str:
    ends = _ends([x for points in panel.lines.values() for x, _ in points])
    places = {name: _shares(points, ends, panel.span) for name, points in panel.lines.items()}
    lowest = min(places, key=lambda name: places[name][-1][1])
    drawn = "".join(
        _line(plot, name, style, places[name], 18 if name == lowest else -9)
        for name, style in zip(panel.lines, LINES, strict=False)
    )
    box = f'width="{plot.width}" height="{plot.height}"'
    return (
        f'<rect class="panel" {box} rx="3"/><clipPath id="{clip}"><rect {box}/></clipPath>'
        f'<text class="title" x="0" y="-9">{escape(panel.title)}</text>'
        f"{_grid(plot, panel.span)}{_levels(plot, panel)}"
        f'<g clip-path="url(#{clip})">{drawn}</g>{_times(plot, panel, ends, unit)}'
    )


def _line(plot: Plot, name: str, style: str, places: Points, beside: int) -> str:
    """A line with its name ``beside`` the end, in pixels downward."""
    dots = "".join(
        f'<circle class="{style}" cx="{plot.x(x)}" cy="{plot.y(y)}" r="3.5"/>' for x, y in places
    )
    x, y = places[-1]
    return (
        f'<polyline class="{style}" points="{plot.points(places)}"/>{dots}'
        f'<text class="{style}" x="{plot.x(x)}" y="{plot.y(y) + beside:.1f}" text-anchor="end">'
        f"{escape(name)}</text>"
    )


def _grid(plot: Plot, span: tuple[float, float]) -> str:
    rows = [(value, plot.y(_share(value, span))) for value in ticks(*span)]
    return "".join(
        f'<path class="grid" d="M{plot.x(0)},{y} H{plot.x(1)}"/>'
        f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        for value, y in rows
    )


def _levels(plot: Plot, panel: Panel) -> str:
    rows = [(name, plot.y(_share(value, panel.span))) for name, value in panel.levels.items()]
    return "".join(
        f'<path class="level" d="M{plot.x(0)},{y} H{plot.x(1)}"/>'
        f'<text x="{plot.x(0.5)}" y="{y - 4:.1f}" text-anchor="middle">{escape(name)}</text>'
        for name, y in rows
    )


def _times(plot: Plot, panel: Panel, ends: tuple[float, float], unit: str) -> str:
    times = sorted({x for points in panel.lines.values() for x, _ in points})
    words = [f"{time:g}" for time in times]
    words[-1] += f" {unit}"
    marks = "".join(
        f'<text x="{plot.x(_share(time, ends))}" y="{plot.height - 8}" '
        f'text-anchor="{"end" if time == ends[1] else "start"}">{word}</text>'
        for time, word in zip(times, words, strict=True)
    )
    return f'<path class="base" d="M{plot.x(0)},{plot.y(0)} H{plot.x(1)}"/>{marks}'


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low, high if high > low else low + 1


def _share(value: float, ends: tuple[float, float]) -> float:
    return (value - ends[0]) / (ends[1] - ends[0])


def _shares(points: Points, ends: tuple[float, float], span: tuple[float, float]) -> Points:
    return [(_share(x, ends), _share(y, span)) for x, y in points]
