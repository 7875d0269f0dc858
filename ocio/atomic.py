"""Files that are whole or not there."""

import os
import re
import shutil
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
    part = path.with_name(temporary(path.name))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep_once(path.parent)
        yield part
        part.replace(path)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def temporary(name: str) -> str:
    """Return what a file or folder is called while this process fills it."""
    return f".{name}.{node()}.{os.getpid()}.part"


def sweep(folder: Path) -> None:
    """Remove what killed processes left in ``folder``; those of other machines may live."""
    with suppress(OSError):
        for part in folder.iterdir():
            process = _writer(part)
            if process and not _runs(process):
                shutil.rmtree(part) if part.is_dir() else part.unlink()


_sweep_once = cache(sweep)


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
