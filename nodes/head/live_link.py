"""Performances as CSV, as Live Link Face records them: ARKit's coefficients and three rotations.

Angles are in radians: yaw + to picture right of a head that faces the camera, pitch + down, roll +
clockwise. A time code counts frames at the recording's rate: HH:MM:SS:FF.fraction.
"""

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces.pose import angles, rotation_of
from lifemask.nodes.faces.topology import COUNT
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.performance import Performance
from lifemask.ocio.system.atomic import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_TURNS = ("Yaw", "Pitch", "Roll")
_ROTATIONS = tuple(f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in _TURNS)
_COEFFICIENTS = tuple(name[0].upper() + name[1:] for name in NAMES)
_COLUMNS = (*_COEFFICIENTS, *_ROTATIONS)
_HEADER = ("Timecode", "BlendShapeCount", *_COLUMNS)


def write(path: Path, performance: Performance, fps: float) -> None:
    """Write a performance, whole or not at all; its frames are numbered from midnight."""
    head = np.deg2rad(angles(performance.rotation))
    right, left = np.deg2rad(performance.gaze).transpose(1, 0, 2)
    still = np.zeros((len(performance), 1))
    rows = np.hstack([performance.coefficients, head, left, still, right, still])
    codes = (_time_code(frame, fps) for frame in performance.frame.tolist())
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(_HEADER)
        for code, row in zip(codes, rows, strict=True):
            table.writerow([code, len(_COLUMNS), *(f"{value:.8f}" for value in row)])


def read(path: Path, recorded: float, fps: float, first: int, camera: Camera) -> Performance:
    """Read what was recorded at ``recorded`` frames a second, as ``fps`` frames a second.

    It starts at the frame ``first`` of the plate that the ``camera`` took. Raises BrokenFileError
    when a column is missing, or a value is no number.
    """
    times, rows = _table(path, recorded)
    count = math.floor((times[-1] - times[0]) * fps + 1e-6) + 1
    wanted = times[0] + np.arange(count) / fps
    values = np.stack([np.interp(wanted, times, column) for column in rows.T], 1)
    coefficients, head, left, right = np.split(values, [len(NAMES), len(NAMES) + 3, -3], 1)
    return Performance(
        source=str(path),
        camera=camera,
        frame=first + np.arange(count),
        coefficients=coefficients.clip(0).astype(np.float32),
        residual=np.zeros((count, COUNT, 3), np.float32),
        gaze=np.rad2deg(np.stack([right, left], 1)[..., :2]).astype(np.float32),
        rotation=rotation_of(np.rad2deg(head)),
        translation=np.zeros((count, 3), np.float32),
        confidence=np.ones(count, np.float32),
    )


def _table(path: Path, recorded: float) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """The times (N,) in seconds, and the values (N, 61), of all rows that have some."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            pairs = list(_rows(path, csv.DictReader(file), recorded))
    except OSError as error:
        raise BrokenFileError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BrokenFileError(f"{path}: is not a CSV file ({error})") from error
    if not pairs:
        raise BrokenFileError(f"{path}: has no frame")
    times, rows = zip(*pairs, strict=True)
    if (np.diff(times) <= 0).any():
        raise BrokenFileError(f"{path}: its time codes do not ascend")
    return np.array(times), np.array(rows)


def _rows(
    path: Path, table: "csv.DictReader[str]", recorded: float
) -> Iterator[tuple[float, list[float]]]:
    names = {name.strip().lower(): name for name in table.fieldnames or ()}
    # Recorders without a tongue or eyes leave their columns out.
    needed = ("Timecode", *_COEFFICIENTS[:-1])
    missing = [name for name in needed if name.lower() not in names]
    if missing:
        raise BrokenFileError(f"{path}: no column {missing[0]}: not a Live Link Face recording")
    for row in table:
        # A frame in which the app lost the face has a time code alone.
        if row[names["jawopen"]] in (None, ""):
            continue
        where = f"{path}, line {table.line_num}"
        values = [_number(where, name, row, names) for name in _COLUMNS]
        yield _seconds(where, row[names["timecode"]], recorded), values


def _number(where: str, name: str, row: Mapping[str, str], names: Mapping[str, str]) -> float:
    text = row.get(names.get(name.lower(), ""), "0")
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise BrokenFileError(f"{where}: {name} is {text!r}, not a number")
    return value


def _time_code(frame: int, fps: float) -> str:
    rate = math.ceil(fps)
    minutes, seconds = divmod(frame // rate, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{frame % rate:02d}.000"


def _seconds(where: str, code: str, recorded: float) -> float:
    """Return the seconds of a time code that counts ``recorded`` frames in each, rounded up."""
    try:
        hours, minutes, seconds, frame = code.split(":")
        whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
        return (whole * math.ceil(recorded) + float(frame)) / recorded
    except ValueError as error:
        raise BrokenFileError(f"{where}: {code!r} is not a time code") from error
