"""Arrays in one file, written whole or not at all: safetensors with a JSON header, never pickle."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.nodes.errors import BrokenFileError
from lifemask.ocio.system.atomic import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]


_SUM = "sha256"


def save(path: Path, kind: str, arrays: "Arrays", about: Mapping[str, Any]) -> None:
    """Write ``arrays`` and the JSON values ``about`` to ``path`` as a file of this ``kind``."""
    with replacing(path) as temporary:
        temporary.write_bytes(packed(kind, arrays, about))


def packed(kind: str, arrays: "Arrays", about: Mapping[str, Any]) -> bytes:
    """Return the bytes that `save` writes."""
    import numpy as np
    from safetensors.numpy import save

    # Not `ascontiguousarray`, which gives a scalar an axis.
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(about)
    return save(whole, {"kind": kind, "about": text, _SUM: _sum(text, whole)})


def load(path: Path, kind: str) -> "tuple[dict[str, NDArray[np.generic]], dict[str, Any]]":
    """Return what `save` wrote; raises BrokenFileError for any other file."""
    with _opened(path, kind) as file:
        header = file.metadata()
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        # Files of earlier versions have no checksum.
        if _SUM in header and header[_SUM] != _sum(header["about"], arrays):
            raise BrokenFileError(f"{path}: was altered since it was saved")
        return arrays, json.loads(header["about"])


def header(path: Path, kind: str) -> dict[str, Any]:
    """Return the JSON values that `save` wrote, and read no array.

    Raises BrokenFileError for any other file.
    """
    with _opened(path, kind) as file:
        return dict(json.loads(file.metadata()["about"]))


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[Any]:
    """Give the opened file; raises BrokenFileError unless it is one of this ``kind``."""
    from safetensors import SafetensorError, safe_open

    try:
        if path.exists() and not path.is_file():  # reading a pipe would block, even for Ctrl-C
            raise BrokenFileError(f"{path}: is not a file, but a folder, pipe or device")
        with safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("kind") != kind:
                raise BrokenFileError(f"{path}: this is not a {kind} file")
            yield file
    except FileNotFoundError:
        raise BrokenFileError(f"{path}: there is no such file") from None
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise BrokenFileError(f"{path}: not a whole {kind} file ({error})") from error


def _sum(text: str, arrays: "Arrays") -> str:
    found = sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.data)
    return found.hexdigest()
