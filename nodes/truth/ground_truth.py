"""Ground truth: a shot rendered twice, with the double and as the perfect swap."""

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from lifemask.nodes import archive
from lifemask.nodes.confidence import to_doubt
from lifemask.nodes.errors import BrokenFileError, SizeError
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.truth.matte_figures import Mattes
from lifemask.nodes.truth.views import SIDE, Face, straightened
from lifemask.ocio.colour import transform
from lifemask.ocio.media import exr
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media.source import FrameReader, FrameSource
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.truth import GroundTruth
    from lifemask.nodes.types import FaceTrack
    from lifemask.ocio.media.frame import Frame

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]

INNER = slice(17, 68)
"""Of the 68 points of Multi-PIE: brows, eyes, nose and mouth; the jaw's outline is left out."""

_WHOLE = 0.99  # of a matte: a pixel that is fully covered


@dataclass(frozen=True)
class Scored:
    """One frame: its face, its mattes, and their figures as far as swap and shot allow."""

    face: Face
    mattes: Mattes
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Renders:
    """One frame of the ground truth: pictures (H, W, 3) scene-linear, mattes (H, W) by name.

    ``landmarks`` (68, 2) are in pixels, pixel centres at .5.
    """

    plate: "F32"
    truth: "F32"
    mattes: "Mapping[str, F32]"
    face: "F32"
    landmarks: "F64"


def scored(swap: FrameSource, ground: "GroundTruth") -> Generator[Scored, None, None]:
    """Yield the frames of a swap, read ahead; closing it stops the reading."""
    same = transform.check_space(swap.colorspace) == transform.check_space(ground.colorspace)
    space = None if same else swap.colorspace
    with swap.open() as reader:
        work = partial(score, reader, space, ground)
        with closing(parallel_map(work, swap.frames, reader.ahead)) as frames:
            yield from frames


def score(swap: FrameReader, colorspace: str | None, ground: "GroundTruth", number: int) -> Scored:
    """Return one frame; ``colorspace`` is None when swap and ground truth share it.

    Raises MissingFramesError or BrokenFileError when the ground truth lacks this frame, and
    SizeError when the swap has another size.
    """
    frame, renders = swap.read(number, layers=True), render(ground, number)
    if frame.rgb.shape != renders.plate.shape:
        raise SizeError(
            f"{frame.name}: {_size(frame.rgb)}, but {_size(renders.plate)} in {ground.plate}"
        )
    rgb = transform.convert(frame.rgb, colorspace, ground.colorspace) if colorspace else frame.rgb
    mattes = _mattes_of(frame, rgb, renders)
    figures = _matte_figures(frame, renders) | mattes.figures
    figures |= _calibration_figures(frame, rgb, renders)
    if colorspace is None:
        figures |= _outside_figures(frame, renders)
    return Scored(_face(rgb, renders), mattes, figures)


def _size(picture: "F32") -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"


def render(ground: "GroundTruth", number: int) -> Renders:
    """Return one frame of the ground truth."""
    plate, truth = (picture(folder, number) for folder in (ground.plate, ground.truth))
    mattes, others = (_mattes(folder, number) for folder in (ground.plate, ground.truth))
    return Renders(
        plate=plate,
        truth=truth,
        mattes=mattes,
        face=mattes["face"] * others["face"],
        landmarks=landmarks(ground.plate, number),
    )


def picture(folder: Path, number: int) -> "F32":
    """Return one rendered picture (H, W, 3), scene-linear."""
    return read(Sequence(str(folder / "beauty" / "beauty.####.exr"), (number,)), number).rgb


def main_performer(tracks: "list[FaceTrack]", folder: Path) -> "FaceTrack":
    """Return the track of the person whose landmarks a ``folder`` of the ground truth has."""

    def distance(track: "FaceTrack") -> float:
        (first, *_) = np.flatnonzero(track.confidence > 0)
        exact = landmarks(folder, int(track.frames[first]))[INNER].mean(0)
        return float(np.linalg.norm(track.landmarks[first, :, :2].mean(0) - exact))

    return min(tracks, key=distance)


