"""Checkpoints: the whole state of a training run, in sets that are complete or absent.

A set is a folder ``checkpoint_000012_<hash>``: one safetensors file for each part of the state, and
an ``index.json`` with the hash of each. The folder's name holds the hash of the index, so that any
alteration is found. A set is written under another name, flushed to disk and put in place with one
rename: a run that is killed at any instant, or whose machine loses power, finds its last complete
set. Removing the newest folder goes back to the one before.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError, KnobError, Remedy, WriteError
from lifemask.nodes.faceset.files import atlas_layout
from lifemask.nodes.learning.pytree import Tree, fold, unfold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROTOCOL = 3
KEPT = 2
"""Sets that are kept: whoever reads the newest can finish when the next one arrives."""

_KIND = "checkpoint"
_HASHES = {"from": "the model to start from", "facesets": "the facesets"}
_KNOBS = {"rate": "learning_rate", "faces": "max_examples", "whom": "performers"}
"""What a person knows the keys of a configuration as, where that differs."""

_INDEX = "index.json"
_SET = re.compile(r"checkpoint_(\d{6,})_([0-9a-f]{16})")
_UNFINISHED = ".part"


@dataclass(frozen=True)
class State:
    """All that a training run needs to resume exactly after ``step`` steps.

    ``configuration`` holds JSON values; the other parts are trees. ``average`` has the averaged
    weights, ``order`` the order of the data and the position in it, ``history`` the losses so far.
    Tensors come back on the CPU.
    """

    step: int
    configuration: Mapping[str, Any]
    weights: Tree
    average: Tree
    optimiser: Tree
    order: Tree
    randomness: Tree
    history: Tree


_PARTS = tuple(f.name for f in fields(State) if f.name not in ("step", "configuration"))


def save(folder: Path, state: State) -> Path:
    """Make ``state`` the newest set in ``folder`` and return the set; older ones are removed.

    Raises WriteError when that cannot be done; the sets that are there stay as they are.
    """
    sets: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sets = _sets(folder)
        _remove([path for path in folder.iterdir() if path.suffix == _UNFINISHED])
        finished = _written(folder, _number(sets[-1]) + 1 if sets else 1, state)
    except OSError as error:
        raise WriteError(
            f"{folder}: the checkpoint of step {state.step} cannot be saved "
            f"({error.strerror or error})" + ("; the one before is as it was" if sets else "")
        ) from error
    _retire([*sets, finished][:-KEPT])
    return finished


def load(folder: Path, configuration: Mapping[str, Any] | None = None) -> State | None:
    """Return the state of the newest set in ``folder``; None when there is no complete one.

    Raises BrokenFileError when that set is not, to the byte, what was saved, or is for another
    version or faceset geometry; KnobError when the set has other values than ``configuration``.
    """
    try:
        sets = _sets(folder)
    except OSError as error:
        raise BrokenFileError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if not sets:
        return None
    try:
        return _read(sets[-1], configuration or {})
    except BrokenFileError as error:
        back = f"; removing {sets[-1].name} goes back to {sets[-2].name}" if sets[1:] else ""
        raise BrokenFileError(f"{error}{back}") from error


def randomness(generator: "np.random.Generator") -> Tree:
    """Return the state of ``generator`` and of torch's own generators, on every device."""
    import torch

    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    numpy = generator.bit_generator.state
    return {"numpy": numpy, "torch": torch.get_rng_state(), "cuda": cuda}


def restore(state: Tree, generator: "np.random.Generator") -> None:
    """Set ``generator`` and torch's own to what `randomness` returned.

    A run that moves to a machine with fewer devices restores those that are there.
    """
    import torch

    generator.bit_generator.state = state["numpy"]
    torch.set_rng_state(state["torch"])
    for device, one in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(one, device)


