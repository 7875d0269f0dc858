"""What a press sets in motion in every host: what is asked, rendered, submitted, said and shown."""

import sys

import pytest
from limit import LONG
from made_up_host import Host, Worker

from lifemask.plugin.hosts.common.controller import NodeController
from lifemask.plugin.hosts.common.declared import buttons
from lifemask.plugin.hosts.common.job_status import Status
from lifemask.plugin.hosts.common.results import Frames
from lifemask.plugin.worker.client import Client

SHOT = {"name": "sh 010", "missing": {}, "next": ""}


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path / "sh 010")


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def node(host, worker):
    return NodeController(worker, host)


def lacking(missing=(), **info):
    """A shot that misses these commands."""
    why = {name: f"no {name} yet" for name in missing}
    return {**SHOT, "missing": why, "next": next(iter(missing), ""), **info}


def pressed(node, worker, button, info=SHOT, frames=""):
    """Press a button and let the worker say what the shot has."""
    node.press(button, frames)
    worker.answer(info)
    return node.problem


def test_without_a_folder_nothing_is_asked(node, host, worker):
    host.settings["shot"] = ""
    node.press("track")
    assert node.problem == node.text == "Fill in shot first."
    assert host.refused == ["Fill in shot first."]
    assert worker.submitted == []


@pytest.mark.parametrize(
    ("button", "lacks", "said"),
    [
        ("swap_frame", "likeness", "Fill in likeness first."),
        ("release_add", "likeness", "Fill in likeness first."),
        ("release_add", "document", "Fill in document first."),
        ("release_add", "expires", "Fill in expires first."),
    ],
)
def test_what_is_not_filled_in_is_named(node, host, worker, button, lacks, said):
    host.settings[lacks] = ""
    assert pressed(node, worker, button) == said
    assert (worker.methods(), node.text, host.refused) == ([], said, [said])


def test_without_a_shot_it_says_to_make_one(node, worker):
    assert node.shot.info is None
    assert pressed(node, worker, "track", None) == (
        "Press New shot first: there is no shot in this folder."
    )
    assert node.shot.next == "Press New shot."
    assert pressed(node, worker, "shot_new", None) == ""
    assert worker.methods() == ["shot new"]


def test_why_no_shot_was_made_stays_on_show(node, worker):
    pressed(node, worker, "shot_new", None)
    worker.say(worker.jobs()[0], "failed", state="failed", message="the folder: 'sh 010' may hold")
    worker.answer(None)
    assert node.status.text == node.problem == "the folder: 'sh 010' may hold"
    node.refresh()
    worker.answer(None)
    assert (node.status.text, node.problem) == ("no", "")


@pytest.mark.parametrize(
    ("button", "missing", "said"),
    [
        ("swap_frame", ["faceset", "track"], "Press Track first: no track yet."),
        ("swap_range", ["faceset", "swap"], "Press Faceset first: no faceset yet."),
        ("swap_range", ["release add"], "Press Add release first: no release add yet."),
        ("look", ["swap"], "Press Swap frame first: no swap yet."),
        ("faceset", ["track"], "Press Track first: no track yet."),
        ("faceset", ["release add"], ""),
        ("track", ["track", "faceset", "swap"], ""),
        ("swap_frame", ["train", "swap", "look"], ""),
    ],
)
def test_it_says_what_to_press_first(node, worker, button, missing, said):
    assert pressed(node, worker, button, lacking(missing)) == said
    assert bool(said) is (worker.methods() == [])


def test_a_likeness_without_faces_needs_takes(node, host, worker):
    host.settings["takes"] = []
    info = lacking(versions={"facesets": {"double": [1]}})
    assert pressed(node, worker, "faceset", info) == (
        "Fill in takes first: there is no faceset of ada yet."
    )
    assert pressed(node, worker, "faceset", lacking(versions={"facesets": {"ada": [1]}})) == ""


@pytest.mark.parametrize("button", buttons()[:-1], ids=lambda button: button.name)
def test_what_a_button_needs_of_the_plate_is_rendered_before_its_job(node, host, worker, button):
    host.here = False
    pressed(node, worker, button.name)
    assert bool(host.waiting) is button.plate
    if button.plate:
        assert worker.methods() == []
        frames = [1002] if button.frames == "frame" else [1001, 1002, 1003, 1004]
        assert host.waiting[0][1] == frames
        host.write()
    assert worker.methods() == [button.command]


def test_only_frames_that_changed_are_rendered_again(node, host, worker):
    pressed(node, worker, "track")
    worker.say(worker.jobs()[0], "done", state="done")
    host.graph[1003], host.here = "b", False
    host.put(node.shot.plate.file(1001), "somebody else's")
    pressed(node, worker, "track")
    assert host.waiting[0][1] == [1001, 1003]


def test_what_changes_while_the_plate_is_rendered_is_rendered_by_the_next_press(node, host, worker):
    pressed(node, worker, "track")
    worker.say(worker.jobs()[0], "done", state="done")
    host.here, host.graph[1001], host.graph[1002] = False, "b", "b"
    pressed(node, worker, "track")
    host.graph[1002] = "c"
    host.put(node.shot.plate.file(1004), "somebody else's")
    host.write()
    worker.say(worker.jobs()[0], "done", state="done")
    pressed(node, worker, "track")
    assert host.waiting[0][1] == [1002, 1004]


def test_a_plate_of_its_own_is_left_to_the_shot(node, host, worker):
    info = lacking(plate={"path": "/elsewhere/p.####.exr"})
    pressed(node, worker, "swap_range", info)
    assert host.waiting == []
    assert "frames" not in worker.submitted[-1][0].params


