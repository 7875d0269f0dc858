"""TOML that a person can read and edit, on any system."""

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from stat import S_ISREG
from typing import Any

from lifemask.nodes.errors import BrokenFileError

_LARGEST = 1 << 24  # bytes
_WHOLE = 1 << 63  # as TOML says


def load(path: Path) -> dict[str, Any]:
    """Return what the file ``path`` holds; a byte-order mark, as Windows writes it, is left out.

    Raises FileNotFoundError when it is not there, BrokenFileError when it cannot be read.
    """
    try:
        table = tomllib.loads(_text(path))
        _check(path, table)
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except RecursionError as error:
        raise BrokenFileError(f"{path}: cannot be read (it is nested too deeply)") from error
    except tomllib.TOMLDecodeError as error:
        raise BrokenFileError(f"{path}: cannot be read ({error})") from error
    except ValueError as error:
        raise BrokenFileError(f"{path}: cannot be read (a number has too many digits)") from error
    except OSError as error:
        raise BrokenFileError(f"{path}: cannot be read ({error.strerror})") from error
    return table


def _text(path: Path) -> str:
    stat = path.stat()
    if not S_ISREG(stat.st_mode):
        raise BrokenFileError(f"{path}: is not a file, but a folder, pipe or device")
    if stat.st_size > _LARGEST:
        raise BrokenFileError(f"{path}: has {stat.st_size} bytes; allowed is {_LARGEST}")
    return path.read_text(encoding="utf-8-sig")


def _check(path: Path, value: object, key: str = "") -> None:
    """Raise BrokenFileError when a value can be neither a number nor a name on disk."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check(path, name, key)
            _check(path, inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for inner in value:
            _check(path, inner, key)
    elif isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        raise BrokenFileError(f"{path}: {key} is a whole number of more than 64 bits")
    elif isinstance(value, str) and "\0" in value:
        raise BrokenFileError(f"{path}: {key} holds a character 0, which no name has")


def dumps(table: Mapping[str, object], prefix: str = "") -> str:
    """Return ``table`` as TOML: its values first, then its tables.

    >>> print(dumps({"name": "sh010", "plate": {"fps": 24.0}}), end="")
    name = "sh010"
    <BLANKLINE>
    [plate]
    fps = 24.0
    """
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    text = f"[{prefix}]\n" if prefix and (plain or not table) else ""
    text += "".join(f"{_key(key)} = {_value(value)}\n" for key, value in plain.items())
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = dumps(value, f"{prefix}.{_key(key)}" if prefix else _key(key))
            text += f"\n{inner}" if text and inner else inner
    return text


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else _value(key)


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return "nan"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
