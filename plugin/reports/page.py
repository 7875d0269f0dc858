"""The report pages of a swap and of a faceset: single files that need no server."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from lifemask.nodes.faceset.coverage_page import coverage
from lifemask.nodes.html.template import filled, page

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
    expression: str
    facts: Mapping[str, str]
    provenance: Mapping[str, str]
    coverage: Mapping[str, Mapping[str, Any]]

    def html(self) -> str:
        """Return the page."""
        facts = (f"{escape(word)} <b>{escape(fact)}</b>" for word, fact in self.facts.items())
        rows = (
            f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in self.provenance.items()
        )
        values = {
            "title": escape(self.title),
            "frame": self.frame,
            "facts": " &nbsp;&middot;&nbsp; ".join(facts),
            "before": _uri(self.before, "image/jpeg"),
            "after": _uri(self.after, "image/jpeg"),
            "sheet": _uri(self.sheet, "image/jpeg"),
            "movie": self._movie(),
            "timeline": self.timeline,
            "expression": self._expression(),
            "coverage": "".join(coverage(name, report) for name, report in self.coverage.items()),
            "provenance": "".join(rows),
        }
        return page(self.title, filled("lifemask.plugin.reports", "swap.html", values))

    def _expression(self) -> str:
        if not self.expression:
            return ""
        return (
            '<h2>Expression</h2><p class="key">'
            '<em class="line" style="--swatch:var(--plate)">the plate</em>'
            '<em class="line" style="--swatch:var(--likeness)">the swap, tracked again</em>'
            "Apart means: the performance is lost there. All are over the eyes' distance.</p>"
            f'<div class="wide">{self.expression}</div>'
        )

    def _movie(self) -> str:
        if len(self.movie) > LARGEST_MOVIE:
            return "<p>The movie is too large for this page; it lies beside it.</p>"
        uri = _uri(self.movie, "video/mp4")
        return f'<video src="{uri}" controls loop muted playsinline></video>'


def _uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{b64encode(data).decode('ascii')}"
