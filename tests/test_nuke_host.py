"""What runs in Nuke, under a strict Nuke: its start, its threads, the plate's way to disk."""

import ast
import importlib
import os
import runpy
import sys
import threading
import types
from pathlib import Path

import fake_nuke
import pytest
from fake_nuke import CLASSES, KNOBS, FakeNuke, running

from lifemask.nodes.errors import WriteError
from lifemask.plugin.client import Client, Job
from lifemask.plugin.gizmo import FILE
from lifemask.plugin.nuke_folder import assemble, contents

STUBS = Path(importlib.metadata.distribution("types-nuke").locate_file("nuke-stubs"))
GIZMO = FILE.read_text(encoding="utf-8")
READ = 'Read {{\n inputs 0\n file "{}"\n name plate\n}}\n'
OPEN = {"print", "__import__"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Return the folder that a user puts on Nuke's plug-in path."""
    return assemble(tmp_path_factory.mktemp("plug in é") / "Lifemask")


@pytest.fixture
def started(folder):
    """Return a function that starts a Nuke with the folder on its plug-in path."""
    with running(folder) as start:
        yield start


class StandIn(Client):
    """A client whose worker is this test: what is asked is kept, and answered by hand."""

    def __init__(self, *_):
        super().__init__()
        self.asked, self.info, self.stopped = [], None, []

    def submit(self, method, params, changed=lambda job, what: None):
        job = Job(len(self.asked) + 1, method, dict(params))
        self.asked.append((job, changed))
        if method == "shot info":
            self.answer(job, self.info)
        return job

    def answer(self, job, result, state="done", message=""):
        changed = next(known for one, known in self.asked if one is job)

        def tell():
            job.state, job.result, job.message = state, result, message
            job.kind = "ShotError" if state == "failed" else ""
            changed(job, state)

        if self.info is None and job.method == "shot info":
            state, message = "failed", "there is no shot here"
        self._events.put(tell)

    def told(self, job, what, **values):
        vars(job).update(values)
        next(known for one, known in self.asked if one is job)(job, what)

    def cancel(self, job):
        self.stopped.append(job)

    def jobs(self):
        return [(job.method, job.params) for job, _ in self.asked if job.method != "shot info"]


@pytest.fixture
def desk(started, tmp_path, monkeypatch):
    """Return a Nuke with a node whose plate is a sequence of frames, and the worker's stand-in."""
    fake = started()
    session = sys.modules["lifemask_nuke.in_nuke.session"]
    client = StandIn()
    monkeypatch.setitem(session._clients, "", client)
    footage = tmp_path / "footage"
    footage.mkdir()
    for frame in range(fake.first, fake.last + 1):
        (footage / f"p.{frame}.exr").write_bytes(b"pixels")
    fake.footage = f"{footage}/p.####.exr"
    node = fake.add(GIZMO, "Lifemask1")
    node.setInput(0, fake.add(READ.format(fake.footage), "plate"))
    node["shot"]._value = str(tmp_path / "sh 010")
    return Desktop(fake, node, client, session)


class Desktop:
    """An artist in front of a Nuke."""

    def __init__(self, fake, node, client, session):
        self.fake, self.node, self.client, self.session = fake, node, client, session

    def press(self, button):
        self.fake.press(self.node, button)
        self.settle()

    def settle(self):
        """Let everything happen that is on its way."""
        for _ in range(20):
            self.client.pump()
            for render in [render for render in self.fake.renders if not render.get("done")]:
                self.fake._render(render)
            while not self.fake._queue.empty():
                self.fake._run_posted()

    def text(self, name="told"):
        return self.node[name].value()

    @property
    def plate(self):
        return Path(self.node["shot"].value(), "plate")


SHOT = {
    "name": "sh 010",
    "performers": ["ada"],
    "people": {"p1": {"frames": 8, "seen": 7}},
    "versions": {"facesets": {"ada": [1]}},
    "releases": {"ada": ""},
    "advice": {"ada": ["Shoot the left profile."]},
    "missing": {"release add": "", "track": "", "faceset": "", "swap": "nothing yet", "look": ""},
    "next": "swap",
}


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


def test_the_folder_has_two_files_on_top_and_everything_that_is_imported(folder):
    assert {file.name for file in folder.iterdir() if file.is_file()} == {"init.py", "menu.py"}
    assert set(contents().values()) == {
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    }


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


def test_starting_changes_no_path_and_shows_the_gizmo(started, folder):
    before = list(sys.path)
    fake = started()
    assert sys.path == before
    assert fake.plugin_path == [(folder / "gizmos").as_posix()]
    assert sys.modules["lifemask_nuke"].__file__ == str(folder / "lifemask_nuke/__init__.py")
    third_party = {"numpy", "torch", "lifemask.nodes"}
    sources = {
        getattr(module, "__file__", "") or ""
        for name, module in sys.modules.items()
        if name.startswith("lifemask_nuke")
    }
    assert all(str(folder) in source for source in sources)
    assert not third_party & {name for name in sys.modules if name.startswith("lifemask_nuke")}


def test_the_menu_makes_the_node_and_registers_the_panel(started, folder, monkeypatch):
    fake = started()
    registered = []
    panel = types.ModuleType("lifemask_nuke.in_nuke.panel")
    panel.register = lambda: registered.append("panel")
    monkeypatch.setitem(sys.modules, panel.__name__, panel)
    monkeypatch.setattr(sys.modules["lifemask_nuke.in_nuke"], "panel", panel, raising=False)
    runpy.run_path(str(folder / "menu.py"))
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
    assert sys.modules["lifemask_nuke.in_nuke.knobs"].working_space(nuke) == ours


def test_without_a_shot_the_button_says_so(desk):
    desk.node["shot"]._value = ""
    desk.press("track")
    assert desk.fake.messages == ["Fill in shot first."]
    assert desk.text() == "Fill in shot first."
    assert desk.client.jobs() == []


def test_a_folder_without_a_shot_names_what_to_press(desk):
    desk.press("track")
    assert desk.fake.messages == ["Press New shot first: there is no shot in this folder."]


def test_without_a_plate_the_button_says_what_to_connect(desk):
    desk.node.setInput(0, None)
    desk.press("shot_new")
    assert desk.fake.messages == ["Lifemask1: connect plate first."]
    assert not desk.fake.renders


def test_a_frame_range_that_is_none_is_refused(desk):
    desk.node["frames"]._value = "1001-"
    desk.press("shot_new")
    assert desk.fake.messages == ["'1001-' is not a frame range such as 1001-1096x2"]


def rendered(desk):
    return [frames for render in desk.fake.renders for _, frames in render["work"]]


def test_the_plate_goes_to_disk_in_the_background_and_then_the_job_goes_out(desk):
    desk.press("shot_new")
    assert rendered(desk) == [list(range(1001, 1009))]
    assert sorted(file.name for file in desk.plate.glob("*.exr")) == [
        f"plate.{frame}.exr" for frame in range(1001, 1009)
    ]
    ((method, params),) = desk.client.jobs()
    assert method == "shot new"
    assert params["plate"] == f"{desk.plate}/plate.####.exr"
    write = desk.node.node("write_plate")
    assert write["disable"].value() is True
    assert fake_nuke.Undo._depth == 0


def test_only_frames_that_changed_are_rendered_again(desk):
    desk.press("shot_new")
    desk.client.answer(desk.client.asked[-1][0], {})
    desk.settle()
    desk.client.info = SHOT
    desk.press("track")
    assert len(desk.fake.renders) == 1
    source = Path(desk.fake.footage.replace("####", "1003"))
    os.utime(source, ns=(1, 1))
    desk.client.answer(desk.client.asked[-2][0], {})
    desk.settle()
    desk.press("track")
    assert rendered(desk)[-1] == [1003]
    plate = desk.node.input(0)
    desk.client.answer([job for job, _ in desk.client.asked if job.method == "track"][-1], {})
    desk.settle()
    plate["first"].setValue(7)
    desk.press("track")
    assert rendered(desk)[-1] == list(range(1001, 1009))


def test_moving_a_node_in_the_graph_changes_nothing(desk):
    upstream = sys.modules["lifemask_nuke.in_nuke.upstream"]
    plate = desk.node.input(0)
    plate._knobs["xpos"] = fake_nuke.Int_Knob(plate, "xpos", 0)
    before = upstream.digest(plate, 1001)
    plate["xpos"].setValue(300)
    assert upstream.digest(plate, 1001) == before
    assert upstream.digest(plate, 1002) != before


def test_a_frame_that_nuke_did_not_write_is_named(desk):
    Path(desk.fake.footage.replace("####", "1004")).unlink()
    desk.press("shot_new")
    assert "plate.1004.exr: Nuke has not written this frame" in desk.fake.messages[0]
    assert desk.client.jobs() == []


def test_a_press_while_the_plate_is_written_waits(desk):
    desk.fake.press(desk.node, "shot_new")
    desk.client.pump()
    assert desk.text() == "Plate: rendering 1001-1008"
    desk.fake.press(desk.node, "track")
    assert "on its way to disk" in desk.fake.messages[0]
    desk.settle()
    assert [method for method, _ in desk.client.jobs()] == ["shot new"]


def test_stop_while_the_plate_is_written_sends_nothing(desk):
    desk.fake.press(desk.node, "shot_new")
    desk.client.pump()
    desk.press("stop")
    assert desk.client.jobs() == []
    assert not desk.session.of(desk.node).busy


def test_proxy_mode_does_not_reach_the_plate(desk):
    desk.fake.root["proxy"]._value = True
    desk.press("shot_new")
    assert len(desk.fake.renders) == 1
    assert desk.fake.root["proxy"].value() is True


def swap(desk, button="swap_frame"):
    desk.client.info = SHOT
    desk.node["likeness"].setValue("ada")
    desk.press(button)
    return desk.client.asked[-1][0]


def test_swap_frame_renders_and_asks_for_the_current_frame_alone(desk):
    job = swap(desk)
    assert rendered(desk)[0] == [1002]
    assert (job.method, job.params["frames"]) == ("swap", "1002")
    assert job.params["likeness"] == ["ada"]


def test_each_frame_is_shown_as_it_comes(desk):
    job = swap(desk, "swap_range")
    result = desk.session.of(desk.node).desk.result
    read, before = desk.node.node("result"), desk.fake.reloads
    for frame in (1003, 1004):
        path = Path(result.file(frame))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        desk.client.told(job, "frame", state="running", frames={**job.frames, frame: str(path)})
    assert desk.node["made"].value() == 1
    assert read["file"].value() == result.hashes
    assert (read["first"].value(), read["last"].value()) == (1003, 1004)
    assert desk.fake.reloads == before + 2
    assert "not whole EXR" in desk.text("result_state")


def test_progress_is_nukes_own_and_its_cancel_stops_the_job(desk):
    job = swap(desk)
    desk.client.told(job, "progress", state="running", task="swap", done=1, total=4)
    task = desk.session.of(desk.node)._task
    assert task._told[-2:] == ["Swap: swap 1 of 4", 25]
    task._cancelled = True
    desk.client.told(job, "progress", done=2)
    assert desk.client.stopped == [job]
    desk.client.answer(job, None, "stopped")
    desk.settle()
    assert desk.session.of(desk.node)._task is None


def test_what_the_shot_has_is_told_in_words(desk):
    swap(desk)
    assert desk.text("seen") == "p1: seen in 7 of 8 frames"
    assert desk.text("consent") == "ada consents"
    assert desk.text("footage") == "Shoot the left profile."
    assert desk.text("next_step") == "Press Swap frame: nothing yet."
    assert desk.node["person"].values() == ["everybody", "p1"]


def test_a_failed_job_tells_why_as_plain_text(desk):
    job = swap(desk)
    desk.client.answer(job, None, "failed", "a <b> & c")
    desk.settle()
    assert desk.text() == "a &lt;b> &amp; c"


def test_fixes_that_are_connected_are_copied_to_the_shot(desk):
    desk.press("copy_fixes")
    assert "Connect a roto or paint first" in desk.fake.messages[0]
    for index in (1, 3):
        desk.node.setInput(index, desk.node.input(0))
    desk.node["fix_frames"].setValue("1002-1003")
    desk.press("copy_fixes")
    fixes = Path(desk.node["shot"].value(), "fixes")
    assert sorted(file.name for file in fixes.iterdir()) == [
        f"{name}.{frame}.exr" for name in ("add", "paint") for frame in (1002, 1003)
    ]
    assert desk.text() == "Copied to fixes/: add, paint, frame 1002-1003."


def test_stop_stops_and_a_node_that_goes_stops_too(desk):
    job = swap(desk)
    desk.press("stop")
    assert desk.client.stopped == [job]
    desk.fake.call("OnDestroy", desk.node)
    assert desk.client.stopped == [job, job]
    assert desk.node not in desk.session._nodes


def test_the_board_shows_what_the_panel_draws(desk):
    from lifemask_nuke.in_nuke.board import board

    assert board(None).buttons == ()
    job = swap(desk)
    shown = board(desk.session.of(desk.node))
    assert (shown.name, shown.percent, shown.buttons) == ("Lifemask1", 0, ("stop",))
    desk.client.told(job, "preview", preview="/shots/preview.png")
    desk.client.told(job, "progress", state="running", task="swap", done=1, total=3)
    shown = board(desk.session.of(desk.node))
    assert (shown.percent, shown.preview) == (33, "/shots/preview.png")
    assert shown.message == "Swap: swap 1 of 3"
    assert shown.sections["Footage to shoot"] == ["Shoot the left profile."]
    assert shown.sections["People"] == ["p1: seen in 7 of 8 frames"]
    desk.client.answer(job, {})
    desk.settle()
    shown = board(desk.session.of(desk.node))
    assert shown.percent is None
    assert {"track", "swap_frame"} <= set(shown.buttons)
    assert "stop" not in shown.buttons


class Obliging(StandIn):
    """A worker's stand-in that does what it is asked at once."""

    def submit(self, method, params, changed=lambda job, what: None):
        job = super().submit(method, params, changed)
        if method != "shot info":
            self.answer(job, {})
        return job


def test_without_a_window_a_button_returns_when_its_work_has_ended(started, tmp_path, monkeypatch):
    fake = started(gui=False)
    session = sys.modules["lifemask_nuke.in_nuke.session"]
    client = Obliging()
    client.info = SHOT
    monkeypatch.setitem(session._clients, "", client)
    fake.first = fake.last = 1002
    (tmp_path / "p.1002.exr").write_bytes(b"pixels")
    fake.footage = f"{tmp_path}/p.####.exr"
    node = fake.add(GIZMO, "Lifemask1")
    node.setInput(0, fake.add(READ.format(fake.footage), "plate"))
    node["shot"]._value = str(tmp_path / "sh010")
    fake.press(node, "track")
    assert node["told"].value() == "Track: done."
    assert Path(node["shot"].value(), "plate/plate.1002.exr").read_bytes() == b"pixels"
    assert not fake.renders
    fake.press(node, "swap_frame")
    assert fake.messages == ["Fill in likeness first."]


def test_a_node_of_an_older_lifemask_works_with_its_own_knobs(desk):
    del desk.node._knobs["count"], desk.node._knobs["swap_mouth"]
    job = swap(desk)
    assert job.method == "swap"


def test_other_groups_are_left_alone(desk):
    group = desk.fake.add("Group {\n name other\n addUserKnob {1 shot l x}\n}\nend_group\n", "g")
    group["shot"].setValue("a")
    assert desk.session.nodes() == [desk.node]
    assert list(desk.session._nodes) == []


def test_the_worker_comes_from_the_studio_or_the_artist(started, tmp_path, monkeypatch):
    fake = started()
    settings = sys.modules["lifemask_nuke.in_nuke.settings"]
    session = sys.modules["lifemask_nuke.in_nuke.session"]
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
    assert "the worker cannot be started with this command" in fake.messages[0]
