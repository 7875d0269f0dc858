"""`lifemask shot info`: show what a shot has, what it lacks, and what comes next."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from lifemask.nodes.command import SHOT, Command, OnShot, Option, Result
from lifemask.nodes.faceset.coverage_report import known
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.keys import KEYS
from lifemask.nodes.shot.names import check_name
from lifemask.nodes.shot.release import refusal
from lifemask.nodes.shot.tracks import people_of
from lifemask.nodes.types import FaceTrack
from lifemask.plugin.commands.catalog import commands


class ShotInfo(Command):
    """Show what a shot has, what it lacks, and what comes next."""

    name = "shot info"
    example = "lifemask shot info sh010 --likeness ada"
    needs = ("shot new",)
    query = True

    shot: Annotated[Path, SHOT]
    likeness: Annotated[
        str, Option("The likeness to swap in; all performers by default.", "NAME")
    ] = ""
    person: Annotated[
        str, Option("The person to replace; all people of the plate by default.", "NAME")
    ] = ""

    def run(self) -> Result:
        """Return the state of the shot; for a person as lines of text."""
        shot = Shot.load(self.shot)
        one = [check_name(self.likeness, "likeness")] if self.likeness else shot.performers
        found = info(shot, one, self.person)
        return found if self.json else {"text": list(_lines(found))}


def info(shot: Shot, likenesses: Iterable[str], person: str = "") -> dict[str, Any]:
    """Return the state of the shot in a form that JSON can hold.

    ``people`` are those of the last track, ``versions`` the numbers by kind and name. ``releases``
    has the reason why each consent does not hold, or an empty text; ``missing`` the reason why each
    command has to run, or an empty text. ``next`` is the first command to run for a swap; empty
    when there is one.
    """
    names = list(likenesses)
    releases = {name: refusal(shot, name) for name in names}
    # A performer without a release may be the double, known from other footage.
    wanted = [name for name in names if not releases[name]] or names
    steps = [command for command in commands() if command.button and command.needs]
    missing = {step.name: step.lacking(shot, wanted, person) for step in steps}
    return {
        "name": shot.name,
        "project": shot.project,
        "performers": list(shot.performers),
        "plate": {key: getattr(shot, key) for key in KEYS["plate"]},
        "people": {name: _seen(path) for name, path in people_of(shot).items()},
        "versions": {s.makes: _versions(shot, s.makes) for s in steps if issubclass(s, OnShot)},
        "releases": releases,
        "advice": {name: lines for name in names if (lines := _advice(shot, name))},
        "missing": missing,
        "next": next((name for name in _way() if missing.get(name)), ""),
    }


def _way() -> Iterable[str]:
    """Yield the names of the commands that lead to the shot's goal, in order."""
    for command in commands():
        if command.goal:
            yield from (*command.needs, command.name)


def _versions(shot: Shot, kind: str) -> dict[str, list[int]]:
    return {name: shot.versions(kind, name) for name in shot.names(kind)}


def _seen(path: Path) -> dict[str, int]:
    track = FaceTrack.load(path)
    return {"frames": len(track.frames), "seen": int((track.confidence > 0).sum())}


def _advice(shot: Shot, likeness: str) -> list[str]:
    advice = known(shot, likeness).get("advice")
    return advice if isinstance(advice, list) else []


def _lines(found: Mapping[str, Any]) -> Iterable[str]:
    plate = found["plate"]
    yield f"{found['name']} of project {found['project'] or '(none yet)'}"
    yield f"plate: {plate['path']} {plate['frames']} {plate['colorspace']} {plate['fps']:g} fps"
    if plate["layer"]:
        yield f"layer: {plate['layer']}"
    for name, seen in found["people"].items():
        yield f"{name}: seen in {seen['seen']} of {seen['frames']} frames"
    for kind, versions in found["versions"].items():
        for name, numbers in versions.items():
            yield f"{kind}: {name} {', '.join(f'v{number:03d}' for number in numbers)}"
    for name, why in found["releases"].items():
        yield f"release: {why or f'{name} consents'}"
    for lines in found["advice"].values():
        yield from (f"advice: {line}" for line in lines)
    if found["next"]:
        yield f"next: lifemask {found['next']}, because {found['missing'][found['next']]}"
