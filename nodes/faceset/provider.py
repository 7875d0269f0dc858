"""What a swap needs of two people, taken from their facesets."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.likeness import Likeness
from lifemask.nodes.plate_subject import Occlusion, PlateSubject
from lifemask.nodes.posed_faces import PosedFaces
from lifemask.nodes.types import HandTrack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lifemask.nodes.render.descriptors import FaceDescriptors


@dataclass(frozen=True)
class TextureFiles:
    """The textures of a faceset, as `plate_subject.FaceTextures`."""

    faceset: FaceSet

    def read(self, index: int) -> "NDArray[np.float32]":
        """Return the face ``index``, (256, 256, 9)."""
        return self.faceset.texture(index)

    def name(self, index: int) -> str:
        """Return its file."""
        return str(self.faceset.texture_file(index))


def posed_faces_of(faceset: FaceSet) -> PosedFaces:
    """Return the faces in the pictures of a faceset."""
    return PosedFaces(**{f.name: getattr(faceset.faces, f.name) for f in fields(PosedFaces)})


def subject_of(faceset: FaceSet) -> PlateSubject:
    """Return the person in the plate, by a faceset of every frame of it."""
    faces = faceset.faces
    return PlateSubject(
        source=str(faceset.folder),
        posed=posed_faces_of(faceset),
        matrix=faces.matrix,
        size=faceset.size,
        pedestal=faces.pedestal,
        albedo=faces.albedo,
        textures=TextureFiles(faceset),
    )


def occlusion_of(faceset: FaceSet, hands: Sequence[HandTrack] = ()) -> Occlusion:
    """Return what is in front of the person in the plate, by a faceset of every frame of it."""
    return Occlusion(TextureFiles(faceset), tuple(hands))


def likeness_of(faceset: FaceSet) -> Likeness:
    """Return the performer of a faceset."""
    import numpy as np

    faces = faceset.faces
    zoom = np.array([np.linalg.norm(row) for row in faces.matrix[:, 0, :2]], np.float32)
    return Likeness(
        performer=faceset.performer,
        posed=posed_faces_of(faceset),
        landmarks=faceset.face_landmarks,
        scale=faces.scale * zoom,
        albedo=faces.albedo,
        identity=faces.identity,
        picture=faceset.face,
        textures=TextureFiles(faceset),
    )


def descriptors_of(faceset: FaceSet, indices: Sequence[int]) -> "FaceDescriptors":
    """Read the descriptors of the faces ``indices`` of a faceset."""
    from lifemask.nodes.render.descriptors import descriptors

    posed = posed_faces_of(faceset)
    played = posed.shape - posed.neutral, posed.coefficients
    return descriptors(TextureFiles(faceset), posed, played, posed.hidden, indices)
