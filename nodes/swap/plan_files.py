"""Save plans beside the frames made from them, and find them again for more frames."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.swap import plan
from lifemask.nodes.swap.plan import ShotPlan

NAME = "plan.safetensors"
_VERSION = re.compile(r"_v\d+$")


def save(folder: Path, plans: Sequence[ShotPlan]) -> None:
    """Write the plans of a swap into its folder, unless they are there already."""
    path = folder / NAME
    if _made_of(path) != [one.made_of for one in plans]:
        plan.save(path, plans)


def fitting(folder: Path, wanted: Collection[str]) -> list[ShotPlan]:
    """Return the saved plans with the ``wanted`` digests, each once.

    They are those of the swap in ``folder``, or of another version of it. A file that cannot be
    read holds none.
    """
    found: dict[str, ShotPlan] = {}
    for path in _files(folder):
        if set(wanted) <= found.keys():
            break
        if set(wanted) & set(_made_of(path)) - found.keys():
            with suppress(BrokenFileError):
                found |= {one.made_of: one for one in plan.load(path)}
    return [found[one] for one in wanted if one in found]


def _made_of(path: Path) -> list[str]:
    with suppress(BrokenFileError):
        return plan.made_of(path)
    return []


def _files(folder: Path) -> Iterator[Path]:
    """The plan of the swap in ``folder``, then those of its other versions, the newest first."""
    yield folder / NAME
    if _VERSION.search(folder.name):
        others = folder.parent.glob(f"{_VERSION.sub('', folder.name)}_v*/{NAME}")
        yield from sorted(others, reverse=True)
