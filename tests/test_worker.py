"""The worker: what it answers to right and to wrong requests, and how it ends."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from limit import LONG

from lifemask.plugin.commands.catalog import commands
from lifemask.plugin.commands.cli import main
from lifemask.plugin.commands.parameters import params
from lifemask.plugin.worker import protocol

PATIENT = (
    "from lifemask.plugin.commands.cli import main; from lifemask.plugin.worker import server; "
    f"server._GRACE = {LONG}; main(['worker'])"
)
REAL = (sys.executable, "-c", PATIENT)
MADE_UP = (sys.executable, str(Path(__file__).with_name("made_up_worker.py")))


class Talk:
    """A worker's process, line by line."""

    def __init__(self, words, folder):
        self.log = folder / "log"
        pipe = subprocess.PIPE
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=log, cwd=folder)
        self.watch = threading.Timer(LONG, self.process.kill)
        self.watch.start()
        self.heard = []
        self.answers = defaultdict(list)
        self.asked = 0

    def send(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def request(self, method, **values):
        self.asked += 1
        number = f"ask {self.asked}"
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": values}
        self.send(json.dumps(message).encode())
        return number

    def until(self, fits):
        """Return the first message that fits; those before it are in `heard`."""
        while True:
            message = json.loads(self.process.stdout.readline())
            assert message["jsonrpc"] == "2.0"
            self.heard.append(message)
            if "id" in message:
                self.answers[message["id"]].append(message)
            if fits(message):
                return message

    def answer(self, number):
        """Return the answer to a request, also when it came before another one's."""
        if not self.answers[number]:
            self.until(lambda message: message.get("id") == number)
        return self.answers[number].pop(0)

    def ask(self, method, **values):
        return self.answer(self.request(method, **values))

    def hello(self):
        return self.ask("hello", protocol=protocol.PROTOCOL)["result"]

    def started(self, job):
        self.until(lambda message: message.get("method") == "started" and of(message) == job)

    def end(self):
        """Close the input and return the exit status."""
        self.process.stdin.close()
        return self.stopped()

    def stopped(self):
        self.process.stdout.read()
        self.process.stdout.close()
        self.process.stdin.close()
        self.watch.cancel()
        return self.process.wait(LONG)


def of(message):
    return message["params"].get("job")


def code(answer):
    assert answer["error"]["message"]
    return answer["error"]["code"]


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    talk = Talk(REAL, tmp_path_factory.mktemp("real"))
    talk.hello()
    yield talk
    assert talk.end() == 0


@pytest.fixture
def made_up(tmp_path):
    talk = Talk(MADE_UP, tmp_path)
    talk.hello()
    yield talk
    if not talk.process.stdin.closed:
        assert talk.end() == 0


def test_what_the_system_refuses_is_one_sentence(real):
    answer = real.ask("truth", swap="n" * 300, shot="a")
    assert code(answer) == protocol.REFUSED
    assert answer["error"]["message"].endswith(": File name too long")
    assert answer["error"]["data"]["kind"] == "SystemRefusalError"


def test_it_is_a_command_with_help(capsys):
    with pytest.raises(SystemExit):
        main(["worker", "--help"])
    assert "example:\n  lifemask worker\n" in capsys.readouterr().out


def test_hello_comes_first_and_names_both_versions(tmp_path):
    talk = Talk(MADE_UP, tmp_path)
    assert code(talk.ask("look up")) == protocol.INVALID
    refused = talk.ask("hello", protocol=protocol.PROTOCOL + 1)
    assert code(refused) == protocol.VERSION
    assert str(protocol.PROTOCOL + 1) in refused["error"]["message"]
    assert set(talk.hello()) == {"protocol", "lifemask"}
    assert talk.ask("steps")["result"]
    (ready,) = (message for message in talk.heard if message.get("method") == "ready")
    assert ready["params"] == {"device": "nothing"}
    assert talk.end() == 0


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_every_command_is_a_method_that_checks_its_parameters(real, command):
    unknown = real.ask(command.name, gamma=2)
    assert code(unknown) == protocol.PARAMS
    assert "gamma" in unknown["error"]["message"]
    for param in params(command).values():
        wrong = real.ask(command.name, **{param.name: {"no": "value"}})
        assert code(wrong) == protocol.PARAMS
        assert param.name in wrong["error"]["message"]


def test_a_query_is_refused_with_its_problem_and_its_remedy(real):
    answer = real.ask("shot info", shot="nowhere")
    assert code(answer) == protocol.REFUSED
    assert answer["error"]["message"] == "nowhere: there is no shot here"
    remedy = {"id": "new_shot", "fields": {"shot": "nowhere"}}
    assert answer["error"]["data"] == {"kind": "NoShotError", "remedy": remedy}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | values,
        "id": st.integers() | st.text() | values,
        "method": st.sampled_from(["hello", "cancel", "look up", "steps", "shout"]) | values,
        "params": st.dictionaries(st.sampled_from(["file", "job", "protocol"]), values) | values,
    },
)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    talk = Talk(MADE_UP, tmp_path_factory.mktemp("patient"))
    talk.hello()
    yield talk
    assert talk.end() == 0


@given(line=st.binary().map(lambda line: line.replace(b"\n", b"")) | requests.map(json.dumps))
@example(line='{"jsonrpc": "2.0", "method": "hello", "params": {"file": Infinity}}')
@settings(max_examples=300)
def test_whatever_comes_in_is_answered_and_the_worker_lives_on(patient, line):
    line = line if isinstance(line, bytes) else line.encode()
    patient.heard.clear()
    patient.send(line)
    assert patient.ask("look up")["result"]["known"] == 1
    assert patient.answer(patient.request("steps"))["result"] == {"frames": 2}
    answers = [message for message in patient.heard if "id" in message][:-2]
    assert len(answers) == (0 if notifies(line) else 1)


