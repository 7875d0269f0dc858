"""How the worker is started, and where it sees the storage: the studio's word, or the artist's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from secrets import token_hex
from typing import Any

FILE = Path.home() / ".nuke" / "lifemask.json"
"""The artist's own settings; the environment, which a studio sets, comes first."""

DEFAULT = "lifemask worker"


def command() -> str:
    """Return the command line of the worker: ``LIFEMASK_WORKER``, or the artist's own."""
    return os.environ.get("LIFEMASK_WORKER") or str(_kept().get("worker") or DEFAULT)


def paths() -> list[tuple[str, str]]:
    """Return pairs of folders, here and on the worker's side.

    ``LIFEMASK_PATHS`` holds them as ``P:/=/mnt/projects;Q:/=/mnt/cache``.
    """
    pairs = (pair.partition("=") for pair in os.environ.get("LIFEMASK_PATHS", "").split(";"))
    return [(here.strip(), there.strip()) for here, mark, there in pairs if mark]


def keep(worker: str) -> None:
    """Keep the artist's command for the worker."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    temporary = FILE.with_name(f".{FILE.name}.{token_hex(4)}.part")
    temporary.write_text(json.dumps({**_kept(), "worker": worker}, indent=1), encoding="utf-8")
    temporary.replace(FILE)


def _kept() -> dict[str, Any]:
    try:
        kept = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
