"""Coverage: the poses, expressions and lights of a likeness's takes, compared with the plate's."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from lifemask.nodes.faces.face_space import FACE_WIDTH
from lifemask.nodes.faces.pose import angles, rotations
from lifemask.nodes.faceset.files import COVERAGE, FaceSet
from lifemask.nodes.faceset.provider import posed_faces_of
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.render.descriptors import luminance
from lifemask.nodes.render.light import harmonics
from lifemask.ocio.system.atomic import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

EXPRESSIONS = {
    "smile": ("mouthSmile",),
    "laugh": ("mouthSmile", "mouthUpperUp"),
    "raised brows": ("browInnerUp", "browOuterUp"),
    "frown": ("browDown",),
    "pursed lips": ("mouthPucker",),
    "sneer": ("noseSneer",),
}
"""A director's words, and the coefficients (`arkit.NAMES` begin so) that such a face has."""

UNITS = {
    "yaw": "degrees, + to picture right",
    "pitch": "degrees, + down",
    "mouth": "opening in mouth widths",
    "eyes": "opening in eye widths",
    **dict.fromkeys(EXPRESSIONS, "coefficient, 1 is full"),
    "exposure": "stops from mid grey",
    "size": "pixels across the face",
    "motion": "% of the face's width in a frame",
    "light azimuth": "degrees, + from picture right",
    "light elevation": "degrees, + from above",
}


@dataclass(frozen=True)
class Light:
    """The key light of a take, as the camera sees it.

    ``azimuth`` is 0 at the camera and + to picture right, ``elevation`` is + above, in degrees.
    ``contrast`` is how much more light the side that faces it gets, over the mean: 0 is even light.
    """

    take: str
    azimuth: float
    elevation: float
    contrast: float

    @property
    def direction(self) -> "Floats":
        """Unit vector towards the light: x right, y down, z away from the camera."""
        azimuth, elevation = np.deg2rad([self.azimuth, self.elevation])
        flat = np.cos(elevation)
        return np.array([flat * np.sin(azimuth), -np.sin(elevation), -flat * np.cos(azimuth)])


@dataclass(frozen=True)
class Shown:
    """The measured faces: ``axes`` (N,) by the names of `UNITS`, and the ``frame`` (N,) of each."""

    frame: "NDArray[np.int64]"
    axes: "dict[str, Floats]"
    lights: tuple[Light, ...]
    uncertainty: float = 0.0
    """Standard deviation of the neutral in % of the eyes' distance."""


@dataclass(frozen=True)
class Axis:
    """One axis: a value for each face of the likeness, and for each frame of the plate."""

    unit: str
    likeness: tuple[float, ...]
    plate: tuple[float, ...]


@dataclass(frozen=True)
class Coverage:
    """The report on a faceset: its axes, the frames left out, and what to shoot more of."""

    performer: str
    kept: int
    dropped: dict[str, int]
    axes: dict[str, Axis]
    advice: tuple[str, ...]

    def save(self, folder: Path) -> None:
        """Write the report into the likeness's ``folder``, whole or not at all."""
        with replacing(folder / COVERAGE) as temporary:
            temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")


def coverage(likeness: FaceSet, *doubles: FaceSet) -> Coverage:
    """Return the report on ``likeness``; ``doubles`` are the people in the plate it may replace.

    The plate's mouth and eyes are counted as the likeness will have to show them: its own neutral
    with the double's expression. Without a double the advice is about the takes alone.
    """
    from lifemask.nodes.faceset.advice import advice

    own = shown(likeness, likeness)
    plate = _joined([shown(double, likeness) for double in doubles])
    axes = {
        name: Axis(unit, _rounded(own.axes[name]), _rounded(plate.axes[name]) if plate else ())
        for name, unit in UNITS.items()
    }
    words = advice(likeness.performer, own, plate, likeness.dropped, len(likeness))
    return Coverage(likeness.performer, len(likeness), likeness.dropped, axes, tuple(words))


