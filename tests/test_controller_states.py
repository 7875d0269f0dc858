"""A node's controller, whatever happens in whatever order: presses, answers, Stop, late ends."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from made_up_host import Host, Worker

from lifemask.plugin.hosts.common.controller import IDLE, NodeController
from lifemask.plugin.hosts.common.declared import buttons
from lifemask.plugin.hosts.common.requests import plate
from lifemask.plugin.hosts.common.results import numbers

SHOT = {"name": "sh010", "missing": {}, "next": ""}
ELSEWHERE = {**SHOT, "plate": {"path": "/elsewhere/p.####.exr"}}
UNTRACKED = {**SHOT, "missing": {"track": "nobody has been tracked yet"}, "next": "track"}
NEED_PLATE = {button.command for button in buttons() if button.plate}
AT_WORK = "This node is busy: wait until it is done, or press Stop."
FRAMES = st.integers(1001, 1004)


class WatchedHost(Host):
    """A host that remembers the plate as a press has seen it: ``seen``, by file."""

    seen = None

    def fingerprints(self, frames):
        made_from = super().fingerprints(frames)
        files = plate(self.values())
        self.seen = {files.file(frame): text for frame, text in made_from.items()}
        return made_from

    def put(self, file, text):
        super().put(file, text)
        self.disturb(file, text)

    def disturb(self, file, text=""):
        """Forget a frame that has changed since it was seen."""
        if self.seen and self.seen.get(file) != text:
            self.seen.pop(file, None)


class WatchedWorker(Worker):
    """A worker that checks, when it gets a job, that the job may come."""

    def __init__(self, host):
        super().__init__()
        self.host, self.own_plate, self.closed, self.pressed = host, True, False, False

    def submit(self, method, params, changed):
        assert not self.closed, "nothing is submitted for a node that is gone"
        if method != "shot info":
            assert not self.jobs(), "one job at a time"
            assert self.pressed, "nothing is submitted without a press, or after Stop"
            if method in NEED_PLATE and self.own_plate:
                self.check_plate(params)
        return super().submit(method, params, changed)

    def check_plate(self, params):
        seen = self.host.seen
        assert seen is not None, "a press looks at the plate that its job needs"
        files = plate(params)
        if params.get("frames") and len(seen) == len(numbers(params["frames"])):
            assert set(seen) == {files.file(frame) for frame in numbers(params["frames"])}
        for file, pixels in seen.items():
            assert Path(file).read_text() == pixels, "what has changed is rendered before"


class ControllerStates(RuleBasedStateMachine):
    """All that can happen to a node."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.host = WatchedHost(Path(self.folder.name, "sh010"))
        self.host.here = False
        self.open_node()

    def open_node(self):
        self.worker = WatchedWorker(self.host)
        self.node = NodeController(self.worker, self.host)

    def teardown(self):
        self.end_everything()
        self.folder.cleanup()

    def end_everything(self):
        """Whatever was begun comes to an end, when worker and host do."""
        for _ in range(20):
            while self.host.waiting:
                self.host.write()
            for _ in self.worker.queries():
                self.say_what_the_shot_has(SHOT, newest=False)
            for place in self.worker.jobs():
                self.worker.say(place, "done", state="done")
        assert self.node.state == IDLE

    @rule(
        button=st.sampled_from([button.name for button in buttons()[:-1]]),
        frames=st.sampled_from(["", "1002-1003"]),
    )
    def press(self, button, frames):
        refused = len(self.host.refused)
        busy = bool(self.worker.jobs())
        seen, self.host.seen = self.host.seen, None
        was_pressed, self.worker.pressed = self.worker.pressed, True
        self.node.press(button, frames)
        if self.host.refused[refused:] == [AT_WORK]:
            assert self.node.state != IDLE
            self.host.seen, self.worker.pressed = seen, was_pressed
        else:
            assert not busy

    @rule(button=st.sampled_from(["faceset", "swap_frame", "swap_range", "track"]))
    def press_and_get_to_work(self, button):
        """The usual way, so that what comes after it is tried often."""
        self.press(button, "")
        if self.worker.queries():
            self.say_what_the_shot_has(SHOT, newest=True)
        if self.host.waiting:
            self.end_a_rendering("")

    @rule(frames=st.sampled_from(["", "1001", "1001-"]))
    def copy_fixes(self, frames):
        self.node.copy_fixes(frames)

    @rule(then=st.sampled_from(["", "done", "stopped"]))
    def stop(self, then):
        """Stop; the job ends later, or at once, for it may have been done already."""
        self.worker.pressed = False
        self.node.stop()
        assert bool(self.worker.jobs()) == (self.node.state != IDLE)
        for place in self.worker.jobs():
            assert self.worker.submitted[place][0] in self.worker.cancelled
            if then:
                self.worker.say(place, then, state=then)

    @rule()
    def close(self):
        """The node is deleted, or its script is closed; Undo brings it back."""
        self.node.close()
        gone, drawn = self.worker, self.host.drawn
        gone.closed = True
        for place in [*gone.queries(), *gone.jobs()]:
            gone.say(place, "stopped", state="stopped")
        while self.host.waiting:
            self.host.write()
        assert self.host.drawn == drawn, "a node that is gone is not drawn"
        self.open_node()

    @precondition(lambda self: self.worker.queries())
    @rule(info=st.sampled_from([SHOT, ELSEWHERE, UNTRACKED, None]), newest=st.booleans())
    def say_what_the_shot_has(self, info, newest):
        place = self.worker.queries()[-1 if newest else 0]
        if place == self.worker.queries()[-1]:
            self.worker.own_plate = info is not ELSEWHERE
        if info is None:
            self.worker.say(place, "failed", state="failed", kind="NoShotError", message="none")
        else:
            name = Path(self.worker.submitted[place][0].params["shot"]).name
            self.worker.say(place, "done", state="done", result={**info, "name": name})

    @precondition(lambda self: self.worker.queries() or self.worker.jobs())
    @rule()
    def lose_the_worker(self):
        """Everything that was asked fails, as when the process is killed."""
        for place in [*self.worker.queries(), *self.worker.jobs()]:
            self.worker.say(place, "failed", state="failed", message="the worker ended")

    @precondition(lambda self: self.worker.jobs())
    @rule(state=st.sampled_from(["running", "done", "failed", "stopped"]))
    def go_on_with_the_job(self, state):
        message = "it cannot be done" if state == "failed" else ""
        self.worker.say(self.worker.jobs()[0], state, state=state, message=message)

    @precondition(lambda self: self.host.waiting)
    @rule(wrong=st.sampled_from(["", "", "no licence"]))
    def end_a_rendering(self, wrong):
        self.host.write(wrong)

    @rule(frame=FRAMES, text=st.sampled_from("abc"))
    def change_the_graph(self, frame, text):
        self.host.graph[frame] = text

    @rule(frame=FRAMES, text=st.sampled_from("xy"))
    def write_over_a_frame(self, frame, text):
        self.host.put(plate(self.host.settings).file(frame), text)

    @rule(frame=FRAMES)
    def remove_a_frame(self, frame):
        file = plate(self.host.settings).file(frame)
        Path(file).unlink(missing_ok=True)
        self.host.disturb(file)

    @rule(
        shot=st.sampled_from(["sh010", "sh010", "sh020", ""]),
        frames=st.sampled_from(["", "", "1001-1002", "1001-"]),
        likeness=st.sampled_from(["ada", "ada", "ada", ""]),
        unplugged=st.sampled_from([False, False, False, True]),
        refreshed=st.booleans(),
    )
    def set_the_node(self, shot, frames, likeness, unplugged, refreshed):
        folder = str(Path(self.folder.name, shot)) if shot else ""
        self.host.settings.update(shot=folder, frames=frames, likeness=likeness)
        self.host.broken = "Connect Plate first." if unplugged else ""
        self.node.refresh() if refreshed else self.node.show()

    @invariant()
    def says_why_in_one_sentence(self):
        for sentence in self.host.refused:
            assert sentence and "\n" not in sentence

    @invariant()
    def what_it_knows_is_of_its_own_shot(self):
        shot = self.node.shot
        assert not shot.info or shot.info["name"] == Path(shot.values["shot"]).name

    @invariant()
    def is_at_work_as_long_as_there_is_a_job(self):
        status = self.node.status
        assert status.running == (self.node.state != IDLE)
        assert status.running or not self.worker.jobs()
        assert status.text or not status.running


ControllerStates.TestCase.settings = settings(max_examples=300, stateful_step_count=40)
TestControllerStates = ControllerStates.TestCase
