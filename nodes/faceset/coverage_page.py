"""The report page of a faceset: what to shoot more of, and a plot for each axis."""

from collections.abc import Mapping
from html import escape
from typing import Any

from lifemask.nodes.faceset.files import reasons
from lifemask.nodes.html.plots import histograms
from lifemask.nodes.html.template import page


def coverage_page(title: str, name: str, report: Mapping[str, Any]) -> str:
    """Return a page of its own about one faceset."""
    body = f"<header><h1>{escape(title)}</h1></header>{coverage(name, report)}"
    return page(title, body)


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


def _counts(report: Mapping[str, Any]) -> str:
    why = reasons(report.get("dropped", {}))
    kept = f"{report.get('kept', 0)} faces kept"
    return f"{kept}; left out: {why}." if why else f"{kept}; none left out."
