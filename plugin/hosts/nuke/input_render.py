"""Inputs of the node to disk, through the Write nodes inside, while the artist goes on."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import nuke

from ..common.results import ranges
from .knobs import unnoticed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..common.results import Pattern

Done = Callable[[str], None]
"""Called when everything is written; with a sentence when it is not, else with nothing in it."""

_waiting: dict[int, Callable[[], None]] = {}
"""What is to be done when Nuke's background render of this number has ended."""


def write(writes: Mapping[nuke.Node, Pattern], frames: list[int], done: Done) -> None:
    """Write ``frames`` through Write nodes inside of the gizmo, each to its own sequence.

    With a window a second Nuke renders, as Nuke's own background renders do, and this returns at
    once; ``done`` is called on the main thread. Without one, on a farm, it is written here.
    """
    files = [Path(path.file(frame)) for path in writes.values() for frame in frames]

    def check() -> None:
        missing = [file for file in files if not file.is_file()]
        done(f"{missing[0]}: Nuke has not written this frame of the input" if missing else "")

    try:
        _remove(files)
        with _ready(writes):
            number = _rendered(list(writes), frames)
    except RuntimeError as error:
        done(f"Nuke cannot render the input: {error}")
        return
    if number is None:
        check()
    else:
        _waiting[number] = check


def ended(context: dict[str, int]) -> None:
    """Take note that a background render of Nuke's has ended: one of ours or another."""
    check = _waiting.pop(context.get("id", -1), None)
    if check:
        nuke.executeInMainThread(check)


def _rendered(nodes: list[nuke.Node], frames: list[int]) -> int | None:
    """Render; return the number of the background render, None when it is done already."""
    spans, views = nuke.FrameRanges(ranges(frames).split(",")), nuke.views()[:1]
    if not nuke.GUI:
        for node in nodes:
            nuke.execute(node, spans, views)
        return None
    started = nuke.executeBackgroundNuke(nuke.EXE_PATH, nodes, spans, views, {})  # type: ignore[func-returns-value]
    if started in (None, -1):
        raise RuntimeError("a background render did not start")
    return int(started)


@contextmanager
def _ready(writes: Mapping[nuke.Node, Pattern]) -> Iterator[None]:
    """Let Writes inside write full frames to their places, and let nobody notice."""
    proxy = nuke.root()["proxy"]
    was_proxy = proxy.value()
    with unnoticed():
        try:
            for node, path in writes.items():
                node["file"].setValue(path.hashes)
                node["disable"].setValue(False)
            proxy.setValue(False)
            yield
        finally:
            for node in writes:
                node["disable"].setValue(True)
            proxy.setValue(was_proxy)


def _remove(files: Iterable[Path]) -> None:
    """Remove older frames, so that what is there afterwards is new; raises RuntimeError."""
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise RuntimeError(f"{file} cannot be replaced: {error.strerror}") from error
