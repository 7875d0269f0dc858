"""The report pages of a swap and of a faceset: single files that need no server."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from lifemask.plugin.reports.plots import histograms

LARGEST_MOVIE = 24 * 2**20


@dataclass(frozen=True)
class Page:
    """The content of a page; pictures are JPEG bytes, the movie is MP4 bytes.

    ``facts`` and ``provenance`` are labels and values; ``coverage`` holds the report of each
    faceset by name, as `Faceset` wrote it.
    """

    title: str
    frame: int
    before: bytes
    after: bytes
    sheet: bytes
    movie: bytes
    timeline: str
    facts: Mapping[str, str]
    provenance: Mapping[str, str]
    coverage: Mapping[str, Mapping[str, Any]]

    def html(self) -> str:
        """Return the page."""
        facts = (f"{escape(word)} <b>{escape(fact)}</b>" for word, fact in self.facts.items())
        rows = (
            f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in self.provenance.items()
        )
        body = _filled(
            "swap.html",
            title=escape(self.title),
            frame=self.frame,
            facts=" &nbsp;&middot;&nbsp; ".join(facts),
            before=_uri(self.before, "image/jpeg"),
            after=_uri(self.after, "image/jpeg"),
            sheet=_uri(self.sheet, "image/jpeg"),
            movie=self._movie(),
            timeline=self.timeline,
            coverage="".join(coverage(name, report) for name, report in self.coverage.items()),
            provenance="".join(rows),
        )
        return _filled("page.html", title=escape(self.title), body=body)

    def _movie(self) -> str:
        if len(self.movie) > LARGEST_MOVIE:
            return "<p>The movie is too large for this page; it lies beside it.</p>"
        uri = _uri(self.movie, "video/mp4")
        return f'<video src="{uri}" controls loop muted playsinline></video>'


def coverage_page(title: str, name: str, report: Mapping[str, Any]) -> str:
    """Return a page of its own about one faceset."""
    body = f"<header><h1>{escape(title)}</h1></header>{coverage(name, report)}"
    return _filled("page.html", title=escape(title), body=body)


def coverage(name: str, report: Mapping[str, Any]) -> str:
    """Return the section about one faceset: what to shoot more of, and a plot for each axis."""
    axes = report.get("axes", {})
    plots = "".join(
        histograms(axis, values.get("unit", ""), values["likeness"], values["plate"])
        for axis, values in axes.items()
    )
    advice = "".join(f"<li>{escape(text)}</li>" for text in report.get("advice", []))
    return (
        f"<h2>Coverage of {escape(name)}</h2>"
        f'<p class="key"><em style="--swatch:var(--likeness)">{escape(name)}</em>'
        f'<em class="line" style="--swatch:var(--plate)">plate</em>{escape(_counts(report))}</p>'
        f'<ul class="advice">{advice}</ul><div class="plots">{plots}</div>'
    )


def _filled(template: str, **values: object) -> str:
    text = (files("lifemask.plugin.reports") / template).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _counts(report: Mapping[str, Any]) -> str:
    dropped: Mapping[str, int] = report.get("dropped", {})
    why = _listed([f"{count} {reason}" for reason, count in dropped.items() if count])
    kept = f"{report.get('kept', 0)} faces kept"
    return f"{kept}; left out: {why}." if why else f"{kept}; none left out."


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)


def _uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{b64encode(data).decode('ascii')}"
