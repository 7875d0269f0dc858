"""The worker: it runs commands that hosts ask for in JSON-RPC; see `protocol`."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from queue import SimpleQueue
from typing import IO, Any, NoReturn

from lifemask.nodes.command import Command, Result
from lifemask.nodes.errors import LifemaskError, Remedy, StoppedError
from lifemask.nodes.progress import Progress, reporting
from lifemask.plugin.commands.console import Events
from lifemask.plugin.commands.parameters import requested
from lifemask.plugin.commands.system_errors import sentence
from lifemask.plugin.worker import protocol
from lifemask.plugin.worker.job_queue import Id, Job, JobQueue

Answer = Mapping[str, Any]

_GRACE = 5.0
"""Seconds that a job may take to stop when nobody listens any more."""


class RequestError(LifemaskError):
    """A message is not a request that this worker can answer; ``code`` says why to a program."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Server:
    """Answers the requests of one client: queries at once, jobs one after the other."""

    def __init__(
        self, commands: Iterable[type[Command]], source: IO[bytes], sink: IO[bytes]
    ) -> None:
        self._commands = {command.name: command for command in commands}
        self._source, self._sink = source, sink
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._jobs = JobQueue()
        self._queries: SimpleQueue[Job] = SimpleQueue()
        self._greeted = False
        self._warm = False

    def run(self) -> None:
        """Work until the input ends; must be called on the main thread."""
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._jobs.close())
        threads = [
            threading.Thread(target=work, name=work.__name__, daemon=True)
            for work in (self._write, self._look_up, self._listen)
        ]
        for thread in threads:
            thread.start()
        self._send({"method": "ready", "params": {"device": warmed_up()}})
        self._warm = True
        for job in self._jobs.waiting():
            self._answer(job, self._work)
        self._lines.put(None)
        threads[0].join(_GRACE)

    def _write(self) -> None:
        """Write the lines: on a thread of its own, so that no interrupt cuts one in two."""
        try:
            for line in iter(self._lines.get, None):
                self._sink.write(line)
                self._sink.flush()
        except OSError:
            self.close()

    def _listen(self) -> None:
        for line in protocol.lines(self._source):
            self._take(line)
        self.close()

    def close(self) -> None:
        """Stop everything: nobody listens any more."""
        self._jobs.close()
        if not self._warm:
            os._exit(0)  # nothing has begun, and imports cannot be interrupted
        killer = threading.Timer(_GRACE, os._exit, [1])
        killer.daemon = True
        killer.start()

    def _look_up(self) -> None:
        while True:
            self._answer(self._queries.get(), lambda job: job.command.run())

    def _take(self, line: bytes | None) -> None:
        """Do what one line asks for, or answer what is wrong with it."""
        number: Id | None = None
        try:
            message = _object(line)
            number = _number(message)
            method = _method(message)
        except RequestError as error:
            self._refuse(number, error.code, error)
            return
        try:
            self._dispatch(number, method, _params(message))
        except LifemaskError as error:
            self._refused(number, error)
        except Exception as error:  # whatever it is, the worker listens on
            self._refused(number, sentence(error, method) or _fault(error, method))

    def _refused(self, number: Id | None, error: LifemaskError) -> None:
        """Answer what is wrong with a request; JSON-RPC leaves one without an id unanswered."""
        code = error.code if isinstance(error, RequestError) else protocol.PARAMS
        if number is None:
            print(error, file=sys.stderr)
        else:
            self._refuse(number, code, error)

    def _dispatch(self, number: Id | None, method: str, params: dict[str, object]) -> None:
        if method == "cancel":
            self._cancel(number, _id(params.get("job")))
        elif number is None:
            print(f"{method}: a request without an id cannot be answered", file=sys.stderr)
        elif method == "hello":
            self._reply(number, self._hello(params))
        else:
            self._ask(number, method, params)

    def _cancel(self, number: Id | None, job: Id) -> None:
        known = job in self._jobs
        dropped = self._jobs.cancel(job)
        if dropped:
            self._stopped(dropped)
        self._reply(number, known)

    def _hello(self, params: dict[str, object]) -> Answer:
        if params.get("protocol") != protocol.PROTOCOL:
            raise RequestError(
                protocol.VERSION,
                f"the worker, Lifemask {_version()}, speaks protocol {protocol.PROTOCOL}, "
                f"not {params.get('protocol')!r}; install the same Lifemask on both sides",
            )
        self._greeted = True
        return {"protocol": protocol.PROTOCOL, "lifemask": _version()}

    def _ask(self, number: Id, method: str, params: dict[str, object]) -> None:
        command = self._commands.get(method)
        if not self._greeted:
            raise RequestError(protocol.INVALID, f"{method}: say hello first")
        if command is None:
            raise RequestError(protocol.NO_METHOD, f"there is no method {method!r}")
        if number in self._jobs:
            raise RequestError(protocol.INVALID, f"the id {number!r} is a job's already")
        job = Job(number, requested(command, params))
        (self._queries if command.query else self._jobs).put(job)

    def _work(self, job: Job) -> Result:
        """Run a job, telling how far it is; raises StoppedError when it is cancelled."""
        events = Events(lambda note: {"text": note.note, **_remedy(note.remedy)})

        def report(progress: Progress) -> None:
            if job.cancelled:
                raise StoppedError("stopped by the user")
            self._notify(job.id, events.of(progress))

        with self._jobs.running(job), reporting(report):
            self._notify(job.id, {"event": "started"})
            return job.command.run()

    def _notify(self, number: Id, event: dict[str, Any]) -> None:
        name = event.pop("event")
        self._send({"method": _NAMES.get(name, name), "params": {"job": number, **event}})

    def _answer(self, job: Job, work: Callable[[Job], Result]) -> None:
        """Answer with what ``work`` gives, or with why there is nothing."""
        try:
            self._reply(job.id, work(job))
        except StoppedError:
            self._stopped(job)
        except LifemaskError as error:
            self._refuse(job.id, protocol.REFUSED, error)
        except Exception as error:  # whatever it is, the worker lives on
            name = job.command.name
            if told := sentence(error, name):
                self._refuse(job.id, protocol.REFUSED, told)
            else:
                self._refuse(job.id, protocol.INTERNAL, _fault(error, name))

    def _stopped(self, job: Job) -> None:
        stopped = StoppedError(f"{job.command.name}: stopped by the user")
        self._refuse(job.id, protocol.STOPPED, stopped)

    def _reply(self, number: Id | None, result: object) -> None:
        if number is not None:
            self._send({"id": number, "result": result})

    def _refuse(self, number: Id | None, code: int, error: LifemaskError) -> None:
        data = {"kind": type(error).__name__, **_remedy(error.remedy)}
        self._send({"id": number, "error": {"code": code, "message": str(error), "data": data}})

    def _send(self, message: dict[str, Any]) -> None:
        self._lines.put(protocol.packed(message))


