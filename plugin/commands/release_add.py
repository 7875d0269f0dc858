"""`lifemask release add`: record a performer's consent, with the document that says so."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from lifemask.nodes.command import SHOT, Button, Command, Option, Result
from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import check_performer
from lifemask.nodes.shot.release import Release, refusal


class ReleaseAdd(Command):
    """Record a performer's consent, with the document that says so."""

    name = "release add"
    example = (
        "lifemask release add sh010 --performer ada --document ada_release.pdf --project demo "
        "--expires 2027-12-31"
    )
    needs = ("shot new",)
    button = Button("Release")

    shot: Annotated[Path, SHOT]
    performer: Annotated[str, Option("The performer who consents.", "NAME", settings=("likeness",))]
    document: Annotated[Path, Option("The signed release; it is copied.", "FILE")]
    project: Annotated[str, Option("The production it is for.")]
    expires: Annotated[date, Option("The last day it is valid, such as 2027-12-31.", "DAY")]

    def run(self) -> Result:
        """Return the record, the document's hash, and the shot's project."""
        shot = Shot.load(self.shot)
        who = check_performer(self.performer, "performer")
        folder = shot.folder / "releases"
        given = (who, self.project, self.expires, self.document, date.today())
        with Release.adding(folder, *given) as release:
            adopted = shot.with_performer(who, self.project)
        self._note_project(shot, adopted)
        file = folder / f"{who}.toml"
        return {"release": file, "sha256": release.sha256, "project": adopted.project}

    def _note_project(self, shot: Shot, adopted: Shot) -> None:
        """Note that the shot has a project now, or that the release is for another one."""
        if adopted.project != shot.project:
            note("release", f"{shot.name} had no project; it is now {adopted.project!r}")
        elif adopted.project != self.project:
            project = f"{shot.name} is of project {shot.project!r}"
            note("release", f"{project}: this release does not cover it")

    @classmethod
    def lacking(cls, shot: Shot, likenesses: Sequence[str], person: str = "") -> str:
        """Return why a likeness may not appear, or that nobody has a release."""
        refusals = {name: refusal(shot, name) for name in likenesses}
        return "; ".join(filter(None, refusals.values())) if refusals else _NOBODY


_NOBODY = "no performer has a release yet"
