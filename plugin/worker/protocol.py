"""The protocol of client and worker: JSON-RPC 2.0, one message a line, UTF-8.

A request is answered when its work has ended, so a job's id is the id of its request. Until then
the worker sends notifications, whose ``job`` is that id:

========  ================================  ====================================================
method    params                            tells
========  ================================  ====================================================
ready     device                            everything is loaded (no ``job``)
started   job                               the job has left the queue
progress  job, task, done, total,           so many steps of a task are done; ``seconds_left`` is
          seconds_left                      null until it is known
log       job, task, text                   a line for a person; ``remedy`` as below, if it has one
preview   job, task, path                   a picture of the result so far
frame     job, frame, path                  this frame is on disk, whole
========  ================================  ====================================================

Requests: ``hello`` {protocol} comes first and gives {protocol, lifemask}; ``cancel`` {job} gives
whether there was such a job; every command of the command line is one, with its options by name.
Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

import json
import os
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL = 1
LONGEST = 4 << 20
"""Most bytes of a line."""

PARSE, INVALID, NO_METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
REFUSED, VERSION, STOPPED = -32000, -32001, -32002
"""Ours: the command refuses, another protocol, cancelled.

``data.kind`` names the error. ``data.remedy``, where there is one, holds its ``id`` and ``fields``,
which the host words.
"""


def packed(message: dict[str, Any]) -> bytes:
    """Return the line of a message; in ASCII, so that no lone surrogate can break it.

    Raises TypeError or ValueError when JSON cannot hold it.
    """
    text = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False, default=os.fspath)
    return text.encode() + b"\n"


def unpacked(line: bytes) -> Any:  # noqa: ANN401
    """Return the message in a line; raises ValueError unless it is JSON in UTF-8."""
    try:
        return json.loads(line.decode(), parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield the lines of a stream until it ends, None for one that is longer than `LONGEST`."""
    while True:
        line = stream.readline(LONGEST + 1)
        if not line:
            return
        if len(line) <= LONGEST or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST)
        yield None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")