def shown(faceset: FaceSet, likeness: FaceSet) -> Shown:
    """Return the measures of the faces of ``faceset``, or those that ``likeness`` has to reach."""
    faces, takes = faceset.faces, faceset.faces.take
    turned = angles(rotations(faces.landmarks))
    shape = faces.shape - faces.neutral + likeness.faces.neutral
    lights = tuple(light_of(name, of) for name, of in zip(faceset.takes, faces.lights, strict=True))
    axes = {
        "yaw": turned[:, 0],
        "pitch": turned[:, 1],
        "mouth": _opening(shape, *_MOUTH),
        "eyes": np.mean([_opening(shape, *eye) for eye in _EYES], axis=0),
        "exposure": faces.exposure,
        "size": faces.scale * FACE_WIDTH,
        "motion": posed_faces_of(faceset).speed / FACE_WIDTH * 100,
        "light azimuth": np.array([light.azimuth for light in lights])[takes],
        "light elevation": np.array([light.elevation for light in lights])[takes],
        **expressions(faces.coefficients),
    }
    return Shown(faces.frame, axes, lights, float(faces.uncertainty))


def expressions(coefficients: "Floats") -> "dict[str, Floats]":
    """Return how far faces of those ``coefficients`` (N, 52) show each of the `EXPRESSIONS`."""
    return {
        name: np.min([coefficients[:, part].mean(1) for part in parts], axis=0)
        for name, parts in _parts().items()
    }


@cache
def _parts() -> "dict[str, list[list[int]]]":
    return {
        name: [[at for at, each in enumerate(NAMES) if each.startswith(part)] for part in parts]
        for name, parts in EXPRESSIONS.items()
    }


# Upper and lower edge in the middle, then the two corners.
_MOUTH = (13, 14, 61, 291)
_EYES = ((159, 145, 33, 133), (386, 374, 263, 362))


def _opening(shape: "Floats", upper: int, lower: int, right: int, left: int) -> "Floats":
    height = np.linalg.norm(shape[:, upper] - shape[:, lower], axis=-1)
    width = np.linalg.norm(shape[:, right] - shape[:, left], axis=-1)
    return np.asarray(height / width)


def _joined(parts: Sequence[Shown]) -> Shown | None:
    if not parts:
        return None
    axes = {name: np.concatenate([part.axes[name] for part in parts]) for name in UNITS}
    lights = tuple(light for part in parts for light in part.lights)
    return replace(
        parts[0], frame=np.concatenate([p.frame for p in parts]), axes=axes, lights=lights
    )


def light_of(take: str, light: "Floats") -> Light:
    """Return the key light of a take from its harmonics (9, 3).

    It is the slope of their light over the side of a head that the camera sees. The linear band
    alone would mislead: over half a sphere the products with z differ from left to right as well.
    """
    normals = _seen_normals()
    basis = harmonics(torch.from_numpy(normals.T[None, :, :, None]))
    colour = torch.einsum("nhwk,kc->nchw", basis.float(), torch.from_numpy(light))
    shine = luminance(colour)[0, :, 0].numpy()
    plain = np.concatenate([np.ones((len(normals), 1)), normals], 1)
    _, x, y, z = np.linalg.lstsq(plain, shine, rcond=None)[0]
    azimuth, elevation = np.rad2deg([np.arctan2(x, -z), np.arctan2(-y, np.hypot(x, z))])
    contrast = np.hypot(x, y) / max(float(shine.mean()), 1e-6)
    name = Path(take).name.partition(".")[0]
    return Light(name, float(azimuth), float(elevation), float(contrast))


def _seen_normals(count: int = 1000, least: float = 0.25) -> "Floats":
    """Normals (K, 3) spread evenly over the half sphere that faces the camera (Fibonacci)."""
    place = np.arange(count) + 0.5
    z = least + (1 - least) * place / count
    turn = np.pi * (1 + np.sqrt(5)) * place
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), -z], 1)


def _rounded(values: "Floats") -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)
