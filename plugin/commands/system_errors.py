"""Word the system's refusals as one sentence."""

import os

from lifemask.nodes.errors import LifemaskError, SystemRefusalError
from lifemask.nodes.memory import is_full


def sentence(error: BaseException, command: str) -> LifemaskError | None:
    """Return the sentence for an ``error`` in a ``command``, if it is a refusal of the system.

    None for any other: that is a bug, and keeps its traceback.
    """
    parts = _parts(error, command)
    return SystemRefusalError(": ".join(parts)) if parts else None


def _parts(error: BaseException, command: str) -> tuple[str, str] | None:
    """Return the file, or else the command, and the reason."""
    if isinstance(error, OSError):
        return _file(error) or command, error.strerror or str(error) or type(error).__name__
    if isinstance(error, UnicodeEncodeError):
        around = error.object[max(0, error.start - 20) : error.end + 20]
        return command, f"{around!a} cannot be written in {error.encoding}"
    if isinstance(error, UnicodeError):
        return command, f"a text is not in the encoding that it should have ({error})"
    if isinstance(error, RecursionError):
        return command, "what it was given is nested too deeply"
    if is_full(error):
        return command, "there is not enough memory"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return command, "the system allows no more threads"
    if isinstance(error, ImportError) and (error.path or "").endswith(".so"):
        return command, f"a library cannot be loaded ({error})"
    return None


def _file(error: OSError) -> str:
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return name.encode(errors="backslashreplace").decode()
