"""An artist in front of the strict Nuke, with a worker that the test plays."""

import sys
from pathlib import Path

from button_effects import effects
from nk_reader import read

from lifemask.plugin.packaging.gizmo import FILE
from lifemask.plugin.worker.client import Client, Job

GIZMO = FILE.read_text(encoding="utf-8")
READ = 'Read {{\n inputs 0\n file "{}"\n name plate\n}}\n'

PYTHON_BUTTON = 22  # Nuke's number for a button that runs a line

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
            job.kind = "NoShotError" if state == "failed" else ""
            changed(job, state)

        if self.info is None and job.method == "shot info":
            state, message = "failed", "there is no shot here"
        self._events.put(tell)

    def say(self, job, what, **values):
        vars(job).update(values)
        next(known for one, known in self.asked if one is job)(job, what)

    def cancel(self, job):
        self.stopped.append(job)

    def jobs(self):
        return [(job.method, job.params) for job, _ in self.asked if job.method != "shot info"]


class Obliging(StandIn):
    """A worker's stand-in that does what it is asked at once; or says what is ``wrong``."""

    wrong = ""

    def submit(self, method, params, changed=lambda job, what: None):
        job = super().submit(method, params, changed)
        if method != "shot info":
            self.answer(job, {}, "failed" if self.wrong else "done", self.wrong)
        return job


class Artist:
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

    def text(self, name="status"):
        return self.node[name].value()

    @property
    def plate(self):
        return Path(self.node["shot"].value(), "plate")


def nuke_effects(artist, names):
    """Return what each button does on a node of the strict Nuke that is filled in."""
    artist.fake.last = 1007
    swap_node = sys.modules["lifemask_nuke.hosts.nuke.swap_node"].SwapNode
    for name in ("likeness", "document", "expires", "project", "takes", "recording"):
        artist.node[name].setValue("a")
    job = sys.modules["lifemask_nuke.worker.job"].Job
    return effects(lambda client: swap_node(artist.node, client, lambda: None), job, names)


def nuke_buttons():
    """Return the names of the buttons on a node of Nuke's."""
    return [knob.name for knob in read(GIZMO).children[0].user if knob.kind == PYTHON_BUTTON]
