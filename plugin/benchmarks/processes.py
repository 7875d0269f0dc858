"""Run commands in child processes, and measure their time and memory."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from lifemask.nodes import progress
from lifemask.nodes.errors import LifemaskError

Event = tuple[float, dict[str, Any]]
"""A line that a command wrote, with its time in seconds."""

MODULE = "lifemask.plugin.benchmarks.processes"


@dataclass(frozen=True)
class Run:
    """One finished command: ``rate`` in steps a second of one task, see `steps_a_second`.

    ``seconds`` is the time from start to end, start-up included; ``peak`` is its peak memory in
    MiB.
    """

    seconds: float
    rate: float
    peak: float


def run(task: str, *words: str, module: str = MODULE) -> Run:
    """Run ``lifemask`` with ``words`` and time its ``task``, which has the name of its node.

    Its progress is reported as this process's own.

    Raises LifemaskError with the command's own sentence when it fails.
    """
    begin = monotonic()
    command = [sys.executable, "-m", module, *words, "--json"]
    quiet = subprocess.DEVNULL  # the sentence also comes as an event
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True) as child:
        try:
            events = list(_told(child.stdout or ()))
        except BaseException:
            child.terminate()
            child.wait()
            raise
    seconds = monotonic() - begin
    for _, event in events:
        if event["event"] == "error":
            raise LifemaskError(event["text"])
    if child.returncode:
        raise LifemaskError(f"{' '.join(command)}: ended with status {child.returncode}")
    peaks = [event["peak"] for _, event in events if event["event"] == "memory"]
    return Run(seconds, steps_a_second(task, events), max(peaks, default=0.0))


def _told(lines: Iterable[str]) -> Iterator[Event]:
    for line in lines:
        event = json.loads(line)
        if event["event"] == "progress":
            progress.reached(event["task"], event["done"], event["total"])
        yield monotonic(), event


def steps_a_second(task: str, events: Iterable[Event]) -> float:
    """Return the steps of ``task`` over the time of all tasks, including those that prepare it.

    Raises LifemaskError when it reported no progress.
    """
    updates = [(second, event) for second, event in events if event["event"] == "progress"]
    steps = max((event["done"] for _, event in updates if event["task"] == task), default=0)
    if not steps:
        raise LifemaskError(f"{task}: the command reported no progress of it")
    return float(steps / max(updates[-1][0] - updates[0][0], 1e-6))


def peak() -> float:
    """Return the peak memory of this process, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss starts with what the parent held: see exec_mmap of Linux
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        return int(found[1]) / 1024 if found else 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(words: Sequence[str]) -> int:
    """Run one command, and report its peak memory in one more line."""
    from lifemask.plugin.commands import cli

    status = cli.main(words)
    print(json.dumps({"event": "memory", "peak": peak()}), flush=True)
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
