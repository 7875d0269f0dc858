"""Nuke's start with Lifemask's folder, under a strict Nuke: no path changed, no thread mixed up."""

import ast
import importlib
import runpy
import sys
import threading
import types
from pathlib import Path

import pytest
from fake_nuke import FakeNuke
from fake_nuke_nodes import CLASSES, KNOBS
from nuke_artist import GIZMO

from lifemask.nodes.errors import WriteError
from lifemask.plugin.packaging.gizmo import FILE
from lifemask.plugin.packaging.nuke_folder import assemble, contents, generated

STUBS = Path(importlib.metadata.distribution("types-nuke").locate_file("nuke-stubs"))


def test_the_strict_nuke_has_nothing_that_nuke_has_not():
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in STUBS.glob("*.pyi")]
    known, homes = set(), {}
    for node in (node for tree in trees for node in tree.body):
        if isinstance(node, ast.ClassDef):
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            own = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            homes[node.name] = own, bases
        known |= {getattr(node, "name", "")}
        targets = [node.target] if isinstance(node, ast.AnnAssign) else []
        known |= {target.id for target in targets} | {
            alias.name for alias in getattr(node, "names", [])
        }

    def methods(name):
        own, bases = homes.get(name, (set(), set()))
        return own.union(*map(methods, bases))

    module = FakeNuke().module
    missing = {name for name in vars(module) if not name.startswith("_")} - known
    assert missing <= {"INPUTS", "HIDDEN_INPUTS", "EXPRESSIONS", "LINKINPUTS"}
    for kind in (*CLASSES, *KNOBS):
        own = {name for name in dir(kind) if not name.startswith("_")}
        assert own <= methods(kind.__name__), kind.__name__


def test_the_strict_nuke_refuses_other_threads_and_other_names(started):
    fake = started()
    node = fake.add(GIZMO, "Lifemask1")
    raised = []

    def elsewhere():
        for call in (node.name, fake.module.root, lambda: node["shot"]):
            try:
                call()
            except RuntimeError as error:
                raised.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(raised) == 3
    with pytest.raises(AttributeError):
        fake.module.exec("x")
    with pytest.raises(NameError):
        node["shott"]
    with pytest.raises(TypeError):
        node["swap_scale"].setValue("1")


def test_the_folder_has_two_files_on_top_and_everything_that_is_imported(tmp_path):
    folder = assemble(tmp_path / "Lifemask")
    assert {file.name for file in folder.iterdir() if file.is_file()} == {"init.py", "menu.py"}
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert there == {*contents().values(), *generated()}


def test_a_folder_that_is_somebody_elses_is_not_replaced(tmp_path):
    (tmp_path / "keep.txt").touch()
    with pytest.raises(WriteError, match="no folder of Lifemask's"):
        assemble(tmp_path)
    assert (tmp_path / "keep.txt").exists()


@pytest.mark.parametrize("file", [f for f in contents() if f.suffix == ".py"], ids=lambda f: f.name)
def test_host_code_is_python_3_9_and_imports_the_standard_library_and_nuke_only(file):
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
    hosts = {"nuke", "nukescripts", "PySide2", "PySide6", "lifemask_nuke"}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
        tops = {name.partition(".")[0] for name in names}
        assert tops <= set(sys.stdlib_module_names) | hosts


def test_starting_changes_no_path_and_shows_the_gizmo(started, nuke_folder):
    before = list(sys.path)
    fake = started()
    assert sys.path == before
    assert fake.plugin_path == [(nuke_folder / "gizmos").as_posix()]
    assert sys.modules["lifemask_nuke"].__file__ == str(nuke_folder / "lifemask_nuke/__init__.py")
    third_party = {"numpy", "torch", "lifemask.nodes"}
    sources = {
        getattr(module, "__file__", "") or ""
        for name, module in sys.modules.items()
        if name.startswith("lifemask_nuke")
    }
    assert all(str(nuke_folder) in source for source in sources)
    assert not third_party & {name for name in sys.modules if name.startswith("lifemask_nuke")}


def test_the_menu_makes_the_node_and_registers_the_panel(started, nuke_folder, monkeypatch):
    fake = started()
    registered = []
    panel = types.ModuleType("lifemask_nuke.hosts.nuke.panel")
    panel.register = lambda: registered.append("panel")
    monkeypatch.setitem(sys.modules, panel.__name__, panel)
    monkeypatch.setattr(sys.modules["lifemask_nuke.hosts.nuke"], "panel", panel, raising=False)
    runpy.run_path(str(nuke_folder / "menu.py"))
    (command,) = [
        item
        for name, item in fake.menus["Nodes"]._items["Lifemask"]._items.items()
        if name == "Swap"
    ]
    assert command == f"nuke.createNode('{FILE.stem}')"
    assert registered == ["panel"]


def test_a_new_node_knows_the_scripts_rate_and_space(started):
    fake = started()
    node = fake.add(GIZMO, "Lifemask1")
    assert node["fps"].value() == 24.0
    assert node["colorspace"].value() == "Linear Rec.709 (sRGB)"


@pytest.mark.parametrize(
    ("nuke", "ours"),
    [
        ("ACES - ACEScg", "ACEScg"),
        ("scene_linear (ACES - ACEScg)", "ACEScg"),
        ("ACEScg", "ACEScg"),
        ("linear", "Linear Rec.709 (sRGB)"),
    ],
)
def test_working_spaces_by_their_openexr_names(started, nuke, ours):
    started()
    assert sys.modules["lifemask_nuke.hosts.nuke.knobs"].working_space(nuke) == ours


def test_the_worker_comes_from_the_studio_or_the_artist(started, tmp_path, monkeypatch):
    fake = started()
    settings = sys.modules["lifemask_nuke.hosts.nuke.settings"]
    session = sys.modules["lifemask_nuke.hosts.nuke.session"]
    monkeypatch.setattr(settings, "FILE", tmp_path / "nuke/lifemask.json")
    monkeypatch.delenv("LIFEMASK_WORKER", raising=False)
    assert settings.command() == "lifemask worker"
    fake.answers = ["ssh gpu01 lifemask worker"]
    session.ask_for_worker()
    assert settings.command() == "ssh gpu01 lifemask worker"
    monkeypatch.setenv("LIFEMASK_WORKER", "box run lifemask")
    monkeypatch.setenv("LIFEMASK_PATHS", "P:/=/mnt/p; Q:/=/mnt/q")
    assert settings.command() == "box run lifemask"
    assert settings.paths() == [("P:/", "/mnt/p"), ("Q:/", "/mnt/q")]


def test_a_worker_that_cannot_be_started_is_said_in_one_sentence(started, tmp_path, monkeypatch):
    monkeypatch.setenv("LIFEMASK_WORKER", "/no/such/lifemask worker")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    fake = started()
    node = fake.add(GIZMO, "Lifemask1")
    node["shot"]._value = str(tmp_path / "sh010")
    fake.press(node, "track")
    fake.pump(lambda: fake.messages)
    assert "worker cannot be started" in fake.messages[0]
    assert "/no/such/lifemask" in fake.messages[0]
