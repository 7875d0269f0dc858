"""Atomic files and folders: they appear whole or not at all."""

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from platform import node

from lifemask.ocio.media_errors import WriteError

_PART = re.compile(r"\..+\.([0-9a-f]{8})-[0-9a-f]{8}\.part", re.DOTALL)
_LONG = 24 * 3600.0
"""Seconds without a change after which an unfinished file is abandoned, where locks do not work."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; on success it replaces ``path``.

    Raises WriteError when the disk is full or the folder is not writable. Then, as after any other
    error inside the ``with`` block, the old file is unchanged and nothing else is left. Leftovers
    of a killed process are removed by the next one that writes into the folder.
    """
    with unfinished(path) as part:
        yield part
        part.replace(path)


@contextmanager
def unfinished(path: Path, folder: bool = False) -> Iterator[Path]:
    """Yield an empty file, or ``folder``, beside ``path``, to be filled and moved to ``path``.

    It is removed after the block unless it was moved. Raises WriteError as `replacing` does; an
    error about another file, which was only read, passes unchanged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (sweep if folder else _sweep_once)(path.parent)
        part, lock = _begun(path, folder)
        try:
            yield part
        finally:
            _remove(part)
            os.close(lock)
    except OSError as error:
        if not _is_about(error, path):
            raise
        raise WriteError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Make ``folder``, and hold its lock during the block, so that other processes wait.

    Where a folder cannot be locked, as on NFS, nobody waits. A folder that cannot be made raises no
    error here; writing into it does.
    """
    lock = None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def sweep(folder: Path) -> None:
    """Remove the leftovers of killed processes from ``folder``.

    A writer holds a lock, which the system releases with its process. A process number would not
    do: it can belong to another container, or to a later process.
    """
    with suppress(OSError):
        for part in folder.iterdir():
            if made := _PART.fullmatch(part.name):
                _remove_dead(part, made[1] == _machine())


_sweep_once = cache(sweep)


def _begun(path: Path, folder: bool) -> tuple[Path, int]:
    """Make the unfinished file for ``path``; return it, and the file descriptor with its lock."""
    while True:
        part = path.with_name(f".{path.name}.{_machine()}-{secrets.token_hex(4)}.part")
        try:
            lock = _made(part, folder)
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise
            continue  # swept before it was opened
        if _locked(lock) is not False and part.exists():
            return part, lock
        os.close(lock)  # swept before it was locked


def _made(part: Path, folder: bool) -> int:
    if not folder:
        return os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    part.mkdir()
    return os.open(part, os.O_RDONLY)


def _remove_dead(part: Path, here: bool) -> None:
    """Remove a ``part`` that nobody writes; another machine's lock may not show here."""
    with suppress(OSError):
        mode = os.O_RDONLY if part.is_dir() else os.O_RDWR  # NFS only locks writable files
        lock = os.open(part, mode | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            free = _locked(lock)
            if (free and here) or (free is not False and _is_old(part)):
                _remove(part)
        finally:
            os.close(lock)


def _locked(file: int) -> bool | None:
    """Lock an open file; False when another has it, None where files cannot be locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_old(part: Path) -> bool:
    changed = [part.stat().st_mtime, *(file.stat().st_mtime for file in part.rglob("*"))]
    return max(changed) < time.time() - _LONG


def _remove(part: Path) -> None:
    with suppress(OSError):
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


@cache
def _machine() -> str:
    """Eight digits that all containers of this machine share until its next boot."""
    try:
        name = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        name = node()
    return sha256(name.encode()).hexdigest()[:8]


def _is_about(error: OSError, path: Path) -> bool:
    """Whether an error is about the written file, not about another that is read meanwhile."""
    if not isinstance(error.filename, str | bytes):
        return True
    file, part = os.fsdecode(error.filename), str(path.with_name(f".{path.name}."))
    return file.startswith(part) or Path(file) in (path, *path.parents)
