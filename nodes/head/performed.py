"""A performance from tracked faces, and the shapes that a performance gives another face."""

from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.errors import FaceError
from lifemask.nodes.faces.pose import rotations
from lifemask.nodes.faces.runs import runs
from lifemask.nodes.faces.velocity import velocities
from lifemask.nodes.head.fit import fitted
from lifemask.nodes.head.gaze import gaze_of
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.head.perspective import nearness, view_error
from lifemask.nodes.performance import Performance
from lifemask.nodes.posed_faces import PosedFaces
from lifemask.nodes.types import FaceTrack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.camera import Camera

    Floats = NDArray[np.float32]


def performance_of(faces: PosedFaces, camera: "Camera", source: str) -> Performance:
    """Return what somebody plays in pictures that the ``camera`` took; ``source`` names them."""
    translation = camera.translation(faces.scale, faces.centre)
    continuous = runs(faces.take, faces.frame, faces.landmarks)
    return Performance(
        source=source,
        camera=camera,
        frame=faces.frame,
        coefficients=faces.coefficients,
        residual=faces.shape - _shapes(faces.neutral, faces.coefficients, faces),
        gaze=gaze_of(faces.shape, faces.rotation, faces.expression, continuous),
        rotation=camera.seen_from_axis(rotations(faces.landmarks), translation),
        translation=translation,
        confidence=faces.confidence,
    )


def tracked_performance(track: FaceTrack, source: str) -> Performance:
    """Return what somebody plays in the frames in which a ``track`` shows them.

    Raises FaceError when there is none.
    """
    seen = track.confidence > 0
    if not seen.any():
        raise FaceError(f"{source}: {track.person} is seen in no frame")
    take = np.zeros(int(seen.sum()), np.int64)
    landmarks, confidence = track.landmarks[seen], track.confidence[seen]
    expression, frames = track.expression[seen], track.frames[seen]
    focal = np.full(len(frames), track.camera.known_focal, np.float32)
    head = fitted(landmarks, expression, confidence, runs(take, frames, landmarks), focal)
    faces = PosedFaces(
        frame=frames,
        take=take,
        landmarks=landmarks,
        velocity=velocities(track.landmarks, track.frames)[seen],
        shape=head.placed.shape,
        scale=head.placed.scale,
        rotation=head.placed.rotation,
        centre=head.placed.centre,
        focal=focal,
        expression=expression,
        coefficients=head.coefficients,
        confidence=confidence,
        neutral=head.neutral,
    )
    return performance_of(faces, track.camera, source)


def played(performance: Performance, neutral: "Floats", pose: PosedFaces) -> "Floats":
    """Return the shapes (N, 478, 3) in which the face with this ``neutral`` plays it.

    As a tracker would show them in the ``pose`` of N faces.
    """
    return _shapes(neutral, performance.coefficients, pose) + performance.residual


def _shapes(neutral: "Floats", coefficients: "Floats", pose: PosedFaces) -> "Floats":
    """Tracked shapes (N, 478, 3): a ``neutral`` (478, 3) with ``coefficients`` (N, 52)."""
    motion = np.einsum("nc,cki->nki", coefficients, landmark_model().motions)
    view = view_error(pose.rotation, nearness(pose.scale, pose.focal))
    return np.asarray(neutral + motion + view, np.float32)
