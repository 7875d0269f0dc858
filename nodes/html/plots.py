"""Plots as inline SVG, which scale, print and need no server."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

BINS = 24
SIDE, FOOT, TOP = 8, 26, 10


@dataclass(frozen=True)
class Plot:
    """A plot of a size in CSS pixels; values and places in it are 0..1."""

    width: int = 340
    height: int = 150

    def x(self, share: float) -> float:
        """Return the horizontal position of this share of the axis."""
        return round(SIDE + share * (self.width - 2 * SIDE), 1)

    def y(self, share: float) -> float:
        """Return the height of a value."""
        return round(self.height - FOOT - share * (self.height - FOOT - TOP), 1)

    def points(self, places: Sequence[tuple[float, float]]) -> str:
        """Return points as SVG writes them."""
        return " ".join(f"{self.x(x)},{self.y(y)}" for x, y in places)

    def figure(self, title: str, body: str, ends: tuple[float, float]) -> str:
        """Return the plot with its title, and the axis from one end to the other."""
        base = f'<path class="base" d="M{self.x(0)},{self.y(0)} H{self.x(1)}"/>'
        marks = "".join(
            f'<text x="{self.x(share)}" y="{self.height - 8}" text-anchor="{anchor}">'
            f"{_number(ends[0] + share * (ends[1] - ends[0]))}</text>"
            for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
        )
        box = f'viewBox="0 0 {self.width} {self.height}"'
        svg = f'<svg {box} role="img" aria-label="{escape(title)}">{body}{base}{marks}</svg>'
        return f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>"


def histograms(axis: str, unit: str, likeness: Sequence[float], plate: Sequence[float]) -> str:
    """Return the distribution of the likeness (filled) and the plate (outlined) over one axis."""
    plot = Plot()
    values = [*likeness, *plate] or [0.0]
    pad = (max(values) - min(values)) * 0.05 or 0.5
    ends = min(values) - pad, max(values) + pad
    area = [(0.0, 0.0), *_steps(_shares(likeness, *ends)), (1.0, 0.0)]
    body = (
        f'<polygon class="likeness" points="{plot.points(area)}"/>'
        f'<polyline class="plate" points="{plot.points(_steps(_shares(plate, *ends)))}"/>'
    )
    return plot.figure(f"{axis} ({unit})" if unit else axis, body, ends)


def timeline(
    title: str, frames: Sequence[int], lines: Sequence[tuple[str, Sequence[float]]]
) -> str:
    """Return lines over the frames, each its style and its values, 0..1."""
    plot = Plot(1272, 150)
    span = max(1, frames[-1] - frames[0])
    shares = [(number - frames[0]) / span for number in frames]
    body = "".join(
        f'<polyline class="{style}" points="{plot.points([*zip(shares, values, strict=True)])}"/>'
        for style, values in lines
    )
    return plot.figure(title, body, (frames[0], frames[-1]))


def _shares(values: Sequence[float], low: float, high: float) -> list[float]:
    """Return the height of each bin, 1 for the highest."""
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((value - low) / (high - low) * BINS))] += 1
    most = max(counts) or 1
    return [count / most for count in counts]


def _steps(shares: Sequence[float]) -> list[tuple[float, float]]:
    return [(x, share) for i, share in enumerate(shares) for x in (i / BINS, (i + 1) / BINS)]


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
