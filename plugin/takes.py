"""The takes that a person names: sequences, folders, patterns, photographs."""

from collections.abc import Iterable
from pathlib import Path

from lifemask.ocio.sequence import Sequence


def find_takes(names: Iterable[str]) -> list[Sequence]:
    """Return the sequences behind ``names``, each once, in the order they were named.

    A name is a sequence (``ada.####.exr``), a movie, a photograph, a folder (all that is in it), a
    pattern over any of these (``takes/ada_*/*.####.exr``), or one of the files that a shell made
    of it. Raises BrokenFileError when there is nothing.
    """
    found: dict[str, Sequence] = {}
    for name in names:
        for take in Sequence.find_all(f"{name}/*" if Path(name).is_dir() else name):
            found.setdefault(take.path, take)
    return list(found.values())
