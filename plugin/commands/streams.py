"""The standard streams: three that can be written to, whatever the program was started with."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, TextIO, cast


class Display:
    """Standard error as far as it goes: a log on a full disk, or a closed one, stops no work."""

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
        """Write what is held back, or nothing."""
        with suppress(OSError):
            self._stream.flush()


def secure() -> None:
    """Open the streams that are closed, and let a character that they lack be written as a code.

    A file that takes the number of a closed stream would have everything that is printed in it.
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
    """Start anew in Python's UTF-8 mode when the locale has another encoding: names have this one.

    The libraries that read and write pictures take names in UTF-8, whatever the locale.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    with suppress(OSError):
        words = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, words, {**os.environ, "PYTHONUTF8": "1"})
