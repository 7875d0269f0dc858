"""Swap: the likeness's face on the double, composited into the plate."""

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from os.path import abspath, realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from lifemask.nodes import progress
from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.errors import BrokenFileError, ReleaseError, ShotError
from lifemask.nodes.likeness import Likeness
from lifemask.nodes.performance import Performance
from lifemask.nodes.plate_subject import Occlusion, PlateSubject
from lifemask.nodes.shot.release import Release
from lifemask.nodes.swap.checks import check_inputs
from lifemask.nodes.types import FaceTrack, Model
from lifemask.ocio.media.frame import LayeredFrame
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media.sink import FrameSink
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from lifemask.nodes.swap.plan import ShotPlan


@dataclass(frozen=True)
class Role:
    """Who goes on whom: the ``likeness`` on the ``subject``, the person of ``track``.

    The face plays the ``performance``, behind the ``occlusion``. ``release`` is the likeness's
    consent, and ``project`` the one that the shot belongs to.
    """

    track: FaceTrack
    performance: Performance
    subject: PlateSubject
    occlusion: Occlusion
    likeness: Likeness
    release: Release
    project: str

    def check(self, today: date) -> None:
        """Raise ReleaseError unless the likeness's consent holds here and today."""
        if self.release.performer != self.likeness.performer:
            raise ReleaseError(
                f"the release is {self.release.performer}'s, the faces {self.likeness.performer}'s"
            )
        self.release.check(self.project, today)


class Swap(Node):
    """Put a likeness's face on the double, in the plate's light, behind what is in front of it.

    Gives the composite, the generated pixels alone, the uncomposited picture, face matte,
    occluders, confidence and ST map. Outside of the matte the plate is returned bit for bit; a
    frame without a face is the plate.
    """

    scale: Annotated[float, Knob("Size of the face about its middle.", 0.5, 2)] = 1.0
    rotate: Annotated[float, Knob("Rotates the face clockwise.", -45, 45, "deg", was="turn")] = 0.0
    translate_x: Annotated[
        float, Knob("Moves the face right, in % of its width.", -50, 50, "%", was="move_x")
    ] = 0.0
    translate_y: Annotated[
        float, Knob("Moves the face down, in % of its width.", -50, 50, "%", was="move_y")
    ] = 0.0
    exposure: Annotated[float, Knob("Exposure added to the face.", -10, 10, "stops")] = 0.0
    blend_width: Annotated[
        float,
        Knob(
            "Width of the blend of light inside the matte, in % of the face's.",
            0,
            50,
            "%",
            was="edge",
        ),
    ] = 6.0
    erode: Annotated[
        float, Knob("Shrinks the matte, in % of the face's width; below 0 it grows.", -20, 20, "%")
    ] = 0.0
    double_mouth: Annotated[
        float,
        Knob("Share of the double's own mouth where no take has one like it.", 0, 1, was="mouth"),
    ] = 1.0
    gaze_yaw: Annotated[float, Knob("Turns the eyes to picture right.", -30, 30, "deg")] = 0.0
    gaze_pitch: Annotated[float, Knob("Turns the eyes down.", -20, 20, "deg")] = 0.0
    occluder_sensitivity: Annotated[
        float, Knob("Higher finds more occluders; 0 finds none.", 0, 4, was="occluders")
    ] = 1.0
    spectacles: Annotated[
        bool, Knob("Keeps spectacles that the double wears; off takes them off the face.")
    ] = True
    shutter_angle: Annotated[
        float,
        Knob(
            "Shutter of plate and takes; 0 adds no motion blur.",
            0,
            360,
            "deg",
            was="shutter",
        ),
    ] = 180.0
    refine_strength: Annotated[
        float,
        Knob(
            "Share of the model's changes: more suits the plate's light, less the takes.",
            0,
            1,
            was="refine",
        ),
    ] = 0.75

    def __call__(
        self, plate: FrameSource, cast: list[Role], model: Model | None = None
    ) -> Iterator[LayeredFrame]:
        """Yield the frames of the swap, finished by ``model``; without one the bare render.

        Memory does not depend on how many there are.

        Raises ReleaseError without a valid release for every likeness of the ``cast``,
        MissingFramesError when frames were not tracked, FaceError when the double's faces are not
        those of the track, SizeError when frames differ in size, or from the ones that were
        tracked.
        """
        check_inputs(plate, cast, model)
        return self.render(plate, cast, self.plan(cast), model)

    def plan(self, cast: list[Role], folder: Path | None = None) -> "list[ShotPlan]":
        """Return how each role is swapped in its whole shot, whatever frames are rendered.

        Of the knobs only the shutter decides on a plan. One that was saved in ``folder``, or for
        another version of the swap there, serves again if nothing that it is made of has changed.
        """
        from lifemask.nodes.swap.plan_files import fitting
        from lifemask.nodes.swap.planner import WholeShotPlanner

        planner = WholeShotPlanner(self.shutter_angle)
        inputs = [(role.performance, role.subject, role.likeness) for role in cast]
        wanted = [planner.made_of(*values) for values in inputs]
        known = {one.made_of: one for one in (fitting(folder, wanted) if folder else ())}
        pairs = zip(wanted, inputs, strict=True)
        return [known.get(made_of) or planner(*values) for made_of, values in pairs]

    def render(
        self,
        plate: FrameSource,
        cast: list[Role],
        plans: "list[ShotPlan]",
        model: Model | None = None,
    ) -> Iterator[LayeredFrame]:
        """Yield the frames of the swap as planned; the same plans give the same pixels."""
        from lifemask.nodes.swap.frames import Swapping

        return Swapping(self, plate, cast, plans, model).frames()


