"""Shapes of a mesh in few bytes: only what moves, and in single bytes where these are enough."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LARGEST = 127


def packed(shapes: Floats, still: float, step: float) -> dict[str, NDArray[Any]]:
    """Return arrays for the displacements ``shapes`` (K, V, 3) of a mesh.

    What moves a vertex by no more than ``still`` is left out. A shape whose values fit into bytes
    of steps no larger than ``step`` is stored so, any other one in half floats.
    """
    moves = np.linalg.norm(shapes, axis=-1) > still
    steps = (np.abs(shapes).max((1, 2)) / _LARGEST).astype(np.float32)
    steps[steps > step] = 0
    fine, wide = moves & (steps > 0)[:, None], moves & (steps == 0)[:, None]
    rounded = np.rint(shapes[fine] / np.repeat(steps, fine.sum(1))[:, None])
    return {
        "moves": np.packbits(moves),
        "steps": steps,
        "bytes": rounded.astype(np.int8),
        "halves": shapes[wide].astype(np.float16),
    }


def named(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the ``arrays`` as PREFIX/NAME."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return those of the ``arrays`` that `named` called so, by their names before."""
    begins = f"{prefix}/"
    return {n.removeprefix(begins): a for n, a in arrays.items() if n.startswith(begins)}


def unpacked(arrays: Mapping[str, NDArray[Any]], vertices: int) -> Floats:
    """Return the shapes (K, V, 3) of a mesh with that many ``vertices``."""
    steps = arrays["steps"]
    count = len(steps) * vertices
    moves = np.unpackbits(arrays["moves"], count=count).reshape(-1, vertices) > 0
    fine, wide = moves & (steps > 0)[:, None], moves & (steps == 0)[:, None]
    shapes = np.zeros((*moves.shape, 3), np.float32)
    shapes[fine] = arrays["bytes"] * np.repeat(steps, fine.sum(1))[:, None]
    shapes[wide] = arrays["halves"]
    return shapes
