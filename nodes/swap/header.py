"""The header of a swapped frame: the plate's own, and the swap's provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lifemask.ocio.colour.tags import tagged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lifemask.nodes.swap import Role

PREFIX = "lifemask/"


@dataclass(frozen=True)
class PlacedFace:
    """One face in one frame: its person, the matrix (2, 3) to face space, and if it is hidden."""

    person: str
    matrix: "NDArray[np.float32]"
    bridged: bool = False


@dataclass(frozen=True)
class Provenance:
    """The provenance of a swap's frames: the model's digest, if any, and the releases."""

    model: str
    colorspace: str
    likeness: str
    release: str

    @classmethod
    def of(cls, cast: "Sequence[Role]", model: str, colorspace: str) -> "Provenance":
        """Return that of a ``cast``, a ``model``'s digest and the result's ``colorspace``."""
        likenesses = ", ".join(role.likeness.performer for role in cast)
        releases = "; ".join(role.release.reference for role in cast)
        return cls(model, colorspace, likenesses, releases)

    def header(
        self, plate: Mapping[str, Any], mark: str, faces: Sequence[PlacedFace]
    ) -> dict[str, Any]:
        """Return the header of a frame in which ``faces`` were placed.

        It has the ``plate``'s time code, rate and camera, the colour space of the result, and ours.
        Hosts compare ``mark`` with the plate frame to see whether that has changed since.
        """
        ours = {
            "version": version("lifemask"),
            "plate": mark,
            "model": self.model or "none",
            "colorspace": self.colorspace,
            "likeness": self.likeness,
            "release": self.release,
            "people": ", ".join(face.person for face in faces) or "none: no face in this frame",
            "bridged": ", ".join(face.person for face in faces if face.bridged) or "none",
            "matrix": "; ".join(_words(face.matrix) for face in faces),
        }
        return tagged(plate, self.colorspace) | {PREFIX + name: ours[name] for name in ours}


def _words(matrix: "NDArray[np.float32]") -> str:
    return " ".join(f"{value:.9g}" for value in matrix.flat)
