"""Names of people and versions: those that fit into a file name, and the double's own."""

import re

from lifemask.nodes.errors import KnobError, Remedy, ShotError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_DOUBLE = re.compile(r"double(?:_(.*))?")
_HAND = re.compile(r"hand_\d+")
_LAST = 99_999
_LONGEST = 100
"""Letters: with version, frame and ending, a file name stays within the 255 that disks allow."""


def is_name(name: str) -> bool:
    """Whether ``name`` can be part of a file name."""
    return bool(_NAME.fullmatch(name)) and len(name) <= _LONGEST


def check_name(name: str, what: str) -> str:
    """Return ``name`` if it can be part of a file name; raises ShotError otherwise."""
    if not is_name(name):
        raise ShotError(
            f"{what}: {name!r} may hold letters, digits and ._-, starts with a letter or digit "
            f"and has {_LONGEST} of them at most"
        )
    return name


def is_double(name: str) -> bool:
    """Whether a faceset of this name is a double's own."""
    return person_of(name) is not None


def is_hand(name: str) -> bool:
    """Whether a track of this name is a hand's, and no person's."""
    return bool(_HAND.fullmatch(name))


def check_performer(name: str, what: str) -> str:
    """Return ``name`` if a performer can have it; raises ShotError otherwise."""
    if is_double(name):
        raise ShotError(
            f"{what}: {name} is what the double's own faceset is called",
            Remedy("name_the_double"),
        )
    return check_name(name, what)


def check_version(number: int) -> int:
    """Return ``number`` if a version can have it; raises KnobError otherwise."""
    if not 1 <= number <= _LAST:
        raise KnobError(f"version: {number} is outside 1..{_LAST}")
    return number


def person_of(name: str) -> str | None:
    """Return whom a double's own faceset shows, "" when the plate has one person.

    None when it is not a double's own.
    """
    found = _DOUBLE.fullmatch(name)
    return (found[1] or "") if found else None
