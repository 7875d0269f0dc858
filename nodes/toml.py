"""TOML that a person can read and edit; the standard library only reads it."""

import json
from collections.abc import Mapping
from datetime import date


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