def _remedy(remedy: Remedy | None) -> Answer:
    """Return the part of a message that has a remedy, which the host words."""
    return {"remedy": {"id": remedy.id, "fields": remedy.fields}} if remedy else {}


def _version() -> str:
    from importlib.metadata import version

    return version("lifemask")


def _fault(error: Exception, name: str) -> LifemaskError:
    """Log an error that is a mistake here, and return it as a host is told of it."""
    traceback.print_exception(error)
    return LifemaskError(f"{name}: a fault of Lifemask: {type(error).__name__}: {error}")


_NAMES = {"note": "log"}


def _object(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise RequestError(protocol.INVALID, f"a line may have {protocol.LONGEST} bytes at most")
    try:
        message = protocol.unpacked(line)
    except ValueError as error:
        raise RequestError(protocol.PARSE, f"this is not JSON in UTF-8: {error}") from error
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise RequestError(protocol.INVALID, 'a message is an object with "jsonrpc": "2.0"')
    return message


def _number(message: dict[str, Any]) -> Id | None:
    """The id of a request; None for a notification, which has none."""
    return _id(message["id"]) if "id" in message else None


def _id(number: object) -> Id:
    if isinstance(number, bool) or not isinstance(number, str | int):
        raise RequestError(protocol.INVALID, "an id is a text or a whole number")
    return number


def _method(message: dict[str, Any]) -> str:
    method = message.get("method")
    if not isinstance(method, str):
        raise RequestError(protocol.INVALID, "a method is a text")
    return method


def _params(message: dict[str, Any]) -> dict[str, object]:
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise RequestError(protocol.PARAMS, "params are given by name")
    return params


def warmed_up() -> str:
    """Return the name of the device, after loading what may not be interrupted while it loads.

    A library in C++ that was loaded by half cannot be loaded again; a job is stopped anywhere.
    """
    for name in _LIBRARIES:
        import_module(name)
    from lifemask.nodes.device import device_name

    with reporting(lambda told: print(told.note, file=sys.stderr)):  # no job listens yet
        return device_name()


_LIBRARIES = ("torch", "cv2", "OpenImageIO", "PyOpenColorIO", "OpenEXR", "av", "safetensors.numpy")


def serve(commands: Iterable[type[Command]]) -> NoReturn:
    """Be a worker on this process's standard input and output, until the input ends.

    They belong to the protocol alone: what anything else prints, be it a library's C++, comes out
    on standard error.
    """
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    Server(commands, source, sink).run()
    sys.stderr.flush()
    os._exit(0)  # all is written, and to take torch down takes a second
