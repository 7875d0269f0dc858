"""The client: what a host sees of a worker that works, dies, is another, or is none."""

import ast
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from limit import LONG

from lifemask.ocio.media import exr
from lifemask.plugin.commands.cli import main
from lifemask.plugin.worker import connection, protocol
from lifemask.plugin.worker.client import Client, WorkerError
from lifemask.plugin.worker.protocol import LONGEST

ROOT = Path(__file__).parents[1]
MADE_UP = [sys.executable, str(ROOT / "tests/made_up_worker.py")]
PLUGIN = ROOT / "plugin"
HOST_SIDE = [
    *(PLUGIN / f"worker/{name}.py" for name in ("protocol", "connection", "job", "client")),
    *sorted(PLUGIN.glob("hosts/common/*.py")),
]
"""What every host loads: standard library, in Python 3.9."""


@pytest.fixture
def start(tmp_path):
    """Return how to make a client whose logs go to ``tmp_path / "logs"``."""
    clients = []

    def make(command=MADE_UP, patience=LONG, **settings):
        logs = str(tmp_path / "logs")
        clients.append(Client(command, logs=logs, patience=patience, **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close(LONG)


def script(code):
    return [sys.executable, "-c", code]


IDLE = "import sys; sys.stdin.read()"
"""What neither says anything nor ends before it is let go."""


def until(fits):
    end = time.monotonic() + LONG
    while not fits():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def alive(pid):
    """Whether a process is there and no zombie."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the latter when it ends while it is read
        return False


def asked(client):
    return client.call("look up", seconds=LONG)


def pid_of(client):
    return int(asked(client)["pid"])


def test_a_query_is_answered_and_refused_in_words(start):
    client = start()
    assert client.state == "stopped"
    assert asked(client)["known"] == 1
    assert client.state == "ready"
    assert client.about["protocol"] == protocol.PROTOCOL
    with pytest.raises(WorkerError, match="there is no method 'dance'"):
        client.call("dance", seconds=LONG)
    with pytest.raises(WorkerError, match="plate: no face") as refused:
        client.call("refuse", seconds=LONG)
    assert refused.value.kind == "FaceError"


def test_a_job_is_told_on_the_host_s_thread_in_the_order_it_happens(start):
    heard, threads = [], set()

    def changed(job, what):
        heard.append(what)
        threads.add(threading.current_thread())

    client = start()
    job = client.submit("steps", {}, changed)
    until(lambda: job.id not in client._jobs)
    assert (job.state, heard) == ("queued", [])
    client.wait(job, LONG)
    assert threads == {threading.main_thread()}
    assert heard == [
        *("started", "log", "preview", "progress"),
        *("frame", "progress", "frame", "progress", "done"),
    ]
    assert (job.state, job.done, job.total, job.fraction) == ("done", 2, 2, 1.0)
    assert job.result == {"frames": 2}
    assert job.frames == {1001: "é.1001.exr", 1002: "é.1002.exr"}
    assert (job.preview, job.message) == ("p.png", "well")


def test_a_host_with_a_way_to_its_main_thread_is_called_there(start):
    posted = []
    client = start(deliver=posted.append)
    job = client.submit("steps", {})
    until(lambda: job.id not in client._jobs)
    assert job.state == "queued"

    def ended():
        while posted:
            posted.pop()()
        return job.ended

    until(ended)
    assert job.state == "done"


def test_cancelling_stops_one_job_and_the_next_begins(start, tmp_path):
    client = start()
    jobs = [client.submit("sleep", {"file": str(tmp_path / name)}) for name in "ab"]
    last = client.submit("steps", {})
    until(lambda: client.pump() is not None and jobs[0].state == "running")
    for job in jobs:
        client.cancel(job)
    assert client.wait(last, LONG).state == "done"
    assert [job.state for job in jobs] == ["stopped", "stopped"]
    assert all(job.kind == "StoppedError" for job in jobs)


def test_a_worker_that_dies_fails_its_jobs_and_is_started_again(start, tmp_path):
    client = start()
    first = pid_of(client)
    jobs = [client.submit("sleep", {"file": str(tmp_path / "a")}), client.submit("steps", {})]
    until(lambda: client.pump() is not None and jobs[0].state == "running")
    os.kill(first, signal.SIGKILL)
    for job in jobs:
        assert client.wait(job, LONG).state == "failed"
        assert "ended with signal 9" in job.message
        assert str(tmp_path / "logs") in job.message
    assert client.wait(client.submit("steps", {}), LONG).state == "done"
    assert pid_of(client) != first


BAD = {
    "not found": ("/no/such/command worker", "No such file"),
    "empty": ("", "cannot be started"),
    "unbalanced": ("lifemask 'worker", "cannot be started"),
    "dies at start": (
        script("import sys; sys.exit('no licence for torch')"),
        "ended with status 1; it said last: no licence for torch",
    ),
    "rubbish": (script("while True: print('Welcome!')"), "prints rubbish, not messages"),
    "one huge line": (
        script("import sys; sys.stdout.write('x' * 9_000_000)"),
        "ended with status 0; it said last: not a message: a huge line",
    ),
    "silent": (script(IDLE), "did not say hello in 1 s"),
    "another version": (
        script(
            "import json; input(); print(json.dumps({'jsonrpc': '2.0', 'id': 0, 'error': "
            "{'code': -32001, 'message': 'speaks protocol 99'}})); input()"
        ),
        "speaks protocol 99",
    ),
    "an odd hello": (
        script(
            "import json; input(); print(json.dumps({'jsonrpc': '2.0', 'id': 0, 'result': 'hi'}))"
        ),
        "does not speak protocol 1",
    ),
    "deaf": (script(f"import os, time; os.close(1); time.sleep({LONG})"), "closed its output"),
}


@pytest.mark.parametrize(("command", "said"), BAD.values(), ids=BAD)
def test_a_worker_that_cannot_be_used_is_told_in_one_sentence(
    start, tmp_path, monkeypatch, command, said
):
    if "closed its output" in said:
        monkeypatch.setattr(connection, "_LATE", 0.1)
    client = start(command, patience=1.0 if "did not say" in said else LONG)
    job = client.wait(client.submit("steps", {}), LONG)
    assert job.state == "failed"
    assert said in job.message
    assert "\n" not in job.message
    assert "cannot be started" in job.message or str(tmp_path / "logs") in job.message
    with pytest.raises(WorkerError, match=r"worker|protocol"):
        asked(client)


def test_what_a_shell_prints_before_the_worker_is_no_harm(start):
    line = f"echo Welcome to gpu01; exec {shlex.join(MADE_UP)}"
    assert asked(start(["sh", "-c", line]))["known"] == 1


ODD = [
    *("", "[]", "7", "null", "{}", '"2.0"', "\u00e9", "[" * 10_000, "{" * 10),
    *('{"jsonrpc": "2.0"}', '{"jsonrpc": "2.0", "id": [1]}', '{"jsonrpc": "2.0", "id": 99}'),
    *('{"jsonrpc": "2.0", "method": "progress"}', '{"jsonrpc": "2.0", "params": [0]}'),
    *('{"jsonrpc": "2.0", "method": "frame", "params": {"job": {}}}', '{"jsonrpc": 2, "id": 0}'),
    *('{"jsonrpc": "2.0", "id": 1, "error": "no"}', '{"jsonrpc": "2.0", "method": 7}'),
]


def test_odd_lines_do_not_disturb_a_worker(start, tmp_path):
    odd = tmp_path / "odd"
    odd.write_text("\n".join(ODD) + "\n", encoding="utf-8")
    line = f"cat {shlex.quote(str(odd))}; exec {shlex.join(MADE_UP)}"
    client = start(["sh", "-c", line])
    job = client.wait(client.submit("steps", {}), LONG)
    assert (job.state, len(job.frames)) == ("done", 2)


def test_no_answer_in_time_is_told(start):
    client = start(script(IDLE))
    with pytest.raises(WorkerError, match=r"did not answer look up in 0\.2 s"):
        client.call("look up", seconds=0.2)


def test_a_closed_client_leaves_nothing_and_can_be_used_again(start, tmp_path):
    client = start()
    for _ in range(3):
        pid = pid_of(client)
        job = client.submit("sleep", {"file": str(tmp_path / "a")})
        until((tmp_path / "a").exists)
        client.close(LONG)
        assert not alive(pid)
        assert not list(tmp_path.rglob("*.log"))
        assert not (tmp_path / "a").exists()
        client.pump()
        assert job.ended


HOST = f"""
import sys, time
from lifemask.plugin.worker.client import Client
Client.close.__defaults__ = ({LONG},)
client = Client(sys.argv[2:], logs=sys.argv[1], patience={LONG})
job = client.submit("sleep", {{"file": sys.argv[1] + "/asleep"}})
print(client.call("look up", seconds={LONG})["pid"], flush=True)
%s
"""


@pytest.mark.parametrize(
    ("then", "status"),
    [(f"time.sleep({LONG})", -signal.SIGKILL), ("", 0), ("raise SystemExit(3)", 3)],
    ids=["killed", "ended", "failed"],
)
@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "behind a shell"])
def test_a_host_that_goes_leaves_no_worker(tmp_path, then, status, wrapped):
    (tmp_path / "asleep").unlink(missing_ok=True)
    command = ["sh", "-c", f"{shlex.join(MADE_UP)}; true"] if wrapped else MADE_UP
    words = [sys.executable, "-c", HOST % then, str(tmp_path), *command]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as host:
        pid = int(host.stdout.readline())
        assert alive(pid) or host.wait(LONG) is not None
        if status == -signal.SIGKILL:
            until((tmp_path / "asleep").exists)
            host.kill()
        assert host.wait(LONG) == status
    until(lambda: not alive(pid))
    assert not (tmp_path / "asleep").exists()


def test_the_host_s_own_python_does_not_reach_the_worker(start, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/opt/Nuke")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/Nuke")
    assert asked(start())["known"] == 1


def copied(shot, name):
    """Copy a shot beside itself, without what is to be made."""
    other = shot.parent / name / shot.name
    shutil.copytree(shot, other)
    shutil.rmtree(other / "track")
    shutil.rmtree(other / "facesets/double_v001")
    text = (other / "shot.toml").read_text()
    (other / "shot.toml").write_text(text.replace('"../plate', f'"{shot.parent}/plate'))
    return other


def test_a_shot_is_the_same_to_the_bit_as_from_the_command_line(start, shot, tmp_path):
    mine, typed = copied(shot, "client"), copied(shot, "typed")
    kill = tmp_path / "kill"
    client = start([sys.executable, str(ROOT / "tests/signalled.py"), str(kill), "worker"])

    def do(method, **values):
        job = client.wait(client.submit(method, {"shot": str(mine), **values}), LONG)
        assert job.state == "done", job.message
        return job

    assert client.call("shot info", {"shot": str(mine)}, LONG)["next"] == "track"
    do("track", samples=2, smooth=1)
    do("faceset", double=True)
    assert client.about["device"]
    kill.write_text("SIGKILL swap 2")
    job = client.wait(client.submit("swap", {"shot": str(mine), "likeness": ["ada"]}), LONG)
    assert (job.state, kill.exists()) == ("failed", False)
    left = sorted((mine / "swaps/ada_v001").glob("*.exr"))
    assert 2 <= len(left) < 8
    for path in left:
        exr.read_channels(path)
    swap = do("swap", likeness=["ada"], version=1, overwrite=True, exposure=0.5)
    assert main(["track", str(typed), "--samples", "2", "--smooth", "1"]) == 0
    assert main(["faceset", str(typed), "--double"]) == 0
    assert main(["swap", str(typed), "--likeness", "ada", "--exposure", "0.5"]) == 0
    made = sorted((typed / "swaps/ada_v001").glob("*.exr"))
    assert sorted(swap.frames) == list(range(1001, 1009))
    for frame, path in swap.frames.items():
        same(Path(path), next(file for file in made if f".{frame}." in file.name))


def same(one, other):
    (pixels, header), (expected, wanted) = exr.read_channels(one), exr.read_channels(other)
    assert pixels.keys() == expected.keys()
    for name, plane in expected.items():
        assert plane.dtype == pixels[name].dtype
        np.testing.assert_array_equal(pixels[name], plane)
    assert {name: str(value) for name, value in header.items()} == {
        name: str(value) for name, value in wanted.items()
    }


@pytest.mark.parametrize("file", HOST_SIDE, ids=lambda file: file.stem)
def test_what_a_host_imports_is_the_standard_library_in_python_3_9(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
        if isinstance(node, ast.ImportFrom) and not node.level:
            assert node.module.partition(".")[0] in {*sys.stdlib_module_names, "__future__"}
        if isinstance(node, ast.ImportFrom) and node.level:
            package = file.parents[node.level - 1] / (node.module or "").replace(".", "/")
            assert {package.with_suffix(".py"), package / f"{node.names[0].name}.py"} & {*HOST_SIDE}


@pytest.mark.parametrize("value", [float("nan"), object(), "x" * LONGEST])
def test_what_cannot_be_sent_fails_at_once_and_the_next_job_is_done(start, value):
    client = start()
    job = client.wait(client.submit("steps", {"count": value}), LONG)
    assert job.state == "failed"
    assert "steps: " in job.message
    assert client.wait(client.submit("steps", {}), LONG).state == "done"
