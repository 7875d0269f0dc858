"""Rules that hold for every node, present and future, and for what may import what."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lifemask.nodes import Node
from lifemask.nodes.errors import KnobError
from lifemask.nodes.shot.knob_values import snake
from lifemask.plugin.commands.arguments import typed
from lifemask.plugin.commands.catalog import commands
from lifemask.plugin.commands.cli import parser

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torch",
    "numpy",
    "cv2",
    "OpenImageIO",
    "PyOpenColorIO",
    "OpenEXR",
    "av",
    "rich",
    "fileseq",
    "tomlkit",
}
BELOW = {"gizmos": [], "ocio": [], "nodes": ["ocio"], "plugin": ["nodes", "ocio", "gizmos"]}

every_node = pytest.mark.parametrize("node", Node.registry.values(), ids=list(Node.registry))


def child(code):
    return subprocess.check_output([sys.executable, "-W", "ignore", "-c", code], text=True).split()


@every_node
def test_builds_with_its_defaults(node):
    assert node() == node()


@every_node
def test_is_documented(node):
    assert node.summary().endswith(".")
    assert node.__doc__ != Node.__doc__
    assert all(knob.doc.endswith(".") for knob in node.knobs())


@every_node
def test_refuses_what_a_knob_does_not_allow_and_names_it(node):
    for knob in node.knobs():
        bad = [[], None, *([] if knob.kind is bool else [True])]
        if knob.kind in (int, float):
            bad += [knob.min - 1, knob.max + 1, float("nan")]
        for value in bad:
            if value not in (float("inf"), float("-inf")):
                with pytest.raises(KnobError, match=knob.name):
                    node(**{knob.name: value})


@every_node
def test_is_one_package_of_the_same_name(node):
    assert node.__module__.rpartition(".")[2] == snake(node.__name__)


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_no_knob_has_the_name_of_an_option(command):
    names = [option.name for option in command.options()]
    names += [knob.name for knob in (command.node.knobs() if command.node else ())]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_what_a_command_needs_is_there(command):
    known = {other.name for other in commands()}
    assert {*command.needs, *command.uses} <= known
    assert command.help().endswith(".")
    assert all(option.doc.endswith(".") for option in command.options())


def test_commands_come_in_the_order_of_a_shot():
    names = [command.name for command in commands()]
    places = {name: place for place, name in enumerate(names)}
    for command in commands():
        assert all(places[name] < places[command.name] for name in command.needs + command.uses)
    assert names[0] == "shot new"
    benchmarks = [f"benchmark {name}" for name in ("faces", "self", "swap", "train")]
    assert names[-5:] == ["base", *benchmarks]


@pytest.mark.parametrize("part", BELOW)
def test_arrows_go_one_way(part):
    code = f"""
import importlib, pkgutil, sys, lifemask.{part} as part
for module in pkgutil.walk_packages(part.__path__, part.__name__ + "."):
    if not {{"nuke", "blender"}} & {{*module.name.split(".")}}:  # those run in their hosts only
        importlib.import_module(module.name)
print(*{{name.split(".")[1] for name in sys.modules if name.startswith("lifemask.")}})
"""
    assert set(child(code)) <= {part, *BELOW[part]}


@pytest.mark.parametrize("part", BELOW)
def test_arrows_go_one_way_inside_functions_too(part):
    above = set(BELOW) - {part, *BELOW[part]}
    for file in (ROOT / part).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert (
                not {name.split(".")[1] for name in names if name.startswith("lifemask.")} & above
            ), file


@pytest.mark.parametrize(
    "code", ["import lifemask.nodes", "from lifemask.plugin.commands.cli import parser; parser()"]
)
def test_declaring_stays_light(code):
    assert child(f"import sys; {code}; print(*{HEAVY!r} & sys.modules.keys())") == []


def test_every_knob_is_an_option():
    words = subprocess.check_output(
        [sys.executable, "-m", "lifemask.plugin.commands.cli", "track", "-h"], text=True
    )
    flags = {"--" + knob.name.replace("_", "-") for knob in Node.registry["Track"].knobs()}
    assert all(flag in words for flag in flags)
    assert typed(parser().parse_args(["track", "sh010"])).name == "track"
