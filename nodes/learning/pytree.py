"""Trees of tensors, arrays and plain values, taken apart into named arrays and JSON, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Arrays = dict[str, NDArray[np.generic]]

Tree = Any
"""Mappings, lists and tuples, nested, of tensors, arrays and JSON values; any JSON value is a key.

A tensor of bfloat16, which NumPy does not know, has no place in it.
"""


def fold(tree: Tree, arrays: "Arrays", path: str = "") -> Any:  # noqa: ANN401
    """Return ``tree`` as JSON values; what is an array in it goes into ``arrays`` by its path."""
    import numpy as np
    from torch import Tensor

    if isinstance(tree, Mapping):
        return {"items": [[key, fold(tree[key], arrays, _below(path, key))] for key in tree]}
    if isinstance(tree, list) and (columns := _columns(tree)):
        table = np.array([[row[name] for name in columns] for row in tree])
        return {"rows": _named(table, arrays, path), "columns": columns}
    if isinstance(tree, list | tuple):
        parts = [fold(one, arrays, _below(path, place)) for place, one in enumerate(tree)]
        return {type(tree).__name__: parts}
    if isinstance(tree, Tensor):
        return _fold_tensor(tree, arrays, path)
    if isinstance(tree, np.ndarray):
        return {"array": _named(tree, arrays, path)}
    return tree.item() if isinstance(tree, np.generic) else tree


def unfold(folded: Any, arrays: "Arrays") -> Tree:  # noqa: ANN401
    """Return the tree that `fold` took apart; tensors are on the CPU, contiguous or as they were.

    Raises KeyError when something else is in ``folded``.
    """
    if not isinstance(folded, dict):
        return folded
    if "items" in folded:
        return {key: unfold(one, arrays) for key, one in folded["items"]}
    if "tensor" in folded:
        return _unfold_tensor(arrays[folded["tensor"]], folded["order"])
    if "rows" in folded:
        table = arrays[folded["rows"]].tolist()
        return [dict(zip(folded["columns"], row, strict=True)) for row in table]
    if "array" in folded:
        return arrays[folded["array"]]
    parts = [unfold(one, arrays) for one in folded["tuple" if "tuple" in folded else "list"]]
    return tuple(parts) if "tuple" in folded else parts


def _columns(rows: list[Tree]) -> list[str]:
    """The names of what every one of ``rows`` maps to a float; none where they are no table.

    A day's losses as JSON would be more than a file's header may hold.
    """
    names = [*rows[0]] if rows and isinstance(rows[0], Mapping) else []
    same = all(
        isinstance(row, Mapping)
        and [*row] == names
        and all(type(number) is float for number in row.values())
        for row in rows
    )
    return names if same and all(type(name) is str for name in names) else []


def _fold_tensor(tensor: "Tensor", arrays: "Arrays", path: str) -> dict[str, Any]:
    """Note the order of the axes in memory, too.

    A fused optimiser takes two tensors of one shape for laid out alike, and where they are not
    (channels last, say) gives wrong numbers without a word.
    """
    strides = tensor.stride()
    order = sorted(range(tensor.dim()), key=lambda axis: -strides[axis])
    kept = None if tensor.is_contiguous() else order
    return {"tensor": _named(tensor.detach().cpu().numpy(), arrays, path), "order": kept}


def _unfold_tensor(array: "NDArray[np.generic]", order: list[int] | None) -> "Tensor":
    import torch

    tensor = torch.from_numpy(array)
    if order is None:
        return tensor
    back = [order.index(axis) for axis in range(len(order))]
    return tensor.permute(order).contiguous().permute(back)


def _named(array: "NDArray[np.generic]", arrays: "Arrays", path: str) -> str:
    name = path if path not in arrays else f"{path}#{len(arrays)}"
    arrays[name] = array
    return name


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
