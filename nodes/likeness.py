"""The performer whose face goes in: pictures of them, and what the pictures have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifemask.nodes.plate_subject import FaceTextures
from lifemask.nodes.posed_faces import PosedFaces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Likeness:
    """N pictures of a ``performer`` in face space; ``posed`` has the faces in the takes.

    ``picture`` reads one of them, (S, S, 3) or with more channels, scene-linear ACEScg.
    ``landmarks`` (N, 478, 3) are in its pixels, of which ``scale`` (N,) are across a centimetre of
    the face. ``textures`` are the same pictures unwrapped. ``albedo`` (3, 64, 64) is log, in
    texture space. ``identity`` (60,) is in the modes of the head model.
    """

    performer: str
    posed: PosedFaces
    landmarks: "Floats"
    scale: "Floats"
    albedo: "Floats"
    identity: "Floats"
    picture: "Callable[[int], Floats]"
    textures: FaceTextures

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.posed)
