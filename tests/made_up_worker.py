"""A worker of made-up commands, which needs no library: `python tests/made_up_worker.py`."""

import os
import sys
import time
from pathlib import Path

from limit import LONG
from made_up_command import made

from lifemask.nodes import progress
from lifemask.nodes.errors import FaceError
from lifemask.plugin.worker import server


def shout(args):
    sys.stdout.write("printed\n")
    os.write(1, b"written by a library\n")
    return {"path": Path("a b.exr")}


def sleep(args):
    """Work for a long time without a step; the file is there meanwhile."""
    try:
        args.file.touch()
        time.sleep(LONG)
    finally:
        args.file.unlink(missing_ok=True)
    return {}


def steps(args):
    progress.note("steps", "well")
    progress.preview("steps", Path("p.png"))
    files = (Path(f"é.{number}.exr") for number in (1001, 1002))
    list(progress.each(progress.frames(files, "steps"), "steps", 2))
    return {"frames": 2}


def stubborn(args):
    """Work on, whatever happens, in steps: what a library that swallows interrupts does."""
    for _ in progress.each(iter(int, 1), "stubborn", 10**6):
        try:
            time.sleep(0.01)
        except BaseException:
            args.file.touch()


def raising(error):
    def run(args):
        raise error

    return run


RUNS = {
    "shout": shout,
    "sleep": sleep,
    "steps": steps,
    "stubborn": stubborn,
    "refuse": raising(FaceError("plate: no face")),
    "break": raising(ZeroDivisionError("by zero")),
    "odd": lambda args: {"is": object()},
}
COMMANDS = [made(name, run) for name, run in RUNS.items()]
COMMANDS.append(made("look up", lambda args: {"known": 1, "pid": os.getpid()}, query=True))

if __name__ == "__main__":
    server.warmed_up = lambda: "nothing"
    server._GRACE = LONG
    server.serve(COMMANDS)
