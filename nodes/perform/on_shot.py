"""Perform on a shot: performances that were recorded elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from lifemask.nodes.command import Button, OnShot, Option, Press, Result
from lifemask.nodes.perform import Perform
from lifemask.nodes.shot.folder import Shot


class PerformOnShot(OnShot):
    """Take a recorded performance into a shot, to be played instead of the double's own."""

    name = "perform"
    example = "lifemask perform sh010 dub.csv"
    node = Perform
    makes = "performances"
    ending = ".safetensors"
    needs = ("track",)
    button = Button("Performance", presses=(Press(when="recording"),))

    recording: Annotated[
        Path, Option("A CSV by Live Link Face, or of its kind.", "FILE", positional=True)
    ]
    title: Annotated[
        str,
        Option(
            "What the performance is called; the file's name by default.",
            "NAME",
            settings=("performance",),
        ),
    ] = ""

    def run(self) -> Result:
        """Return the file of the performance, and how many frames it has."""
        shot = Shot.load(self.shot)
        name = self.title or self.recording.stem
        path = shot.target(self.makes, name, self.version, self.overwrite)
        performance = shot.node(Perform, **self.knobs)(self.recording, shot.plate, shot.fps)
        performance.save(path)
        return {"performance": path, "frames": len(performance)}

    @classmethod
    def lacking(cls, shot: Shot, likenesses: Sequence[str], person: str = "") -> str:
        """Return nothing: the double's own performance serves as well."""
        return ""
