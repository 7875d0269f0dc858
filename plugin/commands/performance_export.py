"""`lifemask performance export`: write a performance for other programs."""

from pathlib import Path
from typing import Annotated

from lifemask.nodes.command import SHOT, Command, Option, Result
from lifemask.nodes.errors import VersionExistsError
from lifemask.nodes.performance import Performance
from lifemask.nodes.shot.folder import Shot


class PerformanceExport(Command):
    """Write a performance as CSV, as Live Link Face records them."""

    name = "performance export"
    example = "lifemask performance export sh010 p1.csv --performance p1"
    needs = ("track",)

    shot: Annotated[Path, SHOT]
    file: Annotated[Path, Option("The file to write.", "FILE.csv", positional=True)]
    performance: Annotated[
        str, Option("A person of the track, or a recorded performance (p1).", "NAME")
    ] = "p1"
    overwrite: Annotated[bool, Option("Replace the file if it exists already.", last=True)] = False

    def run(self) -> Result:
        """Return the file, and how many frames it has."""
        from lifemask.nodes.head import live_link

        shot = Shot.load(self.shot)
        performance = Performance.load(shot.latest("performances", self.performance))
        if self.file.exists() and not self.overwrite:
            raise VersionExistsError(f"{self.file}: is there already")
        live_link.write(self.file, performance, shot.fps)
        return {"file": self.file, "frames": len(performance)}