def write_swap(
    swap: Swap,
    plate: FrameSource,
    cast: list[Role],
    folder: Path,
    name: str,
    whole: bool = True,
    model: Model | None = None,
) -> list[Path]:
    """Write the swap as ``folder/name.####.exr``, one whole file after the other; return them.

    A ``whole`` swap takes the place of an older one in the folder: that is removed when the first
    new frame is made. Otherwise its other frames stay, as a range that is rendered anew needs. The
    plan is saved beside the frames, and one that is there and still fits is used.
    """
    from lifemask.ocio.media.exr_sequence import ExrSequence

    with ExrSequence(folder, name, anew=whole) as files:
        check_inputs(plate, cast, model)
        plans = swap.plan(cast, folder)
        sent = send_swap(swap, plate, cast, files, model, plans)
        with closing(_saving(sent, folder, plans)) as numbers:
            written = progress.frames(map(files.file, numbers), "swap")
            return list(progress.each(written, "swap", len(plate.frames)))


def _saving(
    written: Generator[int, None, None], folder: Path, plans: "list[ShotPlan]"
) -> Generator[int, None, None]:
    """Yield the numbers of what is ``written``, and save the plans after the first one."""
    from lifemask.nodes.swap import plan_files

    with closing(written):
        for count, number in enumerate(written):
            if not count:
                plan_files.save(folder, plans)
            yield number


def send_swap(
    swap: Swap,
    plate: FrameSource,
    cast: list[Role],
    sink: FrameSink[LayeredFrame],
    model: Model | None = None,
    plans: "list[ShotPlan] | None" = None,
) -> Generator[int, None, None]:
    """Send the swap to ``sink``; yield the number of each frame once it is written.

    Without the ``plans`` of the ``cast`` it is planned first.
    """
    from lifemask.ocio.system.parallel import parallel_map

    def write(frame: LayeredFrame) -> int:
        sink.write(frame)
        return frame.number

    frames = swap.render(plate, cast, plans, model) if plans else swap(plate, cast, model)
    with closing(parallel_map(write, frames, sink.ahead)) as written:
        yield from written


def frames_of(folder: Path, shot: str = "") -> Sequence:
    """Return the frames of the swap in ``folder``, a version of it, which is of the ``shot``.

    They need not be all of the plate's, and other files do no harm. Raises ShotError when there are
    none, or when they may be of several swaps.
    """
    # The folder may be a link to another disk, or one that is called latest.
    versions = [Path(way(folder)).name for way in (abspath, realpath)]
    patterns = [f"{name}_{version}.####.exr" for name in (shot, "*") for version in versions]
    # Last what was given other names: by hand, or with another name of the shot.
    for pattern in (*patterns, "*.exr"):
        with suppress(BrokenFileError):
            found = Sequence.find_made(folder / pattern)
            break
    else:
        raise ShotError(f"{folder}: there are no frames of a swap in it")
    if len(found) > 1:
        names = ", ".join(Path(one.path).name for one in found)
        name = f"SHOT_{versions[0]}.####.exr"
        raise ShotError(f"{folder}: which is the swap of {names}? Name it {name}")
    return found[0]
