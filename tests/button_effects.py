"""What each button of a node does in a host: for tests that compare hosts, also inside of them."""


class Ready:
    """A client whose worker has a whole shot and does at once what is submitted."""

    def __init__(self, job):
        self.job, self.methods, self.waiting = job, [], []

    def submit(self, method, params, changed):
        job = self.job(len(self.waiting) + 1, method, params)
        if method != "shot info":
            self.methods.append([method, params.get("frames", "")])
        self.waiting.append((job, changed))
        return job

    def pump(self):
        while self.waiting:
            job, changed = self.waiting.pop(0)
            job.state, job.result = "done", {"name": "sh010", "missing": {}, "next": ""}
            changed(job, "done")


def effects(make, job, names):
    """Return, by button, which frames of which inputs are rendered and what is submitted then.

    ``make`` gives a node of the host for a client; what it would render is noted instead.
    """
    found = {}
    for name in names:
        client, rendered = Ready(job), []
        node = make(client)

        def render(inputs, frames, done, rendered=rendered):
            rendered.append([sorted(inputs), list(frames)])
            done("")

        node.render = render
        node.controller.press(name)
        node.controller.finish(client.pump)
        found[name] = [rendered, client.methods]
    return found
