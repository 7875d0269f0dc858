"""A Lifemask node at work in the strict Nuke: what a press does, says and leaves alone."""

import os
import sys
from pathlib import Path

import pytest
from fake_nuke_nodes import Int_Knob, Undo
from nuke_desk import GIZMO, READ, SHOT, Obliging


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
    assert Undo._depth == 0


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
    upstream = sys.modules["lifemask_nuke.hosts.nuke.fingerprint"]
    plate = desk.node.input(0)
    plate._knobs["xpos"] = Int_Knob(plate, "xpos", 0)
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


def test_what_needs_no_plate_renders_none(desk):
    desk.client.info = SHOT
    desk.node["likeness"].setValue("ada")
    desk.press("train")
    assert not desk.fake.messages
    assert not desk.fake.renders
    assert [method for method, _ in desk.client.jobs()] == ["train"]


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
    from lifemask_nuke.hosts.nuke.panel_state import board

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


def test_a_node_of_an_older_lifemask_works_with_its_own_knobs(desk):
    del desk.node._knobs["count"], desk.node._knobs["swap_mouth"]
    job = swap(desk)
    assert job.method == "swap"


def test_other_groups_are_left_alone(desk):
    group = desk.fake.add("Group {\n name other\n addUserKnob {1 shot l x}\n}\nend_group\n", "g")
    group["shot"].setValue("a")
    assert desk.session.nodes() == [desk.node]
    assert list(desk.session._nodes) == []


def test_without_a_window_a_button_returns_when_its_work_has_ended(started, tmp_path, monkeypatch):
    fake = started(gui=False)
    session = sys.modules["lifemask_nuke.hosts.nuke.session"]
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
    with pytest.raises(RuntimeError, match=r"^Fill in likeness first\.$"):
        fake.press(node, "swap_frame")
    assert fake.messages == ["Fill in likeness first."]
    node["likeness"].setValue("ada")
    client.wrong = "p1 was not tracked in frames 1002"
    with pytest.raises(RuntimeError, match="p1 was not tracked"):
        fake.press(node, "swap_range")
    client.wrong = ""
    fake.press(node, "swap_range")


def test_a_shot_that_names_another_plate_has_nothing_rendered_into_it(desk, tmp_path):
    desk.client.info = {**SHOT, "plate": {"path": str(tmp_path / "elsewhere/p.####.exr")}}
    desk.press("track")
    assert not desk.fake.renders
    assert desk.client.asked[-1][0].method == "track"


def test_all_of_an_input_that_became_longer_is_tracked_and_swapped(desk):
    desk.client.info = SHOT
    desk.node["likeness"].setValue("ada")
    for button, method in (("track", "track"), ("swap_range", "swap")):
        desk.press(button)
        job = desk.client.asked[-1][0]
        assert (job.method, job.params["frames"]) == (method, "1001-1008")
        desk.client.answer(job, {})
        desk.settle()
    desk.node["frames"].setValue("1002-1003")
    desk.press("track")
    assert "frames" not in desk.client.asked[-1][0].params
