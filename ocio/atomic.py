"""Files that are whole or not there."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from platform import node

from lifemask.ocio.errors import WriteError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; on success it takes the place of ``path``.

    Raises WriteError when the disk is full or the folder cannot be written to; then, as after any
    other error inside the ``with`` block, the old file is as it was and nothing else is left. What
    a process leaves that is killed, the next one to write into the folder removes.
    """
    temporary = path.with_name(f".{path.name}.{node()}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@cache
def _sweep(folder: Path) -> None:
    """Remove, once, what killed processes left in ``folder``; those of other machines may live."""
    with suppress(OSError):
        for file in folder.iterdir():
            process = _writer(file)
            if process and not _runs(process):
                file.unlink()


def is_written(part: Path) -> bool:
    """Whether a process of this machine that runs is writing the temporary file ``part``."""
    process = _writer(part)
    return process is not None and _runs(process)


def _writer(part: Path) -> int | None:
    """The process of this machine that made a temporary file; None of any other file."""
    made = re.fullmatch(rf"\..+\.{re.escape(node())}\.(\d+)\.part", part.name, re.DOTALL)
    return int(made[1]) if made else None


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