def _sets(folder: Path) -> list[Path]:
    """Return the finished sets, oldest first."""
    try:
        # Not `glob`, for which a folder that cannot be read is empty.
        matches = [_SET.fullmatch(path.name) for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return [folder / name for _, name in sorted((int(m[1]), m[0]) for m in matches if m)]


def _number(path: Path) -> int:
    return int(path.name.split("_")[1])


def _written(folder: Path, number: int, state: State) -> Path:
    """Write a set and put it in its place with the one rename that makes it the newest."""
    unfinished = folder / f".checkpoint_{number:06d}{_UNFINISHED}"
    try:
        unfinished.mkdir()
        index = _write_parts(unfinished, state)
        _flushed(unfinished / _INDEX, index)
        _flush_folder(unfinished)
        finished = folder / f"checkpoint_{number:06d}_{_hash(index)[:16]}"
        unfinished.rename(finished)
    finally:
        _remove([unfinished])
    _flush_folder(folder)
    return finished


def _write_parts(folder: Path, state: State) -> bytes:
    """Write a file for each part of ``state``, and return the index."""
    files = {}
    for part in _PARTS:
        arrays: dict[str, NDArray[np.generic]] = {}
        tree = fold(getattr(state, part), arrays)
        packed = archive.packed(_KIND, arrays, {"tree": tree})
        _flushed(folder / f"{part}.safetensors", packed)
        files[f"{part}.safetensors"] = {"bytes": len(packed), "sha256": _hash(packed)}
    about = {
        "protocol": PROTOCOL,
        "geometry": atlas_layout(),
        "step": state.step,
        "configuration": dict(state.configuration),
        "files": files,
    }
    return json.dumps(about, indent=1).encode()


def _flushed(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _retire(sets: list[Path]) -> None:
    """Remove old sets; a kill in between leaves none that looks whole."""
    for path in sets:
        aside = path.with_name(f".{path.name}{_UNFINISHED}")
        # What cannot be removed now is tried again at the next set.
        with suppress(OSError):
            path.rename(aside)
        _remove([aside])


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _read(folder: Path, configuration: Mapping[str, Any]) -> State:
    raw = _content(folder / _INDEX)
    if not folder.name.endswith(_hash(raw)[:16]):
        raise BrokenFileError(f"{folder / _INDEX}: was altered since it was saved")
    index = json.loads(raw)
    _check_kind(folder, index)
    _check_configuration(folder, index["configuration"], configuration)
    for name, file in index["files"].items():
        _check_file(folder / name, **file)
    parts = {part: _part(folder / f"{part}.safetensors") for part in _PARTS}
    return State(index["step"], index["configuration"], **parts)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BrokenFileError(f"{path}: is gone; a checkpoint needs all of its files") from None
    except OSError as error:
        raise BrokenFileError(f"{path}: cannot be read ({error.strerror or error})") from error


def _check_kind(folder: Path, index: dict[str, Any]) -> None:
    if index["protocol"] != PROTOCOL:
        found = index["protocol"]
        raise BrokenFileError(
            f"{folder}: is a checkpoint of version {found}; this Lifemask reads version "
            f"{PROTOCOL}: resume with that one, or remove {folder.parent.parent} to start over"
        )
    if index["geometry"] != atlas_layout():
        raise BrokenFileError(
            f"{folder}: is for facesets with another texture layout; restart the training with "
            "the facesets of this version"
        )


def _check_configuration(folder: Path, had: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key, value in json.loads(json.dumps(dict(wanted))).items():
        if had.get(key) != value:
            raise KnobError(
                _differs(key, value, had.get(key), folder.parent.parent), Remedy("train_elsewhere")
            )


def _differs(key: str, value: object, began: object, place: Path) -> str:
    if key in _HASHES:
        return f"{_HASHES[key]} changed since the training in {place} began"
    name = _KNOBS.get(key, key)
    return f"{name}: is {value!r}, the training in {place} began with {began!r}"


def _check_file(path: Path, bytes: int, sha256: str) -> None:
    content = _content(path)
    if len(content) < bytes:
        raise BrokenFileError(f"{path}: was cut short, {len(content)} of {bytes} bytes are there")
    if _hash(content) != sha256:
        raise BrokenFileError(f"{path}: was altered since it was saved")


def _part(path: Path) -> Tree:
    arrays, about = archive.load(path, _KIND)
    try:
        return unfold(about["tree"], arrays)
    except (KeyError, TypeError) as error:
        raise BrokenFileError(f"{path}: is not a part of a checkpoint ({error!r})") from error
