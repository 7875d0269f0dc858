"""`lifemask shot new`: make the folder of a shot from its plate."""

from pathlib import Path
from typing import Annotated

from lifemask.nodes.command import SHOT, Button, Command, Option, Result
from lifemask.nodes.errors import KnobError, Remedy
from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.interpretation import LAYER, note_layer, space_of
from lifemask.ocio.media.frame_ranges import named_range
from lifemask.ocio.media.sequence import Sequence


class ShotNew(Command):
    """Make the folder of a shot from its plate."""

    name = "shot new"
    example = (
        "lifemask shot new sh010 --plate plates/sh010.####.exr --colorspace ACEScg --fps 24\n"
        "  lifemask shot new sh010 --plate renders/sh010.####.exr --layer beauty --fps 24"
    )
    button = Button("Shot", plate=True)

    shot: Annotated[Path, SHOT]
    plate: Annotated[str, Option("plate.####.exr, or a movie.", "FILES", settings=())]
    colorspace: Annotated[
        str, Option("Colour space of the plate; by default the one in its header.", "NAME")
    ] = ""
    layer: Annotated[str, Option(LAYER, "NAME", settings=())] = ""
    fps: Annotated[float | None, Option("Frames a second; by default the header's.", "RATE")] = None
    frames: Annotated[str, Option("Such as 1001-1096 or 1001-1096x2; all by default.", "RANGE")] = (
        ""
    )
    project: Annotated[str, Option("The production; by default that of the first release.")] = ""

    def run(self) -> Result:
        """Return the shot's file, and the plate's properties."""
        from lifemask.ocio.media.reader import check_readable

        sequence = Sequence.find(self.plate, self.frames, self.layer)
        check_readable(sequence)
        space = space_of(sequence, self.colorspace)
        rate = self.fps
        if rate is None:
            rate = float(sequence.fps or _header_rate(sequence))
        for doubt in filter(None, (sequence.stream_note, _unsteady(sequence, rate))):
            note("shot new", f"{sequence.path}: {doubt}")
        frames = named_range(sequence.frames)
        shot = Shot.new(self.shot, self.plate, space, rate, frames, self.project, self.layer)
        note_layer("shot new", sequence)
        return {"shot": shot.file, "frames": shot.frames, "colorspace": space, "fps": rate}


def _unsteady(sequence: Sequence, fps: float) -> str:
    if not (sequence.rate and sequence.rate.varies):
        return ""
    mean = float(sequence.rate.fps)
    return f"its frame rate varies, {mean:.4g} a second in the mean; {fps:.4g} is written down"


def _header_rate(sequence: Sequence) -> float:
    from lifemask.ocio.media.reader import read

    rate = read(sequence, sequence.frames[0]).header.get("framesPerSecond")
    if rate is None:
        raise KnobError("fps: the plate's header names no frame rate", Remedy("name_fps"))
    numerator, denominator = getattr(rate, "n", rate), getattr(rate, "d", 1)
    return float(numerator) / float(denominator)
