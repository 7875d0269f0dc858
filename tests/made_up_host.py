"""A host and a worker that tests play, for a controller: a graph, a disk, jobs to answer."""

import os
from pathlib import Path

from lifemask.plugin.hosts.common.requests import FIXES
from lifemask.plugin.worker.job import Job

FULL = {
    "likeness": "ada",
    "project": "demo",
    "takes": ["/takes/ada"],
    "recording": "/takes/dub.csv",
}
FULL |= {"document": "/docs/ada.pdf", "expires": "2099-12-31"}


class Worker:
    """A client that keeps what was submitted, and answers when the test says so."""

    def __init__(self):
        self.submitted, self.cancelled = [], []

    def submit(self, method, params, changed):
        job = Job(len(self.submitted) + 1, method, params)
        self.submitted.append((job, changed))
        return job

    def cancel(self, job):
        self.cancelled.append(job)

    def say(self, place, what, **values):
        job, changed = self.submitted[place]
        vars(job).update(values)
        changed(job, what)

    def queries(self):
        return [place for place in self._open() if self._method(place) == "shot info"]

    def jobs(self):
        """The jobs that have not ended, by their place."""
        return [place for place in self._open() if self._method(place) != "shot info"]

    def methods(self):
        """Every job that was submitted."""
        return [job.method for job, _ in self.submitted if job.method != "shot info"]

    def answer(self, info):
        """Answer what was asked last with a shot; or, given none, that there is no shot."""
        if info is None:
            self.say(self.queries()[-1], "failed", state="failed", kind="NoShotError", message="no")
        else:
            self.say(self.queries()[-1], "done", state="done", result=info)

    def _open(self):
        return [place for place, (job, _) in enumerate(self.submitted) if not job.ended]

    def _method(self, place):
        return self.submitted[place][0].method


class Host:
    """A host whose plate has frames 1001-1004; ``graph`` says what each is made from."""

    def __init__(self, folder):
        self.settings = {**FULL, "shot": str(folder)}
        self.graph = dict.fromkeys(range(1001, 1005), "a")
        self.here, self.connected, self.broken = True, list(FIXES), ""
        self.waiting, self.refused, self.shown, self.drawn, self.written = [], [], [], 0, 0

    def values(self):
        return dict(self.settings)

    def current_frame(self):
        return 1002

    def plate_frames(self):
        if self.broken:
            raise ValueError(self.broken)
        return sorted(self.graph)

    def fingerprints(self, frames):
        return {frame: self.graph[frame] for frame in frames}

    def fixes(self):
        if not self.connected:
            raise ValueError("Connect a roto first.")
        return self.connected

    def render(self, inputs, frames, done):
        made_from = {frame: self.graph[frame] for frame in frames if frame in self.graph}
        self.waiting.append((dict(inputs), list(frames), made_from, done))
        if self.here:
            self.write()

    def write(self, wrong=""):
        """Let the first rendering come to its end."""
        inputs, frames, made_from, done = self.waiting.pop(0)
        for pattern in inputs.values():
            for frame in [] if wrong else frames:
                self.put(pattern.file(frame), made_from.get(frame, "fix"))
        done(wrong)

    def put(self, file, text):
        """Write a file at a time of its own, as fast as this goes."""
        self.written += 1
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(text)
        os.utime(file, ns=(self.written, self.written))

    def stop_rendering(self):
        """Go on, as Nuke's background renders do."""

    def show(self, result, frames, replaced):
        self.shown.append((result, frames, replaced))

    def draw(self):
        self.drawn += 1

    def refuse(self, sentence):
        self.refused.append(sentence)
