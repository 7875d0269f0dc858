"""Arrays in one file: safetensors with a JSON header, whole or not at all, never pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.nodes.errors import BrokenFileError
from lifemask.ocio.atomic import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]


def save(path: Path, kind: str, arrays: "Arrays", about: Mapping[str, Any]) -> None:
    """Write ``arrays`` and the JSON values ``about`` to ``path`` as a file of this ``kind``."""
    with replacing(path) as temporary:
        temporary.write_bytes(packed(kind, arrays, about))


def packed(kind: str, arrays: "Arrays", about: Mapping[str, Any]) -> bytes:
    """Return the bytes that `save` writes."""
    import numpy as np
    from safetensors.numpy import save

    # Not `ascontiguousarray`, which makes a list of a single number.
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return save(whole, {"kind": kind, "about": json.dumps(about)})


def load(path: Path, kind: str) -> "tuple[dict[str, NDArray[np.generic]], dict[str, Any]]":
    """Return what `save` wrote; raises BrokenFileError when it is anything else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            header = file.metadata() or {}
            if header.get("kind") != kind:
                raise BrokenFileError(f"{path}: this is not a {kind} file")
            about = json.loads(header["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except FileNotFoundError:
        raise BrokenFileError(f"{path}: there is no such file") from None
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise BrokenFileError(f"{path}: not a whole {kind} file ({error})") from error
