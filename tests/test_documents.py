"""README and docs/: links lead somewhere, commands parse, the knobs are those of the nodes."""

import re
import shlex
from pathlib import Path

import pytest

from lifemask.plugin.commands.cli import parser
from lifemask.plugin.packaging import knob_table

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page):
    """Return what GitHub calls the headings of a page."""
    titles = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)]*)\)", page.read_text(encoding="utf-8"))
    for link in links:
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@every_page
def test_files_of_the_code_are_there(page):
    named = re.findall(r"`((?:plugin|nodes|ocio|tests)/[\w./]*)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@every_page
def test_commands_are_commands(page):
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^lifemask .*", text, re.MULTILINE):
        words = shlex.split(re.sub(r"\s#\s.*", "", line))[1:]
        parser().parse_args(["base" if "--base" in words else words[0], *words[1:]])


def test_the_page_of_knobs_is_as_the_nodes_declare_them():
    page = (ROOT / knob_table.PAGE).read_text(encoding="utf-8")
    assert page == knob_table.page(), "run: make generated"
