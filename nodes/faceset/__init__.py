"""Faceset: one performer's faces, ready to be re-rendered."""

from pathlib import Path
from typing import Annotated

from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.errors import KnobError
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media.source import FrameSource

_LEAST_SIZE = 32


class Faceset(Node):
    """Collect one performer's faces from takes, or from the plate: pictures, textures and light.

    Each face is cropped upright and steady, in scene-linear, and unwrapped. From all of them come
    the shape without expression, the albedo and the light of every take. Frames that are blurred,
    tiny, badly exposed or duplicates are left out and counted.
    """

    size: Annotated[int, Knob("Side of face space; 0 keeps the takes' detail.", 0, 4096, "px")] = 0
    smooth: Annotated[float, Knob("Smooths face space over time.", 0, 20, "frames")] = 1.5
    min_size: Annotated[
        int, Knob("Drop faces that are smaller.", 24, 2048, "px", was="least_size")
    ] = 64
    min_sharpness: Annotated[
        float,
        Knob("Drop faces less sharp than this share of the median.", 0, 1, was="least_sharpness"),
    ] = 0.35
    allow_single: Annotated[
        bool, Knob("Accept fewer than 8 faces: one photograph is enough.", was="single")
    ] = False
    every_frame: Annotated[bool, Knob("Keep every frame with a face, as the double needs.")] = False
    max_gap: Annotated[
        int,
        Knob(
            "Longest gap that the double's face is carried across, such as a hand.",
            0,
            1000,
            "frames",
            was="bridge",
        ),
    ] = 48
    focal_length: Annotated[
        float,
        Knob(
            "Lens of the takes, for a sensor 36 mm wide; 0 takes their headers', or assumes 50.",
            0,
            2000,
            "mm",
        ),
    ] = 0.0

    def __call__(
        self,
        takes: list[FrameSource],
        tracks: list[FaceTrack],
        performer: str,
        folder: Path,
        other: FaceSet | None = None,
    ) -> FaceSet:
        """Write the faceset of ``performer`` to ``folder`` and return it.

        ``tracks`` has the performer's track in each of the ``takes``. An ``other`` faceset of the
        same performer under other lights helps to separate albedo from light. Raises FaceError
        when too few faces are usable.
        """
        if not takes or len(takes) != len(tracks):
            raise KnobError(f"takes: {len(takes)} takes with {len(tracks)} tracks; one for each")
        if 0 < self.size < _LEAST_SIZE:
            raise KnobError(
                f"size: {self.size} is below {_LEAST_SIZE} pixels; 0 keeps the takes' detail"
            )
        from lifemask.nodes.faceset.build import FacesetBuild
        from lifemask.nodes.faceset.gaps import bridged

        if self.every_frame:
            pairs = zip(takes, tracks, strict=True)
            tracks = [bridged(take, track, self.max_gap) for take, track in pairs]
        return FacesetBuild(self, takes, tracks, performer, folder, other).run()
