"""A node is declared once: its package in a folder of a studio's own is seen everywhere."""

import json
import os
import subprocess
import sys
from importlib import import_module

import page_example
import pytest
from blenders import BLENDERS, Blender
from conftest import SPACE, small_plate
from fake_nuke import running
from limit import LONG
from nk_reader import read
from nuke_artist import READ, SHOT, Artist, StandIn

from lifemask.plugin.commands.cli import main
from lifemask.plugin.packaging.gizmo import BUTTON
from lifemask.plugin.worker.client import Client

CLI = ("-m", "lifemask.plugin.commands.cli")


def child(nodes, *words):
    """Return a Python that finds the ``nodes``, too, and has run."""
    environment = {**os.environ, "LIFEMASK_NODES": str(nodes)}
    python = [sys.executable, *map(str, words)]
    return subprocess.run(python, env=environment, capture_output=True, text=True, check=False)


def python(nodes, *words):
    """Return what such a Python prints."""
    done = child(nodes, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def packed(nodes, host, folder):
    """Return the ``folder`` that a host gets, with the ``nodes``."""
    python(nodes, "-m", f"lifemask.plugin.packaging.{host}_folder", folder)
    return folder


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Return a studio's folder of nodes, with the toy in it."""
    return page_example.write(tmp_path_factory.mktemp("studio é"))


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    """Return the plate of a shot."""
    return small_plate(tmp_path_factory.mktemp("plate")).sequence.path


@pytest.fixture
def shot(plate, tmp_path):
    """Return the folder of a shot that has nothing but its plate."""
    words = ["--plate", plate, "--colorspace", SPACE, "--fps", "24"]
    assert main(["shot", "new", str(tmp_path / "sh010"), *words]) == 0
    return tmp_path / "sh010"


@pytest.fixture(scope="module")
def declared(nodes):
    """Return what hosts are told of the nodes and commands."""
    module = "lifemask.plugin.packaging.declarations"
    return json.loads(python(nodes, "-c", f"from {module} import declared; print(declared())"))


@pytest.fixture(scope="module")
def nuke_folder(nodes, tmp_path_factory):
    """Return the folder for Nuke's plug-in path."""
    return packed(nodes, "nuke", tmp_path_factory.mktemp("nuke") / "Lifemask")


@pytest.fixture(scope="module")
def group(nuke_folder):
    """Return the gizmo as Nuke reads it."""
    return read((nuke_folder / "gizmos/LifemaskSwap.gizmo").read_text(encoding="utf-8")).children[0]


def brightness(shot, version=1):
    return json.loads((shot / f"toys/sh010_v{version:03d}.json").read_text())


def test_it_is_a_command_that_makes_versions(nodes, shot):
    said = python(nodes, *CLI, "toy", shot, "--frames", "1001-1002")
    assert said.splitlines() == [f"toy: {shot}/toys/sh010_v001.json", "frames: 2"]
    python(nodes, *CLI, "toy", shot, "--gain", "2", "--unit", "percent")
    once, twice = brightness(shot), brightness(shot, 2)
    assert len(twice) == 8
    assert {n: twice[n] for n in once} == pytest.approx({n: 200 * once[n] for n in once})
    told = json.loads(python(nodes, *CLI, "shot", "info", shot, "--json"))
    assert told["versions"]["toys"] == {"sh010": [1, 2]}
    assert told["missing"]["toy"] == ""
    assert "Write how bright each frame of the plate is." in python(nodes, *CLI, "--help")


def test_its_knob_is_checked_as_any_other_and_the_shot_keeps_it(nodes, shot):
    toml = shot / "shot.toml"
    toml.write_text(toml.read_text() + "\n[knobs.toy]\ngain = 11\n")
    refused = child(nodes, *CLI, "toy", shot)
    assert refused.returncode == 1
    assert refused.stderr.endswith("knobs.toy.gain: 11 is outside 0..10\n")


def test_it_is_a_method_of_the_worker(nodes, shot, tmp_path, monkeypatch):
    monkeypatch.setenv("LIFEMASK_NODES", str(nodes))
    client = Client([sys.executable, *CLI, "worker"], logs=str(tmp_path / "logs"), patience=LONG)
    try:
        wrong = client.submit("toy", {"shot": str(shot), "gain": 11.0}, lambda job, what: None)
        client.wait(wrong, LONG)
        assert wrong.message == "gain: 11.0 is outside 0..10"
        job = client.submit("toy", {"shot": str(shot), "frames": "1001"}, lambda job, what: None)
        client.wait(job, LONG)
        assert job.result == {"toy": f"{shot}/toys/sh010_v001.json", "frames": 1}
    finally:
        client.close()
    assert [*brightness(shot)] == ["1001"]


def test_hosts_are_told_of_it(declared):
    node, command = declared["nodes"]["Toy"], declared["commands"]["toy"]
    assert node["summary"] == "Measure how bright each frame of a plate is."
    (knob,) = node["knobs"]
    assert (knob["id"], knob["kind"], knob["min"], knob["max"]) == ("toy_gain", "float", 0, 10)
    assert command["button"]["section"] == "Toys"
    assert [param["name"] for param in command["params"]][:3] == ["shot", "frames", "unit"]


def test_its_knobs_have_a_table(nodes):
    table = python(
        nodes, "-c", "from lifemask.plugin.packaging import knob_table as t; print(t.page())"
    )
    assert "## Toy\nMeasure how bright each frame of a plate is." in table
    assert "| `gain` | 0 to 10 | 1.0 | Multiplies the brightness. |" in table


def test_nuke_has_its_knobs_and_its_button(group):
    names = [knob.name for knob in group.user]
    heading, unit, button = (names.index(name) for name in ("toys_line", "unit", "toy"))
    assert (unit, button) == (heading + 1, heading + 2)
    assert group.user_knob("unit").words["M"] == "linear percent"
    gain = group.user_knob("toy_gain")
    assert (gain.words["R"], group.knobs["toy_gain"]) == ("0 10", "1")
    assert names.index("toy_gain") == names.index("toy_tab") + 1


def test_its_button_in_nuke_renders_the_plate_and_asks_the_worker(
    nuke_folder, plate, tmp_path, monkeypatch
):
    gizmo = (nuke_folder / "gizmos/LifemaskSwap.gizmo").read_text(encoding="utf-8")
    with running(nuke_folder) as start:
        fake = start()
        session = sys.modules["lifemask_nuke.hosts.nuke.session"]
        client = StandIn()
        client.info = SHOT
        monkeypatch.setitem(session._clients, "", client)
        fake.footage = plate
        node = fake.add(gizmo, "Lifemask1")
        node.setInput(0, fake.add(READ.format(plate), "plate"))
        node["shot"].setValue(f"{tmp_path}/sh010")
        node["toy_gain"].setValue(2.0)
        artist = Artist(fake, node, client, session)
        artist.press("toy")
        ((method, params),) = client.jobs()
        shown = import_module("lifemask_nuke.hosts.nuke.panel_state").shown()
    assert method == "toy"
    assert (params["shot"], params["gain"]) == (f"{tmp_path}/sh010", 2.0)
    assert (tmp_path / "sh010/plate/plate.1001.exr").is_file()
    assert "toy" in [button.name for button in shown]


@pytest.mark.parametrize("made", BLENDERS, ids=lambda made: made.parent.name[14:])
def test_blender_has_its_property_and_its_button(made, nodes, group, plate, tmp_path, monkeypatch):
    monkeypatch.setenv("LIFEMASK_NODES", str(nodes))
    blender = Blender(made, tmp_path)
    folder = packed(nodes, "blender", tmp_path / "extension")
    file = blender.built(folder, tmp_path / "lifemask_blender.zip")
    first = plate.replace("####", "1001")
    given = {"zip": str(file), "plate": first, "shot": str(tmp_path / "sh010")}
    told = blender.play("toy", **given)
    assert told["gain"] == [0.0, 10.0, 1.0]
    assert told["units"] == ["linear", "percent"]
    labels = [knob.words["l"] for knob in group.user if knob.kind == BUTTON]
    assert "Toy" in told["drawn"]
    assert [label for label in told["drawn"] if label in labels] == told["shown"]
    assert {*told["shown"]} < {*labels}
    assert len(brightness(tmp_path / "sh010")) == 2


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('name = "toy"', 'name = "swap"', "toy.on_shot: there is a command swap already"),
        ('"shot new"', '"shot old"', "toy.on_shot: shot old is no command; it cannot be needed"),
    ],
)
def test_what_a_node_declares_wrong_is_said(tmp_path, line, instead, said):
    file = page_example.write(tmp_path) / "toy/on_shot.py"
    file.write_text(file.read_text().replace(line, instead))
    refused = child(tmp_path, *CLI, "--help")
    assert refused.returncode == 1
    assert refused.stderr == f"lifemask: lifemask.nodes.{said}\n"


@pytest.mark.parametrize("wrong", ["def", "import no_such_library", "1 / 0"])
def test_a_node_that_cannot_be_imported_is_named_in_one_sentence(tmp_path, wrong):
    page_example.write(tmp_path)
    (tmp_path / "toy/__init__.py").write_text(wrong)
    done = child(tmp_path, "-m", "lifemask.plugin", "--help")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"lifemask: {tmp_path / 'toy'}: this node cannot be imported (")
