"""The HTML page that every report fills."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template


def page(title: str, body: str) -> str:
    """Return a self-contained page."""
    return filled("lifemask.nodes.html", "page.html", {"title": escape(title), "body": body})


def filled(package: str, file: str, values: Mapping[str, object]) -> str:
    """Return the template ``file`` of a ``package`` with its ``values`` in place."""
    text = (files(package) / file).read_text(encoding="utf-8")
    return Template(text).substitute(values)
