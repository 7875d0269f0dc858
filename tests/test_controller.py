"""What hosts share: settings and buttons from the declaration, what is sent, what is shown."""

import sys

import pytest
from limit import LONG

from lifemask.plugin.hosts.common import controller as desks
from lifemask.plugin.hosts.common.controller import Desk
from lifemask.plugin.hosts.common.results import Frames
from lifemask.plugin.worker.client import Client, Job

FULL = {"shot": "/shots/sh 010", "likeness": "ada", "project": "demo", "takes": ["/takes/ada"]}
FULL |= {"document": "/docs/ada.pdf", "expires": "2099-12-31"}


class Office:
    """A client that keeps what was asked for, and answers when it is told to."""

    def __init__(self):
        self.asked, self.cancelled = [], []

    def submit(self, method, params, changed):
        job = Job(len(self.asked) + 1, method, params)
        self.asked.append((job, changed))
        return job

    def cancel(self, job):
        self.cancelled.append(job.method)

    def tell(self, place, what, **values):
        job, changed = self.asked[place]
        vars(job).update(values)
        changed(job, what)


@pytest.fixture
def office():
    return Office()


def at_work(office, **values):
    seen = []
    desk = Desk(office, lambda: {**FULL, **values}, seen.append)
    return desk, seen


def told(desk, office, missing=(), **info):
    """Answer the desk's question with a shot that misses these commands."""
    desk.refresh()
    why = {name: f"no {name} yet" for name in missing}
    whole = {"name": "sh 010", "missing": why, "next": next(iter(missing), ""), **info}
    office.tell(-1, "done", state="done", result=whole)


@pytest.mark.parametrize(
    ("button", "lacks", "said"),
    [
        ("track", "shot", "Fill in shot first."),
        ("swap_frame", "likeness", "Fill in likeness first."),
        ("release_add", "likeness", "Fill in likeness first."),
        ("release_add", "document", "Fill in document first."),
        ("release_add", "expires", "Fill in expires first."),
    ],
)
def test_what_is_not_filled_in_is_named(office, button, lacks, said):
    desk, _ = at_work(office, **{lacks: ""})
    assert desk.press(button) == said
    assert (office.asked, desk.text) == ([], said)


def test_without_a_shot_it_says_to_make_one(office):
    desk, seen = at_work(office)
    assert desk.info is None
    desk.refresh()
    office.tell(-1, "failed", state="failed", kind="NoShotError", message="no shot here")
    assert desk.info == {}
    assert seen == ["info"]
    assert desk.press("track") == "Press New shot first: there is no shot in this folder."
    assert desk.next == "Press New shot."
    assert desk.press("shot_new") == ""
    assert office.asked[-1][0].method == "shot new"


def test_why_no_shot_was_made_stays_on_show(office):
    desk, _ = at_work(office)
    desk.press("shot_new")
    office.tell(-1, "failed", state="failed", message="the shot's folder: 'sh 010' may hold ...")
    office.tell(-1, "failed", state="failed", kind="NoShotError", message="no shot here")
    assert desk.status.text == "the shot's folder: 'sh 010' may hold ..."
    desk.refresh()
    office.tell(-1, "failed", state="failed", kind="NoShotError", message="no shot here")
    assert desk.status.text == "no shot here"


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
def test_it_says_what_to_press_first(office, button, missing, said):
    desk, _ = at_work(office)
    told(desk, office, missing)
    assert desk.press(button, "1001") == said
    assert bool(said) is (len(office.asked) == 1)


def test_a_likeness_without_faces_needs_takes(office):
    desk, _ = at_work(office, takes=[])
    told(desk, office, versions={"facesets": {"double": [1]}})
    assert desk.press("faceset") == "Fill in takes first: there is no faceset of ada yet."
    told(desk, office, versions={"facesets": {"ada": [1]}})
    assert desk.press("faceset") == ""


def test_a_host_draws_how_far_it_is(office):
    desk, seen = at_work(office)
    told(desk, office)
    desk.press("swap_range", "1001-1096")
    assert desk.status == desks.Status(True, 0.0, "Swap: waiting", "")
    office.tell(-1, "started", state="running")
    assert desk.status.text == "Swap: starting"
    office.tell(-1, "progress", task="swap", done=24, total=96, seconds_left=95.0)
    office.tell(-1, "preview", preview="/p.png")
    status = desk.status
    assert (status.fraction, status.preview) == (0.25, "/p.png")
    assert status.text == "Swap: swap 24 of 96, 1 min 35 s left"
    office.tell(-1, "done", state="done")
    assert desk.status == desks.Status(False, 0.0, "Swap: done.", "/p.png")
    assert office.asked[-1][0].method == "shot info", "what the shot has is asked for again"
    assert seen[-4:] == ["started", "progress", "preview", "done"]


def test_why_it_failed_is_said_and_stop_stops_everything(office):
    desk, _ = at_work(office)
    told(desk, office)
    desk.press("faceset")
    desk.stop()
    assert office.cancelled == ["faceset", "faceset"]
    office.tell(1, "failed", state="failed", message="ada: 3 usable faces, 8 are needed")
    assert desk.status.running
    office.tell(2, "stopped", state="stopped", message="faceset: stopped by the user")
    assert desk.status.text == "Faceset: stopped."
    desk.press("stop")
    assert office.cancelled == ["faceset", "faceset"]


def test_the_last_failure_is_what_is_shown(office):
    desk, _ = at_work(office)
    told(desk, office)
    desk.press("track")
    office.tell(-1, "failed", state="failed", message="plate: no face was found")
    assert desk.status == desks.Status(False, 0.0, "plate: no face was found", "")


def test_a_worker_that_is_not_there_is_told(tmp_path):
    client = Client("/no/such/worker", logs=str(tmp_path))
    desk = Desk(client, lambda: FULL, lambda what: None)
    desk.refresh()
    client.pump()
    assert desk.info is None
    assert "cannot be started" in desk.text


def test_a_node_goes_from_plate_to_swap(shot, tmp_path):
    """The buttons in their order, through a real worker, on a shot that has its facesets."""
    command = [sys.executable, "-m", "lifemask.plugin.commands.cli", "worker"]
    client = Client(command, logs=str(tmp_path / "logs"), patience=LONG)
    values = {"shot": str(shot), "likeness": "ada", "version": 1}
    desk = Desk(client, lambda: values, lambda what: None)
    try:
        assert desk.press("swap_frame", "1002-1003") == ""
        client.wait(desk.job, LONG)
        assert desk.status.text == "Swap: done."
        client.wait(desk._asked, LONG)
        assert desk.frames("1001-1003") == Frames(made=(1002, 1003), missing=(1001,))
        assert desk.info["versions"]["swaps"] == {"ada": [1]}
        assert desk.next == ""
    finally:
        client.close()
