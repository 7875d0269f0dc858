"""The time of one frame that is swapped by a saved plan, beside the frame's own time."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING

from lifemask.nodes import progress
from lifemask.nodes.device import at_most
from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.on_shot import SwapOnShot
from lifemask.nodes.swap.roles import cast_of
from lifemask.ocio.media.exr_sequence import ExrSequence

if TYPE_CHECKING:
    from lifemask.nodes.swap.frames import Swapping


def seconds_a_frame(shot: Shot, likeness: str, count: int) -> tuple[float, float]:
    """Return the median seconds of ``count`` frames: each a job of its own, and in a running swap.

    The job is a worker's, which finds the plan of the last swap and reads all that the frame needs.
    In a running swap, the frame is read, rendered and written; the rest is in memory. One frame
    before does not count: with it, libraries and model are loaded.
    """
    from lifemask.nodes.swap.frames import threads_a_frame

    version = shot.versions("swaps", likeness)[-1]
    folder = shot.version("swaps", likeness, version)
    running, sink = _running(shot, likeness, folder), ExrSequence(folder, "own")
    first, *others = shot.plate.frames[:count]
    alone, within = [], []
    with progress.reporting(lambda _: None), running.plate.open() as reader:
        for frame in (first, first, *others):
            alone.append(_seconds(_job(shot, likeness, version, frame).run))
            with at_most(threads_a_frame()):
                begun = monotonic()
                sink.write(running.result(reader.read(frame))[0])
                within.append(monotonic() - begun)
    return median(alone[1:]), median(within[1:])


def _running(shot: Shot, likeness: str, folder: Path) -> "Swapping":
    from lifemask.nodes.swap.frames import Swapping

    swap, cast = shot.node(Swap), [one.role for one in cast_of(shot, [likeness])]
    return Swapping(swap, shot.plate, cast, swap.plan(cast, folder), BASE)


def _job(shot: Shot, likeness: str, version: int, frame: int) -> SwapOnShot:
    return SwapOnShot(
        shot=shot.folder,
        likeness=(likeness,),
        frames=str(frame),
        version=version,
        overwrite=True,
    )


def _seconds(work: Callable[[], object]) -> float:
    begun = monotonic()
    work()
    return monotonic() - begun