def test_frames_that_are_named_are_those_that_are_swapped(node, host, worker):
    pressed(node, worker, "swap_range", frames="1003")
    assert worker.submitted[-1][0].params["frames"] == "1003"
    worker.say(-1, "done", state="done")
    host.settings["frames"] = "1001-1002"
    pressed(node, worker, "swap_range")
    assert worker.submitted[-1][0].params["frames"] == "1001-1002"
    worker.say(-1, "done", state="done")
    host.settings["frames"] = "1001-"
    assert "is not a frame range" in pressed(node, worker, "swap_range")


def test_an_unknown_button_is_named(node):
    with pytest.raises(RuntimeError, match="button: 'nope' is none"):
        node.press("nope")


def test_a_host_draws_how_far_it_is(node, host, worker):
    pressed(node, worker, "swap_range", frames="1001-1002")
    assert node.status == Status(True, 0.0, "Swap: waiting", "")
    worker.say(-1, "started", state="running")
    assert node.status.text == "Swap: starting"
    drawn = host.drawn
    worker.say(-1, "progress", task="swap", done=24, total=96, seconds_left=95.0)
    worker.say(-1, "preview", preview="/p.png")
    assert host.drawn == drawn + 2
    status = node.status
    assert (status.fraction, status.preview) == (0.25, "/p.png")
    assert status.text == "Swap: swap 24 of 96, 1 min 35 s left"
    worker.say(-1, "done", state="done")
    worker.answer(SHOT)
    assert node.status == Status(False, 0.0, "Swap: done.", "/p.png")


def test_a_faceset_is_made_after_the_other_and_not_after_a_failure(node, worker):
    pressed(node, worker, "faceset")
    assert worker.methods() == ["faceset"]
    worker.say(-1, "done", state="done")
    assert worker.methods() == ["faceset", "faceset"]
    worker.say(-1, "failed", state="failed", message="p1: 3 usable faces, 8 are needed")
    worker.answer(SHOT)
    assert node.status == Status(False, 0.0, "p1: 3 usable faces, 8 are needed", "")
    pressed(node, worker, "faceset")
    worker.say(-1, "failed", state="failed", message="ada: no faces")
    worker.answer(SHOT)
    assert (len(worker.methods()), node.text) == (3, "ada: no faces")


def test_stop_stops_all_of_a_press(node, worker):
    pressed(node, worker, "faceset")
    node.press("stop")
    (job,) = worker.cancelled
    worker.say(-1, "stopped", state="stopped", message="stopped by the user")
    worker.answer(SHOT)
    assert (worker.methods(), node.state) == (["faceset"], "idle")
    assert node.status.text == node.problem == "Faceset: stopped."
    node.press("stop")
    assert worker.cancelled == [job]


def test_a_press_while_something_goes_on_is_refused_and_changes_nothing(node, host, worker):
    pressed(node, worker, "track")
    pressed_first = node.status
    node.press("faceset")
    assert host.refused == ["This node is busy: wait until it is done, or press Stop."]
    assert (worker.methods(), node.status) == (["track"], pressed_first)


def test_fixes_are_copied_while_a_job_runs(node, host, worker):
    pressed(node, worker, "faceset")
    node.copy_fixes("1003,1001")
    assert node.text == "Copied to fixes/: add, remove, paint, frame 1001,1003."
    assert (host.refused, node.state) == ([], "working")
    host.connected = []
    node.copy_fixes()
    assert host.refused == ["Connect a roto first."]
    worker.say(-1, "done", state="done")
    assert worker.methods() == ["faceset", "faceset"], "what failed beside it ends no press"


def test_the_press_goes_to_the_shot_that_the_node_is_set_to(node, host, worker, tmp_path):
    node.press("look")
    host.settings["shot"] = str(tmp_path / "sh020")
    worker.answer(SHOT)
    assert worker.methods() == []
    worker.answer(SHOT)
    assert worker.submitted[-1][0].params["shot"] == str(tmp_path / "sh020")


def test_a_node_that_is_gone_hears_nothing(node, host, worker):
    pressed(node, worker, "faceset")
    node.close()
    drawn, asked = host.drawn, len(worker.submitted)
    worker.say(-1, "stopped", state="stopped")
    assert (host.drawn, len(worker.submitted)) == (drawn, asked)


def test_frames_that_come_are_shown_and_told_apart_from_those_made_again(node, host, worker):
    pressed(node, worker, "swap_range")
    for replaced, frame in ((False, 1001), (False, 1002), (True, 1001)):
        host.put(node.shot.result.file(frame), "no EXR")
        worker.say(-1, "frame", state="running")
        assert host.shown[-1][1:] == (node.result.frames, replaced)
    shown = len(host.shown)
    worker.say(-1, "frame")
    assert (len(host.shown), node.result.frames.broken) == (shown, (1001, 1002))


def test_a_worker_that_is_not_there_is_named(host, tmp_path):
    client = Client("/no/such/worker", logs=str(tmp_path))
    node = NodeController(client, host)
    node.press("track")
    with pytest.raises(RuntimeError, match="cannot be started"):
        node.finish(client.pump)
    assert node.shot.info is None
    assert host.refused == [node.text]


def test_a_node_goes_from_plate_to_swap(shot, tmp_path):
    """Swap, through a real worker, on a shot that has its facesets and a plate of its own."""
    command = [sys.executable, "-m", "lifemask.plugin.commands.cli", "worker"]
    client = Client(command, logs=str(tmp_path / "logs"), patience=LONG)
    host = Host(shot)
    node = NodeController(client, host)
    try:
        node.press("swap_frame", "1002-1003")
        node.finish(client.pump)
        assert node.status.text == "Swap: done."
        assert node.result.frames == Frames(made=(1002, 1003))
        assert node.shot.info["versions"]["swaps"] == {"ada": [1]}
        assert node.shot.next == ""
        assert host.waiting == []
    finally:
        client.close()
