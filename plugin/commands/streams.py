"""Safe standard streams, whatever the program was started with."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, TextIO, cast


class Display:
    """Standard error that never fails: a full disk or a closed stream must not stop the work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write ``text``, or nothing."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or do nothing."""
        with suppress(OSError):
            self._stream.flush()


def secure() -> None:
    """Open closed streams, and have characters outside their encoding written as escapes.

    Without it, a file that gets the number of a closed stream would receive everything printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdout = sys.stdout or _nothing()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = cast(TextIO, Display(sys.stderr or _nothing()))


def _nothing() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123


def speak_utf8() -> None:
    """Restart in Python's UTF-8 mode when the locale has another encoding.

    The image libraries take file names in UTF-8, whatever the locale.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    with suppress(OSError):
        words = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, words, {**os.environ, "PYTHONUTF8": "1"})
