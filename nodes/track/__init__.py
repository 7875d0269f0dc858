"""Track: the faces of a plate, one track for each person, and the hands."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from lifemask.nodes import progress
from lifemask.nodes.camera import Camera
from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.errors import FaceError, Remedy
from lifemask.nodes.types import LEAST_CONFIDENCE, FaceTrack, HandTrack
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from lifemask.nodes.track.people import Person


class Track(Node):
    """Follow every face through a plate: 478 landmarks, pose, expression and confidence.

    Gives one track for each person; p1 is the largest on screen over the whole plate. A person who
    is hidden, or leaves and comes back, keeps the name. A frame that does not show the face is
    marked as lost, never guessed. Hands are followed, too: 21 landmarks each.
    """

    samples: Annotated[int, Knob("Crops averaged for each face; more is steadier.", 2, 64)] = 8
    smooth: Annotated[
        int, Knob("Neighbouring frames on each side that steady a frame.", 0, 5, "frames")
    ] = 2
    small_faces: Annotated[bool, Knob("Also look for faces smaller than a tenth of the frame.")] = (
        True
    )
    min_frames: Annotated[
        int, Knob("Drop people seen in fewer frames.", 1, 1000, "frames", was="least_frames")
    ] = 5
    hands: Annotated[bool, Knob("Also follow hands, which may go before a face.")] = True
    focal_length: Annotated[
        float,
        Knob(
            "Lens, for a sensor 36 mm wide; 0 takes the header's, or assumes 50.",
            0,
            2000,
            "mm",
        ),
    ] = 0.0

    def __call__(self, plate: FrameSource) -> list[FaceTrack]:
        """Return the tracks, the largest face first; raises FaceError when there is no face."""
        return replace(self, hands=False).with_hands(plate)[0]

    def with_hands(self, plate: FrameSource) -> tuple[list[FaceTrack], list[HandTrack]]:
        """Return the tracks of the faces, and the hands, the one seen most first.

        Raises FaceError when there is no face.
        """
        from lifemask.nodes.hands.hand_tracker import HandTracker
        from lifemask.nodes.track.people import people
        from lifemask.nodes.track.tracker import Tracker, pictures

        plate.size()  # refused before the work
        aspect = plate.pixel_aspect()
        if abs(aspect - 1) > _SQUARE:
            squeezed = f"its pixels are {aspect:g} times as wide as high, and are taken for square"
            progress.note("track", f"{plate.name}: {squeezed}; unsqueeze it first")
        frames = plate.frames
        hands = HandTracker() if self.hands else None
        tracker = Tracker(self.samples, self.smooth, self.small_faces, hands)
        tracklets = tracker.track(progress.each(pictures(plate), "track", len(frames)))
        least = min(self.min_frames, len(frames))
        camera = self._camera(plate)
        found = people(tracklets, least)
        if not found:
            why = f"no face was found in frames {frames[0]}-{frames[-1]}"
            if tracklets:
                why = f"nobody is seen in {least} frames"
            remedy = Remedy("fewer_frames") if tracklets else None
            raise FaceError(f"{plate.name}: {why}", remedy)
        faces = [
            _face_track(person, f"p{number}", camera, frames)
            for number, person in enumerate(found, 1)
        ]
        return faces, hands.tracks(frames, camera) if hands else []

    def _camera(self, plate: FrameSource) -> Camera:
        with plate.open() as reader:
            header = reader.read(plate.frames[0]).header
        return Camera.of(*plate.size(), header, self.focal_length)


_SQUARE = 0.01  # tolerance of a pixel's aspect ratio
_MOST_TURNED = 70
"""Degrees of yaw beyond which the network invents the landmarks of the far side."""


def _face_track(person: "Person", name: str, camera: Camera, frames: tuple[int, ...]) -> FaceTrack:
    """Return the person's track; frames that show too little of the face are lost."""
    import numpy as np

    from lifemask.nodes.faces.blendshapes import expression
    from lifemask.nodes.faces.pose import angles, rotations
    from lifemask.nodes.faces.topology import COUNT

    landmarks = np.full((len(frames), COUNT, 3), np.nan, np.float32)
    confidence = np.zeros(len(frames), np.float32)
    for tracklet in person.tracklets:
        landmarks[tracklet.places] = tracklet.landmarks
        confidence[tracklet.places] = tracklet.confidence
    rotation = rotations(landmarks)
    with np.errstate(invalid="ignore"):
        kept = np.abs(angles(rotation)[:, 0]) <= _MOST_TURNED
    kept &= confidence >= LEAST_CONFIDENCE
    for values in (landmarks, rotation):
        values[~kept] = np.nan
    confidence[~kept] = 0
    return FaceTrack(
        person=name,
        camera=camera,
        frames=np.array(frames, np.int64),
        landmarks=landmarks,
        confidence=confidence,
        rotation=rotation,
        expression=expression(landmarks),
    )
