"""`lifemask look`: contact sheet, before/after movie and report page of a swap."""

from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from typing import Annotated

from lifemask.nodes.command import Button, OnShot, Option, Result
from lifemask.nodes.errors import KnobError, Remedy, ShotError
from lifemask.nodes.shot.folder import Shot


class LookAtSwap(OnShot):
    """Make contact sheet, before/after movie and report page of a swap."""

    name = "look"
    example = "lifemask look sh010"
    makes = "look"
    needs = ("swap",)
    button = Button("Look")

    likeness: Annotated[
        str, Option("The likeness of the swap; by default that of the newest.", "NAME")
    ] = ""
    swap_version: Annotated[
        int | None, Option("Version of the swap; by default the last.", "N", settings=())
    ] = None
    count: Annotated[int, Option("Frames on the sheet (6).", "N")] = 6
    no_expression: Annotated[
        bool, Option("Leave out the curves of the expression, for which the swap is tracked.")
    ] = False

    def run(self) -> Result:
        """Return the paths of sheet, movie and page."""
        from lifemask.plugin.reports.swap_report import Swapped, make

        if self.count < 1:
            raise KnobError(f"count: {self.count} is outside 1..")
        shot = Shot.load(self.shot)
        name, source = _source(shot, self.likeness, self.swap_version)
        folder = shot.claimed(self.makes, name, self.version, self.overwrite)
        had_files = any(folder.iterdir())
        try:
            with Swapped.open(shot, source) as swap:
                return make(swap, folder, self.count, not self.no_expression)
        except BaseException:
            if not had_files:
                rmtree(folder, ignore_errors=True)
            raise

    @classmethod
    def lacking(cls, shot: Shot, likenesses: Sequence[str], person: str = "") -> str:
        """Return whose swap has not been looked at yet."""
        return cls.lacking_of(likenesses, {*shot.names(cls.makes)})


def _source(shot: Shot, likeness: str, version: int | None) -> tuple[str, Path]:
    """Return the name and the folder of the swap to show."""
    if not likeness:
        names = shot.names("swaps")
        newest = [(shot.latest("swaps", name).stat().st_mtime, name) for name in names]
        likeness = max(newest)[1] if newest else _to_swap(shot)
    latest = shot.latest("swaps", likeness)
    return likeness, latest if version is None else shot.version("swaps", likeness, version)


def _to_swap(shot: Shot) -> str:
    """Return whose swap comes first; raises ShotError when the shot has no performer yet."""
    if not shot.performers:
        remedy = Remedy("first_swap", {"shot": str(shot.folder)})
        raise ShotError(f"{shot.folder}: there is no swap yet", remedy)
    return shot.performers[0]
