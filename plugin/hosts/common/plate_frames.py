"""Which frames of the plate on disk a host has to render again.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

import json
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .results import Pattern


class PlateFrames:
    """The frames of a plate that a host has rendered, and what each was rendered from.

    A host describes the graph above the plate, at each frame, by a fingerprint: a text that changes
    when the pixels would, empty when the host cannot say. ``upstream.json`` beside the frames keeps
    it together with each file's date and size, so that a frame that somebody else wrote is
    rendered again.
    """

    def __init__(self, plate: Pattern) -> None:
        self._plate = plate
        self._file = Path(plate.before).parent / "upstream.json"

    def stale(self, fingerprints: Mapping[int, str]) -> list[int]:
        """Return the frames that are not on disk as they would be rendered now, ascending."""
        known = self._read()
        marks = {frame: self._mark(frame, text) for frame, text in fingerprints.items()}
        return sorted(
            frame for frame, mark in marks.items() if not mark or known.get(str(frame)) != mark
        )

    def rendered(self, fingerprints: Mapping[int, str]) -> None:
        """Record that the frames on disk were rendered from these; raises OSError."""
        marks = {str(frame): self._mark(frame, text) for frame, text in fingerprints.items()}
        known = {**self._read(), **{frame: mark for frame, mark in marks.items() if mark}}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(f".{self._file.name}.{token_hex(4)}.part")
        temporary.write_text(json.dumps(known), encoding="utf-8")
        temporary.replace(self._file)

    def _mark(self, frame: int, fingerprint: str) -> str:
        """Return what is recorded of a frame; empty without a fingerprint or a file."""
        try:
            found = Path(self._plate.file(frame)).stat()
        except OSError:
            return ""
        return f"{fingerprint} {found.st_mtime_ns} {found.st_size}" if fingerprint else ""

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}
