"""A Lifemask node at work in the strict Nuke: what a press does, says and leaves alone."""

import os
import sys
from pathlib import Path

import pytest
from fake_nuke_nodes import Int_Knob, Undo
from nuke_artist import GIZMO, READ, SHOT, Obliging


def test_without_a_shot_the_button_says_so(artist):
    artist.node["shot"]._value = ""
    artist.press("track")
    assert artist.fake.messages == ["Fill in shot first."]
    assert artist.text() == "Fill in shot first."
    assert artist.client.jobs() == []


def test_a_folder_without_a_shot_names_what_to_press(artist):
    artist.press("track")
    assert artist.fake.messages == ["Press New shot first: there is no shot in this folder."]


def test_without_a_plate_the_button_says_what_to_connect(artist):
    artist.node.setInput(0, None)
    artist.press("shot_new")
    assert artist.fake.messages == ["Lifemask1: connect plate first."]
    assert not artist.fake.renders


def test_a_frame_range_that_is_none_is_refused(artist):
    artist.node["frames"]._value = "1001-"
    artist.press("shot_new")
    assert artist.fake.messages == ["'1001-' is not a frame range such as 1001-1096x2"]


def rendered(artist):
    return [frames for render in artist.fake.renders for _, frames in render["work"]]


def test_the_plate_goes_to_disk_in_the_background_and_then_the_job_goes_out(artist):
    artist.press("shot_new")
    assert rendered(artist) == [list(range(1001, 1009))]
    assert sorted(file.name for file in artist.plate.glob("*.exr")) == [
        f"plate.{frame}.exr" for frame in range(1001, 1009)
    ]
    ((method, params),) = artist.client.jobs()
    assert method == "shot new"
    assert params["plate"] == f"{artist.plate}/plate.####.exr"
    write = artist.node.node("write_plate")
    assert write["disable"].value() is True
    assert Undo._depth == 0


def test_only_frames_that_changed_are_rendered_again(artist):
    artist.press("shot_new")
    artist.client.answer(artist.client.asked[-1][0], {})
    artist.settle()
    artist.client.info = SHOT
    artist.press("track")
    assert len(artist.fake.renders) == 1
    source = Path(artist.fake.footage.replace("####", "1003"))
    os.utime(source, ns=(1, 1))
    artist.client.answer(artist.client.asked[-1][0], {})
    artist.settle()
    artist.press("track")
    assert rendered(artist)[-1] == [1003]
    plate = artist.node.input(0)
    artist.client.answer([job for job, _ in artist.client.asked if job.method == "track"][-1], {})
    artist.settle()
    plate["first"].setValue(7)
    artist.press("track")
    assert rendered(artist)[-1] == list(range(1001, 1009))


def test_moving_a_node_in_the_graph_changes_nothing(artist):
    upstream = sys.modules["lifemask_nuke.hosts.nuke.fingerprint"]
    plate = artist.node.input(0)
    plate._knobs["xpos"] = Int_Knob(plate, "xpos", 0)
    before = upstream.digest(plate, 1001)
    plate["xpos"].setValue(300)
    assert upstream.digest(plate, 1001) == before
    assert upstream.digest(plate, 1002) != before


def test_a_frame_that_nuke_did_not_write_is_named(artist):
    Path(artist.fake.footage.replace("####", "1004")).unlink()
    artist.press("shot_new")
    assert "plate.1004.exr: Nuke has not written this frame" in artist.fake.messages[0]
    assert artist.client.jobs() == []


def test_a_press_while_the_plate_is_written_waits(artist):
    artist.fake.press(artist.node, "shot_new")
    artist.client.pump()
    assert artist.text() == "Plate: rendering 1001-1008"
    artist.fake.press(artist.node, "track")
    assert "busy: wait" in artist.fake.messages[0]
    artist.settle()
    assert [method for method, _ in artist.client.jobs()] == ["shot new"]


def test_stop_while_the_plate_is_written_sends_nothing(artist):
    artist.fake.press(artist.node, "shot_new")
    artist.client.pump()
    artist.press("stop")
    assert artist.client.jobs() == []
    assert artist.session.of(artist.node).controller.state == "idle"


def test_proxy_mode_does_not_reach_the_plate(artist):
    artist.fake.root["proxy"]._value = True
    artist.press("shot_new")
    assert len(artist.fake.renders) == 1
    assert artist.fake.root["proxy"].value() is True


def swap(artist, button="swap_frame"):
    artist.client.info = SHOT
    artist.node["likeness"].setValue("ada")
    artist.press(button)
    return artist.client.asked[-1][0]


def test_swap_frame_renders_and_asks_for_the_current_frame_alone(artist):
    job = swap(artist)
    assert rendered(artist)[0] == [1002]
    assert (job.method, job.params["frames"]) == ("swap", "1002")
    assert job.params["likeness"] == ["ada"]


def test_what_needs_no_plate_renders_none(artist):
    artist.client.info = SHOT
    artist.node["likeness"].setValue("ada")
    artist.press("train")
    assert not artist.fake.messages
    assert not artist.fake.renders
    assert [method for method, _ in artist.client.jobs()] == ["train"]


