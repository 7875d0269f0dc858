"""TOML that a person can read and edit, on any system, and whose comments a save keeps."""

import re
import tomllib
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from stat import S_ISREG
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lifemask.nodes.errors import BrokenFileError

if TYPE_CHECKING:
    from tomlkit.items import Array, Item

_LARGEST = 1 << 24  # bytes
_WHOLE = 1 << 63  # TOML's integers have 64 bits
_CLOSING = re.compile(r"((?:\r?\n\s*|[ \t]*)\])\Z")  # of an array: the bracket, or its line
_MARK = b"\xef\xbb\xbf"  # the byte-order mark that Windows writes


def load(path: Path) -> dict[str, Any]:
    """Return the table in the file ``path``; a byte-order mark is skipped.

    Raises FileNotFoundError when there is none, BrokenFileError when it cannot be read.
    """
    return _read(path)[1]


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a file, and the table in them."""
    try:
        content = _content(path)
        table = tomllib.loads(content.removeprefix(_MARK).decode("utf-8"))
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
    return content, table


def _content(path: Path) -> bytes:
    stat = path.stat()
    if not S_ISREG(stat.st_mode):
        raise BrokenFileError(f"{path}: is not a file, but a folder, pipe or device")
    if stat.st_size > _LARGEST:
        raise BrokenFileError(f"{path}: has {stat.st_size} bytes; allowed is {_LARGEST}")
    return path.read_bytes()


def _check(path: Path, value: object, key: str = "") -> None:
    """Raise BrokenFileError when a number or text is out of range for the rest of the code."""
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


def edited(
    path: Path | None,
    values: Mapping[str, Any],
    renames: Mapping[tuple[str, ...], str] = MappingProxyType({}),
) -> bytes:
    """Return the content of ``path`` with these ``values``; every other byte is unchanged.

    First, keys are renamed where they are: ``renames`` has the new names, by the key's path.

    An equal value keeps its spelling, and a longer list its comments. None or a missing file
    counts as empty. Raises BrokenFileError when the file cannot be read.
    """
    content, table = b"", dict[str, Any]()
    if path:
        with suppress(FileNotFoundError):
            content, table = _read(path)
    for keys, name in renames.items():
        content, table = _with_key(content, table, keys, name)
    lines = content.removeprefix(_MARK)
    mark = content[: len(content) - len(lines)]
    if b"\n" in lines and lines.count(b"\n") == lines.count(b"\r\n"):
        lines = _edited(lines.replace(b"\r\n", b"\n"), table, values).replace(b"\n", b"\r\n")
    else:
        lines = _edited(lines, table, values)
    return mark + lines


def _with_key(
    content: bytes, table: dict[str, Any], keys: tuple[str, ...], name: str
) -> tuple[bytes, dict[str, Any]]:
    """Return the content and its table with a key renamed in its place, if the key is there."""
    wanted = deepcopy(table)
    inner: Any = wanted
    for key in keys[:-1]:
        inner = inner.get(key, {}) if isinstance(inner, dict) else {}
    if not isinstance(inner, dict) or keys[-1] not in inner:
        return content, table
    inner[name] = inner.pop(keys[-1])
    # Which of the words is the key shows when the file is read.
    words = re.finditer(rb"\b%s\b" % keys[-1].encode(), content)
    tried = (content[: word.start()] + name.encode() + content[word.end() :] for word in words)
    return next(text for text in tried if _table(text) == wanted), wanted


def _table(content: bytes) -> dict[str, Any] | None:
    try:
        return tomllib.loads(content.removeprefix(_MARK).decode())
    except tomllib.TOMLDecodeError:
        return None


def _edited(content: bytes, table: Mapping[str, Any], values: Mapping[str, Any]) -> bytes:
    import tomlkit  # 30 ms that only a save needs

    document = tomlkit.parse(content)
    _set(document, table, values)
    return document.as_string().encode("utf-8")


def _set(
    document: MutableMapping[str, Any], table: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Set those ``values`` in a ``document`` that differ from the ``table`` it was parsed to."""
    for key, value in values.items():
        old = table.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            _set(document[key], old, value)
        elif isinstance(value, list) and isinstance(old, list) and value[: len(old)] == old:
            if value != old:
                document[key] = _grown(document[key], value, len(old))
        elif key not in table or old != value:
            document[key] = value


def _grown(array: "Array", whole: list[Any], count: int) -> "Item":
    """Return an ``array`` of ``count`` values extended to ``whole``, with its comments and lines.

    tomlkit's own `extend` breaks arrays whose lines begin with a comma.
    """
    import tomlkit

    text = array.as_string()
    more = tomlkit.item(whole[count:]).as_string()[1:-1]
    stem, last, _ = _CLOSING.split(text)
    gap, comma = (_indent(stem), ",") if "\n" in last else (" " if count else "", "")
    ways = (
        f"{stem}{gap}{more}{comma}{last}",  # empty, or ends with a comma
        f"{stem},{gap}{more}{last}",
        f"{stem}{gap}, {more}{last}",  # ends with a comment
    )
    return tomlkit.value(next(text for text in ways if _reads_as(text, whole)))


def _indent(text: str) -> str:
    """Return a line break and the indent of the last line of ``text``."""
    line = text.rpartition("\n")[2].lstrip("[")
    return f"\n{line[: len(line) - len(line.lstrip())]}"


def _reads_as(text: str, value: object) -> bool:
    try:
        return tomllib.loads(f"_ = {text}") == {"_": value}
    except tomllib.TOMLDecodeError:
        return False
