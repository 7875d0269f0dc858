"""The takes that a person names: sequences, folders, patterns, photographs."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lifemask.nodes.progress import note
from lifemask.ocio.media.sequence import MOVIES, Sequence


def find_takes(names: Iterable[str], single: bool = False) -> list[Sequence]:
    """Return the sequences behind ``names``, each once, in the order they were named.

    A name is a sequence (``ada.####.exr``), a movie, a photograph, a folder (its footage), a
    pattern over any of these (``takes/ada_*/*.####.exr``), or one of the files that a shell made
    of it; a ``single`` picture is itself, not the sequence whose number its name has. Raises
    BrokenFileError when there is nothing.
    """
    found: dict[str, Sequence] = {}
    for name in names:
        for take in [_photograph(name)] if single and _is_picture(name) else _footage(name):
            found.setdefault(take.path, take)
    return list(found.values())


def _is_picture(name: str) -> bool:
    return Path(name).is_file() and Path(name).suffix.lower() not in MOVIES


def _photograph(name: str) -> Sequence:
    return Sequence(name, (1,))


def _footage(name: str) -> list[Sequence]:
    folder = Path(name).is_dir()
    found = Sequence.find_all(f"{name}/*" if folder else name)
    if folder:
        found = [take for take in found if Path(take.path).suffix.lower() in _endings()] or found
    stills = sum(take.frames == (1,) and not take.is_movie for take in found)
    if stills > 1:
        note("takes", f"{name}: {stills} of its files are taken as photographs, each by itself")
    return found


@cache
def _endings() -> frozenset[str]:
    """The endings of footage; other files in a folder are ignored."""
    import OpenImageIO

    listed = str(OpenImageIO.get_string_attribute("extension_list"))
    pictures = (ending for kind in listed.split(";") for ending in kind.split(":")[-1].split(","))
    return MOVIES | {f".{ending}" for ending in pictures}