def test_each_frame_is_shown_as_it_comes(artist):
    job = swap(artist, "swap_range")
    result = artist.session.of(artist.node).controller.shot.result
    read, before = artist.node.node("result"), artist.fake.reloads
    for frame in (1003, 1004):
        path = Path(result.file(frame))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        artist.client.say(job, "frame", state="running", frames={**job.frames, frame: str(path)})
    assert artist.node["made"].value() == 1
    assert read["file"].value() == result.hashes
    assert (read["first"].value(), read["last"].value()) == (1003, 1004)
    assert artist.fake.reloads == before + 2
    assert "not whole EXR" in artist.text("result_state")


def test_progress_is_nukes_own_and_its_cancel_stops_the_job(artist):
    job = swap(artist)
    artist.client.say(job, "progress", state="running", task="swap", done=1, total=4)
    task = artist.session.of(artist.node)._task
    assert task._told[-2:] == ["Swap: swap 1 of 4", 25]
    task._cancelled = True
    artist.client.say(job, "progress", done=2)
    assert artist.client.stopped == [job]
    artist.client.answer(job, None, "stopped")
    artist.settle()
    assert artist.session.of(artist.node)._task is None


def test_what_the_shot_has_is_told_in_words(artist):
    swap(artist)
    assert artist.text("seen") == "p1: seen in 7 of 8 frames"
    assert artist.text("consent") == "ada consents to this project"
    assert artist.text("footage") == "Shoot the left profile."
    assert artist.text("next_step") == "Press Swap frame: nothing yet."
    assert artist.node["person"].values() == ["everybody", "p1"]


def test_a_failed_job_tells_why_as_plain_text(artist):
    job = swap(artist)
    artist.client.answer(job, None, "failed", "a <b> & c")
    artist.settle()
    assert artist.text() == "a &lt;b> &amp; c"


def test_fixes_that_are_connected_are_copied_to_the_shot(artist):
    artist.press("copy_fixes")
    assert "Connect a roto or paint first" in artist.fake.messages[0]
    for index in (1, 3):
        artist.node.setInput(index, artist.node.input(0))
    artist.node["fix_frames"].setValue("1002-1003")
    artist.press("copy_fixes")
    fixes = Path(artist.node["shot"].value(), "fixes")
    assert sorted(file.name for file in fixes.iterdir()) == [
        f"{name}.{frame}.exr" for name in ("add", "paint") for frame in (1002, 1003)
    ]
    assert artist.text() == "Copied to fixes/: add, paint, frame 1002-1003."


def test_stop_stops_and_a_node_that_goes_stops_too(artist):
    job = swap(artist)
    artist.press("stop")
    assert artist.client.stopped == [job]
    artist.fake.call("OnDestroy", artist.node)
    assert artist.client.stopped == [job, job]
    assert artist.node not in artist.session._nodes


def test_the_panels_state_is_what_it_draws(artist):
    from lifemask_nuke.hosts.nuke.panel_state import panel_state

    assert panel_state(None).buttons == ()
    job = swap(artist)
    shown = panel_state(artist.session.of(artist.node))
    assert (shown.name, shown.percent, shown.buttons) == ("Lifemask1", 0, ("stop",))
    artist.client.say(job, "preview", preview="/shots/preview.png")
    artist.client.say(job, "progress", state="running", task="swap", done=1, total=3)
    shown = panel_state(artist.session.of(artist.node))
    assert (shown.percent, shown.preview) == (33, "/shots/preview.png")
    assert shown.message == "Swap: swap 1 of 3"
    assert shown.sections["Footage to shoot"] == ["Shoot the left profile."]
    assert shown.sections["People"] == ["p1: seen in 7 of 8 frames"]
    artist.client.answer(job, {})
    artist.settle()
    shown = panel_state(artist.session.of(artist.node))
    assert shown.percent is None
    assert {"track", "swap_frame"} <= set(shown.buttons)
    assert "stop" not in shown.buttons


def test_a_node_of_an_older_lifemask_works_with_its_own_knobs(artist):
    del artist.node._knobs["count"], artist.node._knobs["swap_double_mouth"]
    artist.node._knobs["told"] = artist.node._knobs.pop("status")
    job = swap(artist)
    assert job.method == "swap"
    assert artist.text("told") == "Swap: waiting"


def test_other_groups_are_left_alone(artist):
    group = artist.fake.add("Group {\n name other\n addUserKnob {1 shot l x}\n}\nend_group\n", "g")
    group["shot"].setValue("a")
    assert artist.session.nodes() == [artist.node]
    assert list(artist.session._nodes) == []


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
    assert node["status"].value() == "Track: done."
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


def test_a_shot_that_names_another_plate_has_nothing_rendered_into_it(artist, tmp_path):
    artist.client.info = {**SHOT, "plate": {"path": str(tmp_path / "elsewhere/p.####.exr")}}
    artist.press("track")
    assert not artist.fake.renders
    assert artist.client.asked[-1][0].method == "track"


def test_all_of_an_input_that_became_longer_is_tracked_and_swapped(artist):
    artist.client.info = SHOT
    artist.node["likeness"].setValue("ada")
    for button, method in (("track", "track"), ("swap_range", "swap")):
        artist.press(button)
        job = artist.client.asked[-1][0]
        assert (job.method, job.params["frames"]) == (method, "1001-1008")
        artist.client.answer(job, {})
        artist.settle()
    artist.node["frames"].setValue("1002-1003")
    artist.press("track")
    assert "frames" not in artist.client.asked[-1][0].params
