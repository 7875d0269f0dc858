"""The keys of ``shot.toml``, and the types of their values."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lifemask.nodes.errors import ShotError

KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "": {"name": str, "project": str, "performers": list, "plate": dict, "knobs": dict},
    "plate": {"path": str, "frames": str, "colorspace": str, "fps": (int, float), "layer": str},
}


def check_keys(file: Path, table: str, values: dict[str, Any]) -> None:
    """Raise ShotError when a key or value of a ``table`` is not allowed; fill in optional keys."""
    kinds = KEYS[table]
    dotted = f"{table}." if table else ""
    for key in (*values, *kinds):
        if key not in kinds:
            raise ShotError(f"{file}: unknown key {dotted}{key}{near(key, kinds)}")
        if key in ("knobs", "layer"):
            values.setdefault(key, {} if key == "knobs" else "")
        if key not in values:
            raise ShotError(f"{file}: {dotted}{key} is missing")
        if not isinstance(values[key], kinds[key]) or isinstance(values[key], bool):
            raise ShotError(
                f"{file}: {dotted}{key} is {values[key]!r}; {_allowed(kinds[key])} is allowed"
            )
    if not all(isinstance(name, str) for name in values.get("performers", [])):
        raise ShotError(f"{file}: performers holds something else than names")


def _allowed(kind: type | tuple[type, ...]) -> str:
    words = {"str": "text in quotes", "list": "a list of names", "dict": "a table"}
    return "a number" if isinstance(kind, tuple) else words[kind.__name__]


def near(name: str, known: Mapping[str, object]) -> str:
    """Return the end of a sentence that suggests the nearest ``known`` name, or lists them all."""
    found = get_close_matches(name, known, 1)
    return f"; did you mean {found[0]}" if found else f"; allowed: {', '.join(known)}"
