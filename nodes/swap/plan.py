"""The plan of a shot: everything that its rendering needs besides plate and pictures, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.render.folds import FOLDING, Calm
from lifemask.nodes.render.warp import Opening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Arrays = Mapping[str, NDArray[Any]]

VERSION = 3
_KIND = "plan"
_ROWS = [
    "index",
    "frame",
    "landmarks",
    "subject",
    "scale",
    "centre",
    "motion",
    "matrix",
    "pedestal",
    "light",
    "tone",
    "mouth",
    "reduction",
    "confidence",
    "gaze",
    "gaze_turn",
    "coefficients",
    "interior",
]
_WHOLE = ("albedo", "subject_albedo", "identity", "teeth")
_FOLDS = ("removed_folds", "added_folds")
_CALM = ("calm", "subject_calm")


@dataclass(frozen=True, eq=False)
class FramePlan:
    """How one person's face is replaced in one frame.

    ``index`` is the subject's face, ``frame`` the plate's number. ``landmarks`` (478, 3) are the
    likeness's and ``subject`` (478, 3) the subject's, in plate pixels; ``scale``, in pixels a
    centimetre, and ``centre`` (3,) place the former. ``motion`` (478, 2) is their motion in pixels
    while the shutter is open, less the blur in the pictures. ``matrix`` (2, 3) maps the plate to
    face space, and ``pedestal`` (3,) is added to it while the face is made. ``light`` (3, 64, 64)
    is the plate's and ``tone`` (3,) grades the likeness's complexion to the subject's; both are
    log. ``pictures`` gives the shares of the pictures for each region. ``mouth`` is the share of
    the subject's own mouth between the lips, ``reduction`` how many of a picture's pixels make one
    of the plate's, and ``confidence``, 0..1, is that of the face's place. ``removed_folds`` and
    ``added_folds`` are the shares, by the regions of `folds.FOLDING`, of the pictures' folds that
    go and of the subject's that come. ``gaze`` (2, 2) is of both eyes, see `head.gaze`, and
    ``gaze_turn`` (2,) what the artist adds to it; in degrees. ``coefficients`` (52,) are of
    `head.arkit.NAMES`, and ``interior`` is the share of the head model's mouth between the lips.
    """

    index: int
    frame: int
    landmarks: "Floats"
    subject: "Floats"
    scale: float
    centre: "Floats"
    motion: "Floats"
    matrix: "Floats"
    pedestal: "Floats"
    light: "Floats"
    tone: "Floats"
    mouth: float
    reduction: float
    confidence: float
    pictures: Mapping[str, Mapping[int, float]]
    openings: Mapping[str, Opening]
    removed_folds: Mapping[str, float]
    added_folds: Mapping[str, float]
    gaze: "Floats"
    gaze_turn: "Floats"
    coefficients: "Floats"
    interior: float

    @property
    def used(self) -> set[int]:
        """All pictures that serve the frame."""
        return {picture for shares in self.pictures.values() for picture in shares}


@dataclass(frozen=True, eq=False)
class ShotPlan:
    """How one person's face is replaced in a shot: a plan for each frame that shows them.

    ``made_of`` is a digest of all its inputs: see `planner.WholeShotPlanner`. Face space has
    ``size`` pixels a side; ``detail`` is in pixels of the plate across a centimetre of the face.
    ``albedo`` and ``subject_albedo`` (3, 64, 64) are log, in texture space, where ``calm`` and
    ``subject_calm`` are the faces at rest. ``identity`` (60,) is the likeness's in the modes of the
    head model, and ``teeth`` (3,) the colour of their teeth without light, log.
    """

    made_of: str
    size: int
    detail: float
    albedo: "Floats"
    subject_albedo: "Floats"
    identity: "Floats"
    teeth: "Floats"
    calm: Calm
    subject_calm: Calm
    frames: tuple[FramePlan, ...]

    def at(self, frame: int) -> FramePlan | None:
        """Return the plan of a frame; None where the person is not visible."""
        return self._by_number.get(frame)

    @cached_property
    def _by_number(self) -> dict[int, FramePlan]:
        return {one.frame: one for one in self.frames}


def save(path: Path, plans: Sequence[ShotPlan]) -> None:
    """Write the plans of a shot, one for each person, whole or not at all."""
    arrays = {
        f"{number}/{name}": array
        for number, plan in enumerate(plans)
        for name, array in _arrays(plan).items()
    }
    people = [{name: getattr(plan, name) for name in _about()} for plan in plans]
    archive.save(path, _KIND, arrays, {"version": VERSION, "people": people})


def load(path: Path) -> list[ShotPlan]:
    """Read the plans of a shot; raises BrokenFileError when the file is incomplete or altered."""
    arrays, about = archive.load(path, _KIND)
    try:
        return [
            ShotPlan(**person, **_unpacked(_only(arrays, number)))
            for number, person in enumerate(_people(about))
        ]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BrokenFileError(f"{path}: not a plan of this version ({error})") from error


def made_of(path: Path) -> list[str]:
    """Return the digests of the plans in a file, without reading the plans.

    Raises BrokenFileError unless it is a file of plans.
    """
    return [str(person["made_of"]) for person in _people(archive.header(path, _KIND))]


def _about() -> list[str]:
    return [f.name for f in fields(ShotPlan) if f.type in (str, int, float)]


def _people(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(about["people"]) if about.get("version") == VERSION else []


def _only(arrays: "Arrays", number: int) -> "dict[str, NDArray[Any]]":
    start = f"{number}/"
    return {name[len(start) :]: a for name, a in arrays.items() if name.startswith(start)}


def _arrays(plan: ShotPlan) -> "dict[str, NDArray[Any]]":
    """A plan as arrays: a row for each frame, and what is the same in all."""
    frames = plan.frames
    rows = {name: np.stack([getattr(one, name) for one in frames]) for name in _ROWS}
    for region in frames[0].pictures:
        rows |= _shares(region, [one.pictures[region] for one in frames])
    for name in frames[0].openings:
        rows[f"openings.{name}"] = np.stack([_row(one.openings[name]) for one in frames])
    for name in _FOLDS:
        rows[name] = np.array([[getattr(one, name)[r] for r in FOLDING] for one in frames])
    faces = {name: getattr(plan, name) for name in _CALM}
    calm = {name: np.stack([face.relief, face.deviation]) for name, face in faces.items()}
    return {**rows, **calm, **{name: getattr(plan, name) for name in _WHOLE}}


def _shares(region: str, frames: Sequence[Mapping[int, float]]) -> "dict[str, NDArray[Any]]":
    """Pictures (T, K) and their shares (T, K), in order; a share of 0 fills up a row."""
    most = max(len(one) for one in frames)
    table = np.zeros((len(frames), most, 2))
    for row, one in zip(table, frames, strict=True):
        row[: len(one)] = list(one.items())
    return {f"pictures.{region}": table[..., 0].astype(np.int64), f"shares.{region}": table[..., 1]}


def _row(opening: Opening) -> "NDArray[np.float64]":
    return np.array([opening.contrast, *opening.bright, *opening.lift])


def _unpacked(arrays: "dict[str, NDArray[Any]]") -> dict[str, Any]:
    whole = {name: arrays.pop(name) for name in _WHOLE}
    calm = {name: Calm(*arrays.pop(name)) for name in _CALM}
    count = len(arrays["frame"])
    return {**whole, **calm, "frames": tuple(_frame(arrays, row) for row in range(count))}


def _frame(arrays: "Arrays", row: int) -> FramePlan:
    values = {name: _value(arrays[name][row]) for name in _ROWS}
    named = {name.partition(".")[2]: name for name in arrays if name.startswith("pictures.")}
    pictures = {
        region: _picture_shares(arrays[name][row], arrays[f"shares.{region}"][row])
        for region, name in named.items()
    }
    openings = {
        name.partition(".")[2]: Opening.of(array[row])
        for name, array in arrays.items()
        if name.startswith("openings.")
    }
    removed, added = (
        dict(zip(FOLDING, arrays[name][row].tolist(), strict=True)) for name in _FOLDS
    )
    return FramePlan(
        **values, pictures=pictures, openings=openings, removed_folds=removed, added_folds=added
    )


def _value(value: Any) -> Any:  # noqa: ANN401
    """A row of an array as it is, a single number as Python's own."""
    return value if np.ndim(value) else value.item()


def _picture_shares(pictures: "NDArray[Any]", shares: "NDArray[Any]") -> dict[int, float]:
    pairs = zip(pictures.tolist(), shares.tolist(), strict=True)
    return {picture: share for picture, share in pairs if share}
