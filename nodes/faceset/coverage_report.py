"""The coverage report of a likeness, written into its faceset as JSON and as a page."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faceset.files import COVERAGE, FaceSet
from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot

PAGE = "coverage.html"


def report(shot: Shot, likenesses: Sequence[str], doubles: Sequence[str]) -> list[str]:
    """Compare the last faceset of each likeness with the plate's people; return all advice.

    Writes ``coverage.json`` and ``coverage.html`` into the likeness's folder. A likeness without a
    faceset is left out.
    """
    own, plate = _latest(shot, likenesses), list(_latest(shot, doubles).values())
    return [line for name, faceset in own.items() for line in _report(shot, name, faceset, plate)]


def known(shot: Shot, name: str) -> dict[str, Any]:
    """Return the report of a likeness as parsed JSON; empty when there is no readable one."""
    if not shot.versions("facesets", name):
        return {}
    file = shot.latest("facesets", name) / COVERAGE
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}  # the plate is not tracked yet, or the report is being written


def _report(shot: Shot, name: str, faceset: FaceSet, plate: Sequence[FaceSet]) -> list[str]:
    from lifemask.nodes.faceset.coverage import coverage
    from lifemask.nodes.faceset.coverage_page import coverage_page
    from lifemask.ocio.system.atomic import replacing

    found = coverage(faceset, *plate)
    found.save(faceset.folder)
    page = coverage_page(f"{shot.name}  {faceset.folder.name}", name, asdict(found))
    with replacing(faceset.folder / PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return list(found.advice)


def _latest(shot: Shot, names: Sequence[str]) -> dict[str, FaceSet]:
    found: dict[str, FaceSet] = {}
    for name in names:
        if shot.versions("facesets", name):
            found |= _loaded(name, shot.latest("facesets", name))
    return found


def _loaded(name: str, folder: Path) -> dict[str, FaceSet]:
    try:
        return {name: FaceSet.load(folder)}
    except BrokenFileError as error:
        # The faceset of this command is complete; trouble with another must not fail it.
        note("coverage", str(error), error.remedy)
        return {}
