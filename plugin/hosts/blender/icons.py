"""Pictures of the worker as icons of Blender's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy.utils.previews

_COLLECTION: list[Any] = []


def icon(path: str) -> int:
    """Return the icon of a picture as it is on disk now; 0, no icon, when it is not there."""
    if not _COLLECTION:
        _COLLECTION.append(bpy.utils.previews.new())
    (known,) = _COLLECTION
    try:
        name = f"{path} {Path(path).stat().st_mtime_ns}"
    except OSError:
        return 0
    if name not in known:
        known.clear()
        known.load(name, path, "IMAGE")
    return int(known[name].icon_id)


def close() -> None:
    """Forget them all."""
    while _COLLECTION:
        bpy.utils.previews.remove(_COLLECTION.pop())
