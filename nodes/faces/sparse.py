"""Sparse constants of a .tflite file, filled in (schema: SparsityParameters).

A sparse tensor is a tree: each level is one dimension, dense (all children are there) or compressed
(segments and indices, as in CSR); blocks add levels that subdivide a dimension.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from lifemask.nodes.faces.flatbuffer import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INDEX = {1: "<i4", 2: "<u2", 3: "u1"}


def densify(sparsity: Table, shape: list[int], values: "NDArray[Any]") -> "NDArray[Any]":
    """Return the tensor of this ``shape`` with ``values`` in their places and 0 elsewhere."""
    order, blocks = sparsity.integers(0), sparsity.integers(1)
    levels = sparsity.tables(2)
    leaf, along = _leaves(levels)
    index = []
    for dimension in range(len(shape)):
        place = along[order.index(dimension)]
        if dimension in blocks:
            level = order.index(len(shape) + blocks.index(dimension))
            place = place * levels[level].number(1) + along[level]
        index.append(place)
    whole = np.zeros(shape, values.dtype)
    whole[tuple(index)] = values[leaf]
    return whole


def _leaves(levels: list[Table]) -> "tuple[NDArray[np.int64], list[NDArray[np.int64]]]":
    """Return the value each leaf takes, and its coordinate along each level."""
    at = np.zeros(1, np.int64)
    along: list[NDArray[np.int64]] = []
    for level in levels:
        if level.number(0, "b"):
            segments, indices = (_part(level, slot) for slot in (2, 4))
            counts = segments[at + 1] - segments[at]
            at = np.concatenate([np.arange(segments[p], segments[p + 1]) for p in at])
            here = indices[at]
        else:
            size = level.number(1)
            counts = np.full(len(at), size)
            here = np.tile(np.arange(size), len(at))
            at = np.repeat(at, size) * size + here
        along = [np.repeat(coordinate, counts) for coordinate in along] + [here]
    return at, along


def _part(level: Table, slot: int) -> "NDArray[np.int64]":
    """Return the segments (slot 2) or indices (slot 4) of a compressed level."""
    table = level.table(slot + 1)
    kind = _INDEX[level.number(slot, "B")]
    return table.vector(0, kind).astype(np.int64) if table else np.zeros(0, np.int64)
