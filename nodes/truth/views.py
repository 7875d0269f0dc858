"""Swap, plate and truth in face space, as they are scored; a shot of them is kept on disk."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]

SIDE = 160
"""Side in pixels of the face space in which everything is measured; the face fills about half."""


def straightened(picture: "F32", matrix: "NDArray[np.floating]") -> "F32":
    """Return a picture (H, W, ...) as a square of `SIDE` pixels, to which ``matrix`` takes it."""
    flags, edge = cv2.INTER_AREA, cv2.BORDER_REPLICATE
    square = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=flags, borderMode=edge)
    return np.asarray(square, np.float32)


@dataclass(frozen=True)
class Face:
    """One frame in face space: pictures (S, S, 3) in the log curve, ``weight`` (S, S) in 0..1.

    ``truth`` is the perfect swap; ``weight`` is where plate and truth both show the face.
    """

    swap: "F32"
    plate: "F32"
    truth: "F32"
    weight: "F32"


class Spool:
    """Faces on disk, of which one is in memory at a time; each iteration reads them again."""

    def __init__(self, side: int = SIDE) -> None:
        self._side = side
        self._file: IO[bytes] = TemporaryFile(prefix="lifemask_")  # noqa: SIM115
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def append(self, face: Face) -> None:
        """Add one frame."""
        pictures = (face.swap, face.plate, face.truth, face.weight[..., None])
        self._file.seek(0, 2)
        self._file.write(np.concatenate(pictures, -1, dtype=np.float32).tobytes())
        self._count += 1

    def __iter__(self) -> Iterator[Face]:
        shape = (self._side, self._side, 10)
        size = int(np.prod(shape)) * 4
        for index in range(self._count):
            self._file.seek(index * size)
            whole = np.frombuffer(self._file.read(size), np.float32).reshape(shape)
            swap, plate, truth = np.split(whole[..., :9], 3, axis=-1)
            yield Face(swap, plate, truth, whole[..., 9])


@dataclass(frozen=True)
class Changed:
    """Faces with ``change`` applied to each, on every iteration."""

    faces: Iterable[Face]
    change: Callable[[Face], Face]

    def __iter__(self) -> Iterator[Face]:
        return map(self.change, self.faces)
