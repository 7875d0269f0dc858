"""README and docs/: links lead somewhere, commands parse, the knobs are those of the nodes."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import page_example
import pytest

from lifemask.nodes.shot.folder import Shot
from lifemask.plugin.commands.catalog import commands, nodes
from lifemask.plugin.commands.cli import parser
from lifemask.plugin.packaging import knob_table

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = {"--gpus", "--logdir"}
"""Options of other programs."""

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
def test_what_is_named_of_the_code_is_there(page):
    named = re.findall(r"`((?:plugin|nodes|ocio|tests)/[\w./]*)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
    for name, file in re.findall(r"`(\w+)` in `([\w./]+\.py)`", page.read_text(encoding="utf-8")):
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8")), (name, file)


@every_page
def test_commands_are_commands(page):
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^lifemask .*", text, re.MULTILINE):
        words = shlex.split(re.sub(r"\s#\s.*", "", line))[1:]
        parser().parse_args(["base" if "--base" in words else words[0], *words[1:]])


@every_page
def test_options_in_the_text_are_options(page):
    knobs = [knob.name for node in nodes() for knob in node.knobs()]
    options = [option.name for command in commands() for option in command.options()]
    known = {f"--{name.replace('_', '-')}" for name in [*knobs, *options, "json", "help", "base"]}
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = {
        name for code in re.findall(r"`([^`\n]*)`", text) for name in re.findall(r"--[a-z-]+", code)
    }
    assert named - known - OTHERS == set()


def test_the_page_of_knobs_is_as_the_nodes_declare_them():
    page = (ROOT / knob_table.PAGE).read_text(encoding="utf-8")
    assert page == knob_table.page(), "run: make generated"


def test_the_page_s_node_runs_by_the_page_s_commands(tmp_path):
    """Word by word, but for the folders: these are the test's own."""
    page = page_example.PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^\.venv/bin/(lifemask .*)", page, re.MULTILINE)
    assert [line.split()[1] for line in lines] == ["toy", "shot", "toy"]
    (tmp_path / "nodes").mkdir()
    nodes = str(page_example.write(tmp_path / "nodes"))
    for line in lines:
        words = shlex.split(line.replace("/tmp/sh010", str(tmp_path / "sh010")))[1:]
        command = [sys.executable, "-m", "lifemask.plugin", *words]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "LIFEMASK_NODES": nodes})
    means = json.loads((tmp_path / "sh010/toys/sh010_v001.json").read_text())
    plate = Shot.load(tmp_path / "sh010").plate
    assert list(means) == [str(number) for number in plate.frames]
    with plate.open() as reader:
        rgb = reader.read(plate.frames[3]).rgb
    assert means[str(plate.frames[3])] == pytest.approx(200 * rgb.mean())
