"""Perform: a performance from a recording of ARKit's coefficients."""

from pathlib import Path
from typing import Annotated

from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.performance import Performance
from lifemask.ocio.media.source import FrameSource


class Perform(Node):
    """Make a performance for a plate from a recording, such as the CSV of Live Link Face.

    Its expression and gaze can then be swapped in instead of the double's own; the head stays
    where it is in the plate.
    """

    recorded_fps: Annotated[
        float, Knob("Frames in a second of the recording.", 1, 1000, "frames/s")
    ] = 60.0
    delay: Annotated[
        int, Knob("Frames of the plate before the recording starts.", -100000, 100000, "frames")
    ] = 0

    def __call__(self, recording: Path, plate: FrameSource, fps: float) -> Performance:
        """Return the performance in frames of the ``plate``, of which ``fps`` are a second.

        Raises BrokenFileError when the recording cannot be read.
        """
        from lifemask.nodes.camera import Camera
        from lifemask.nodes.head import live_link

        first = plate.frames[0] + self.delay
        camera = Camera.of(*plate.size())
        return live_link.read(recording, self.recorded_fps, fps, first, camera)