def _mattes(folder: Path, number: int) -> "dict[str, F32]":
    path = folder / "mattes" / f"mattes.{number:04d}.exr"
    mattes = {
        name: np.asarray(matte, np.float32) for name, matte in exr.read_channels(path)[0].items()
    }
    if "face" not in mattes:
        raise BrokenFileError(f"{path}: has no channel 'face'")
    return mattes


def landmarks(folder: Path, number: int) -> "F64":
    """Return the main performer's 68 landmarks (68, 2) in pixels; raises BrokenFileError."""
    path = folder / "gt" / f"gt.{number:04d}.json"
    try:
        person: Any = json.loads(path.read_text())["people"][0]
        return np.array(person["landmarks68"], np.float64).reshape(68, 2)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BrokenFileError(f"{path}: holds no 68 landmarks of a person ({error})") from error


@cache
def template() -> "F64":
    """Return the mean of the inner points (51, 2) of many faces, about 1 wide and 1 high."""
    path = Path(__file__).with_name("template.safetensors")
    return archive.load(path, "template")[0]["points"].astype(np.float64)


def _face(rgb: "F32", renders: Renders) -> Face:
    target = (template() * 0.5 + [0.5, 0.52]) * SIDE
    matrix = _similarity(renders.landmarks[INNER], target)
    swap, plate, truth = (
        straightened(_log(p), matrix) for p in (rgb, renders.plate, renders.truth)
    )
    weight = cv2.erode(straightened(renders.face, matrix), np.ones((3, 3)))
    return Face(swap, plate, truth, np.asarray(weight, np.float32))


def _log(linear: "F32") -> "F32":
    """``linear`` values in the ACEScct curve, in whatever primaries they are."""
    return np.asarray(to_log(torch.from_numpy(linear)).numpy(), np.float32)


def _similarity(points: "F64", target: "F64") -> "F64":
    """The matrix (2, 3) that takes ``points`` (N, 2) nearest to ``target``."""
    found = similarity(points[None], target[None], np.ones(len(points)))
    (scale,), (rotation,), (move,) = found
    return np.hstack([scale * rotation, move[:, None]])


def _matte_figures(frame: "Frame", renders: Renders) -> dict[str, float]:
    own, exact = frame.layers.get("facematte.V"), renders.mattes["face"]
    if own is None:
        return {}
    both, either = (own > 0.5) & (exact > 0.5), (own > 0.5) | (exact > 0.5)
    error = np.abs(own - exact).sum() / max(float(exact.sum()), 1e-6)
    return {"matte_error": float(error), "matte_iou": float(both.sum() / max(1, int(either.sum())))}


def _outside_figures(frame: "Frame", renders: Renders) -> dict[str, float]:
    own = frame.layers.get("facematte.V")
    if own is None:
        return {}
    change = np.abs(np.float16(frame.rgb) - np.float16(renders.plate))
    return {"outside_max": float(change[own <= 0].max(initial=0))}


def _mattes_of(frame: "Frame", rgb: "F32", renders: Renders) -> Mattes:
    occluder = renders.mattes.get("occ", np.zeros_like(renders.face))
    return Mattes(
        swap=_log(rgb),
        plate=_log(renders.plate),
        truth=_log(renders.truth),
        face=frame.layers.get("facematte.V"),
        occlusion=frame.layers.get("occlusion.V"),
        occluder=occluder,
        whole=renders.mattes.get("face_full", renders.mattes["face"]),
    )


def _calibration_figures(frame: "Frame", rgb: "F32", renders: Renders) -> dict[str, float]:
    confidence, alpha = (frame.layers.get(name) for name in ("confidence.V", "swap.A"))
    if confidence is None or alpha is None:
        return {}
    whole = (alpha > _WHOLE) & (renders.face > _WHOLE)
    if not whole.any():
        return {}
    error = (_log(rgb) - _log(renders.truth))[whole]
    # The grade is the compositor's to set.
    off = np.abs(error - np.median(error, 0)).mean()
    expected = to_doubt(confidence[whole]).mean()
    return {"calibration_ratio": float(off / expected)} if expected else {}
