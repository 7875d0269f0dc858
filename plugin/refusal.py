"""What the system refuses, in one sentence."""

import os

from lifemask.nodes.errors import LifemaskError, SystemRefusalError

REFUSALS = (OSError, UnicodeError, MemoryError, RecursionError)
"""What is nobody's mistake here; any other exception is, and keeps its traceback."""


def sentence(error: BaseException, command: str) -> LifemaskError:
    """Return one of the `REFUSALS`, which struck in a ``command``, as an error to be told."""
    return SystemRefusalError(": ".join(_parts(error, command)))


def _parts(error: BaseException, command: str) -> tuple[str, str]:
    """Return the file, else the command, and why."""
    if isinstance(error, OSError):
        return _file(error) or command, error.strerror or str(error) or type(error).__name__
    if isinstance(error, UnicodeEncodeError):
        around = error.object[max(0, error.start - 20) : error.end + 20]
        return command, f"{around!a} cannot be written in {error.encoding}"
    if isinstance(error, UnicodeError):
        return command, f"a text is not in the encoding that it should have ({error})"
    if isinstance(error, RecursionError):
        return command, "what it was given is nested too deeply"
    return command, "there is not enough memory"


def _file(error: OSError) -> str:
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return name.encode(errors="backslashreplace").decode()