def notifies(line):
    """Whether a line is a whole message without an id, which JSON-RPC leaves without an answer."""

    def no_number(text):
        raise ValueError(f"{text} is a float of Python's, and not of JSON")

    try:
        message = json.loads(line, parse_constant=no_number)
    except ValueError:
        return False
    whole = isinstance(message, dict) and message.get("jsonrpc") == "2.0"
    return whole and isinstance(message.get("method"), str) and "id" not in message


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (b"", protocol.PARSE),
        (b"\xff\xfe{}", protocol.PARSE),
        (b'{"jsonrpc": "2.0", "id": NaN, "method": "steps"}', protocol.PARSE),
        (b"[" * 100_000, protocol.PARSE),
        (b"x" * (protocol.LONGEST + 1), protocol.INVALID),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "steps"}]', protocol.INVALID),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "steps"}', protocol.INVALID),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "steps"}', protocol.INVALID),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', protocol.INVALID),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "dance"}', protocol.NO_METHOD),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "steps", "params": [1]}', protocol.PARAMS),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "sleep", "params": {"file": "a\\u0000"}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "sleep", "params": {"file": "\\ud800"}}', -32602),
    ],
)
def test_each_fault_has_its_code(patient, line, number):
    patient.send(line)
    assert code(patient.until(lambda message: "id" in message)) == number


def test_a_job_tells_how_far_it_is(made_up):
    job = made_up.request("steps")
    assert made_up.answer(job)["result"] == {"frames": 2}
    told = [m for m in made_up.heard if "method" in m and of(m) == job]
    steps = [m["params"]["done"] for m in told if m["method"] == "progress"]
    assert steps == [0, 1, 2]
    assert [m["method"] for m in told][:3] == ["started", "log", "preview"]
    frames = [(m["params"]["frame"], m["params"]["path"]) for m in told if m["method"] == "frame"]
    assert frames == [(1001, "é.1001.exr"), (1002, "é.1002.exr")]


def test_what_is_printed_does_not_come_between(made_up):
    assert made_up.ask("shout")["result"] == {"path": "a b.exr"}
    assert made_up.end() == 0
    log = made_up.log.read_text()
    assert "printed" in log
    assert "written by a library" in log


def test_a_fault_of_ours_is_told_and_logged(made_up):
    assert code(made_up.ask("refuse")) == protocol.REFUSED
    broken = made_up.ask("break")
    assert code(broken) == protocol.INTERNAL
    assert "by zero" in broken["error"]["message"]
    assert code(made_up.ask("odd")) == protocol.INTERNAL
    assert "ZeroDivisionError" in made_up.log.read_text()
    assert made_up.ask("steps")["result"]


def test_jobs_wait_for_each_other_and_queries_do_not(made_up, tmp_path):
    first = made_up.request("sleep", file=str(tmp_path / "one"))
    second = made_up.request("steps")
    made_up.started(first)
    assert made_up.ask("look up")["result"]["known"] == 1
    assert second not in [of(m) for m in made_up.heard if "method" in m]
    assert made_up.ask("cancel", job=first)["result"] is True
    assert code(made_up.answer(first)) == protocol.STOPPED
    assert made_up.answer(second)["result"]


def test_an_id_serves_one_job_at_a_time(made_up, tmp_path):
    job = made_up.request("sleep", file=str(tmp_path / "one"))
    made_up.asked -= 1
    assert code(made_up.ask("sleep", file="two")) == protocol.INVALID
    made_up.request("cancel", job=job)
    assert code(made_up.answer(job)) == protocol.STOPPED


def test_cancelling_stops_a_job_at_once_and_drops_a_queued_one(made_up, tmp_path):
    file = tmp_path / "one"
    running = made_up.request("sleep", file=str(file))
    queued = made_up.request("sleep", file=str(tmp_path / "two"))
    made_up.started(running)
    while not file.exists():
        time.sleep(0.01)
    made_up.request("cancel", job=queued)
    assert code(made_up.answer(queued)) == protocol.STOPPED
    made_up.request("cancel", job=running)
    assert code(made_up.answer(running)) == protocol.STOPPED
    assert not file.exists()
    assert made_up.ask("cancel", job=running)["result"] is False


def test_a_library_that_swallows_the_interrupt_stops_at_the_next_step(made_up, tmp_path):
    job = made_up.request("stubborn", file=str(tmp_path / "swallowed"))
    made_up.until(lambda message: message.get("method") == "progress")
    made_up.request("cancel", job=job)
    assert code(made_up.answer(job)) == protocol.STOPPED


@pytest.mark.parametrize("how", ["input closed", "SIGTERM"])
def test_the_worker_ends_in_the_middle_of_a_job_and_cleans_up(made_up, tmp_path, how):
    file = tmp_path / "one"
    made_up.started(made_up.request("sleep", file=str(file)))
    while not file.exists():
        time.sleep(0.01)
    if how == "SIGTERM":
        made_up.process.send_signal(signal.SIGTERM)
        assert made_up.stopped() == 0
    else:
        assert made_up.end() == 0
    assert not file.exists()


def test_ctrl_c_in_the_host_s_terminal_is_not_the_worker_s(made_up):
    made_up.process.send_signal(signal.SIGINT)
    assert made_up.ask("steps")["result"]
