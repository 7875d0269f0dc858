"""The person in the plate, and what lies in front of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lifemask.nodes.posed_faces import PosedFaces
from lifemask.nodes.types import HandTrack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class FaceTextures(Protocol):
    """Faces unwrapped by the face mesh, read one at a time: they are too many for memory."""

    def read(self, index: int) -> "Floats":
        """Return the face ``index``, (256, 256, 9), linear ACEScg.

        Colour, validity 0..1, the light on it, how surprising each texel is (`occluders.scores`),
        and the matte of what is thin and in front. Broken texels are not finite.
        """

    def name(self, index: int) -> str:
        """Return what a message calls the face ``index``."""


@dataclass(frozen=True, eq=False)
class PlateSubject:
    """The person in N frames of a plate, whose face is replaced.

    ``posed`` has the landmarks in plate pixels; ``matrix`` (N, 2, 3) takes these to face space, a
    square of ``size`` pixels. The plate is raised by ``pedestal`` (N, 3) while the face is made, so
    that its shadows are not below 0. ``albedo`` (3, 64, 64) is log, in texture space; ``textures``
    show the face under the plate's light. ``source`` is what messages call all this.
    """

    source: str
    posed: PosedFaces
    matrix: "Floats"
    size: int
    pedestal: "Floats"
    albedo: "Floats"
    textures: FaceTextures


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What lies in front of a plate's subject, for each of their faces: see `FaceTextures`.

    The ``hands`` of the plate may be some of it.
    """

    textures: FaceTextures
    hands: tuple[HandTrack, ...] = ()
