"""Paths as two machines see the same storage.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_WINDOWS = re.compile(r"[A-Za-z]:|[\\/]{2}")
_BEGINS = r"(?<![^\s\"'(=])"
_ENDS = r"(?=[\\/]|$|[\s\"',:;)])"


class PathMap:
    r"""Pairs of prefixes: a folder here, where the host runs, and the same one there.

    A drive letter or a share is found in any case and with either slash; what is made of it has
    forward slashes, which every host reads. The longest prefix that fits is taken.

    >>> storage = PathMap([("P:\\", "/mnt/projects")])
    >>> storage.there("p:\\show\\plate.####.exr")
    '/mnt/projects/show/plate.####.exr'
    >>> storage.here("/mnt/projects/show: no face was found")
    'P:/show: no face was found'
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        both = list(pairs)
        self._out = [_Rule(here, there, "^") for here, there in _longest_first(both, 0)]
        # What comes back may be a sentence that names a path.
        self._back = [_Rule(there, here, _BEGINS) for here, there in _longest_first(both, 1)]

    def there(self, value: Any) -> Any:  # noqa: ANN401
        """Return a parameter, or a list or table of them, as the worker sees its paths."""
        return _each(value, self._sent)

    def here(self, value: Any) -> Any:  # noqa: ANN401
        """Return a message of the worker's with its paths as the host sees them."""
        return _each(value, self._received)

    def _sent(self, text: str) -> str:
        for rule in self._out:
            if rule.pattern.match(text):
                return rule(text.replace("\\", "/") if rule.windows else text)
        return text

    def _received(self, text: str) -> str:
        rules = (rule for rule in self._back if rule.pattern.search(text))
        rule = next(rules, None)
        return rule(text) if rule else text


class _Rule:
    """Finds one prefix, and puts another in its place."""

    def __init__(self, prefix: str, other: str, begins: str) -> None:
        self.windows = bool(_WINDOWS.match(prefix))
        slash = r"[\\/]" if self.windows else "/"
        found = slash.join(map(re.escape, re.split(slash, prefix.rstrip("\\/"))))
        self.pattern = re.compile(begins + found + _ENDS, re.IGNORECASE if self.windows else 0)
        self._other = other.rstrip("\\/").replace("\\", "/")

    def __call__(self, text: str) -> str:
        return self.pattern.sub(lambda _: self._other, text)


def _longest_first(pairs: Iterable[tuple[str, str]], by: int) -> list[tuple[str, str]]:
    return sorted(pairs, key=lambda pair: -len(pair[by]))


def _each(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _each(item, change) for key, item in value.items()}
    return [_each(item, change) for item in value] if isinstance(value, list) else value
