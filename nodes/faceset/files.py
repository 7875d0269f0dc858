"""One performer's faces on disk: pictures in face space, textures, and arrays of their data."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.head.fit_version import FIT_VERSION
from lifemask.ocio.media import exr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

INDEX = "faceset.safetensors"
COVERAGE = "coverage.json"
_AGAIN = "make the faceset again"


@dataclass(frozen=True)
class Faces:
    """The arrays of a faceset of N faces, in the order of the pictures.

    ``take`` and ``frame`` (N,) are the source of each face. ``matrix`` (N, 2, 3) maps the take's
    pixels to face space; ``landmarks`` (N, 478, 3) are in the take's pixels. ``shape``
    (N, 478, 3) in centimetres, ``scale`` (N,) in pixels a centimetre, ``rotation`` (N, 3, 3) and
    ``centre`` (N, 3) are shape and pose; ``focal`` (N,) is the lens's in the take's pixels, 0 where
    it is unknown. ``exposure`` (N,) is the skin's mean in stops from mid
    grey. ``pedestal`` (N, 3) is added to a picture so that its take's shadows are not below 0.
    ``velocity`` (N, 478, 2) of the landmarks is in the take's pixels a frame, 0 where unknown.
    ``expression`` (N, 52) is by `faces.blendshapes.NAMES`, ``coefficients`` (N, 52) of the fit by
    `head.arkit.NAMES`.
    ``neutral`` (478, 3) is the shape without expression, ``uncertainty`` () its deviation in % of
    the eyes' distance, ``identity`` (60,) who it is in the modes of the head model, ``albedo``
    (3, 64, 64) the log albedo in texture space, and ``lights`` (takes, 9, 3) the harmonics of each
    take's light.
    """

    take: "NDArray[np.int64]"
    frame: "NDArray[np.int64]"
    matrix: "Floats"
    landmarks: "Floats"
    shape: "Floats"
    scale: "Floats"
    rotation: "Floats"
    centre: "Floats"
    focal: "Floats"
    velocity: "Floats"
    expression: "Floats"
    coefficients: "Floats"
    confidence: "Floats"
    sharpness: "Floats"
    exposure: "Floats"
    pedestal: "Floats"
    neutral: "Floats"
    identity: "Floats"
    uncertainty: "Floats"
    albedo: "Floats"
    lights: "Floats"


@dataclass(frozen=True)
class FaceSet:
    """A faceset's folder: ``face.####.exr`` and ``texture.####.exr``, numbered from 1.

    Colour is ACEScg, raised by the ``pedestal``. ``takes`` are the files it was made from;
    ``dropped`` counts the frames that were left out, by reason.
    """

    folder: Path
    performer: str
    size: int
    takes: tuple[str, ...]
    dropped: dict[str, int]
    faces: Faces

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.faces.frame)

    def write_index(self) -> None:
        """Write the arrays; the pictures exist already."""
        arrays = {f.name: getattr(self.faces, f.name) for f in fields(Faces)}
        about = {
            "performer": self.performer,
            "size": self.size,
            "takes": self.takes,
            "dropped": self.dropped,
            "atlas": atlas_layout(),
            "fit": FIT_VERSION,
        }
        archive.save(self.folder / INDEX, "faceset", arrays, about)

    @classmethod
    def load(cls, folder: Path) -> "FaceSet":
        """Read a faceset; raises BrokenFileError when it is incomplete or altered."""
        arrays, about = archive.load(folder / INDEX, "faceset")
        try:
            about["takes"] = tuple(about["takes"])
            if about.pop("atlas") != atlas_layout():
                raise KeyError("its textures are laid out otherwise")
            if about.pop("fit", 1) != FIT_VERSION:
                raise KeyError("its faces were fitted otherwise")
            return cls(folder, faces=Faces(**arrays), **about)  # type: ignore[arg-type]
        except (TypeError, KeyError) as error:
            raise BrokenFileError(
                f"{folder / INDEX}: not a faceset of this version ({error}); {_AGAIN}"
            ) from error

    @cached_property
    def face_landmarks(self) -> "Floats":
        """The landmarks (N, 478, 3) in face-space pixels."""
        from lifemask.nodes.faces.face_space import moved

        return moved(self.faces.landmarks, self.faces.matrix)

    def face(self, index: int) -> "Floats":
        """Return a face-space picture (size, size, 4): scene-linear ACEScg and the matte."""
        return _planes(self.folder / f"face.{index + 1:04d}.exr", "R", "G", "B", "A")

    def texture(self, index: int) -> "Floats":
        """Return an unwrapped face (256, 256, 9), linear ACEScg.

        Colour, validity 0..1, light image, how surprising each texel is (`occluders.scores`), and
        the matte of thin occluders.
        """
        names = ("R", "G", "B", "validity.V", "light.R", "light.G", "light.B", "occluder.V")
        return _planes(self.texture_file(index), *names, "line.V")

    def texture_file(self, index: int) -> Path:
        """Return where a texture is."""
        return self.folder / f"texture.{index + 1:04d}.exr"


def reasons(dropped: Mapping[str, int]) -> str:
    """Return why frames were left out, and how many; empty when none was."""
    return ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)


@cache
def atlas_layout() -> str:
    """Return a key that changes with the layout of texture space."""
    with Path(__file__).parents[1].joinpath("render/atlas.safetensors").open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def write_picture(path: Path, planes: "dict[str, Floats]", header: dict[str, Any]) -> None:
    """Write half-float planes of ACEScg; half is enough for a picture that is relit later."""
    import numpy as np

    exr.write(
        path, {n: np.clip(p, -65504, 65504).astype(np.float16) for n, p in planes.items()}, header
    )


def _planes(path: Path, *names: str) -> "Floats":
    import numpy as np

    channels, _ = exr.read_channels(path)
    missing = [name for name in names if name not in channels]
    if missing:
        raise BrokenFileError(f"{path}: the layer {missing[0]} is not there; {_AGAIN}")
    return np.stack([channels[name] for name in names], -1).astype(np.float32)
