"""`lifemask shot info`: what a shot has, what it lacks, and what comes next."""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lifemask.nodes.errors import LifemaskError
from lifemask.nodes.shot.folder import MADE_BY, Shot
from lifemask.nodes.shot.keys import KEYS
from lifemask.nodes.shot.names import check_name
from lifemask.nodes.types import FaceTrack
from lifemask.plugin.commands.command import Command, Result, add_shot
from lifemask.plugin.commands.faceset import double_name
from lifemask.plugin.commands.release_add import consent
from lifemask.plugin.commands.swap import COMMAND as SWAP
from lifemask.plugin.reports.coverage_report import known


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    parser.add_argument(
        "--likeness",
        default="",
        metavar="NAME",
        help="Whose swap it is to be; else of all performers.",
    )
    parser.add_argument(
        "--person", default="", metavar="NAME", help="On whom; else on all of the plate's people."
    )


def _run(args: Namespace) -> Result:
    shot = Shot.load(args.shot)
    likenesses = [check_name(args.likeness, "likeness")] if args.likeness else shot.performers
    found = info(shot, likenesses, args.person)
    return found if args.json else {"text": list(_lines(found))}


def info(shot: Shot, likenesses: Iterable[str], person: str = "") -> dict[str, Any]:
    """Return what the shot has, as JSON can hold it.

    ``people`` are those of the last track, ``versions`` the numbers by kind and name, ``releases``
    empty or why the consent does not hold, ``missing`` empty or why a command has to be run, and
    ``next`` is the first that has to for a swap; empty when there is one.
    """
    names = list(likenesses)
    releases = {name: _refusal(shot, name) for name in names}
    # Who does not consent may be the double, of whom there is more footage.
    wanted = [name for name in names if not releases[name]] or names
    refused = "; ".join(filter(None, (releases[name] for name in wanted)))
    missing = {
        "release add": refused if names else _NOBODY,
        **{command: _lack(shot, kind, wanted, person) for kind, command in MADE_BY.items()},
    }
    return {
        "name": shot.name,
        "project": shot.project,
        "performers": list(shot.performers),
        "plate": {key: getattr(shot, key) for key in KEYS["plate"]},
        "people": {name: _seen(path) for name, path in shot.newest("track").items()},
        "versions": {kind: _versions(shot, kind) for kind in MADE_BY},
        "releases": releases,
        "advice": {name: lines for name in names if (lines := _advice(shot, name))},
        "missing": missing,
        "next": next((step for step in (*SWAP.needs, SWAP.name) if missing[step]), ""),
    }


_NOBODY = "no performer has a release yet"


def _refusal(shot: Shot, likeness: str) -> str:
    try:
        consent(shot, likeness)
    except LifemaskError as error:
        return str(error)
    return ""


def _lack(shot: Shot, kind: str, likenesses: list[str], person: str) -> str:
    """Say who has nothing of this ``kind`` yet."""
    people = list(shot.newest("track"))
    if kind in _OF_ALL:
        return "" if shot.names(kind) else f"{_OF_ALL[kind]} yet"
    wanted = list(likenesses)
    if kind == "models":
        return ""  # the base that ships with Lifemask serves until then
    if kind == "facesets":
        wanted += [double_name(shot, one) for one in people if person in ("", one)]
    there = {*shot.names(kind)}
    if kind == "swaps":
        there.update(*(_in_swap(one, shot.performers) for one in shot.names(kind)))
    lacking = [name for name in wanted if name not in there]
    if wanted and not lacking:
        return ""
    return f"{kind}/ has nothing of {', '.join(lacking) or 'anybody'} yet"


def _in_swap(name: str, performers: Iterable[str]) -> set[str]:
    """Whose faces a swap of this name puts in: of several people it has all their names."""
    known = [re.escape(one) for one in performers]
    anybody = "|".join(known)
    parts = (rf"(?:(?:{anybody})_)*({one})(?:_(?:{anybody}))*" for one in known)
    return {found[1] for part in parts if (found := re.fullmatch(part, name))}


_OF_ALL = {"track": "nobody has been tracked", "models": "no model has been tuned to the shot"}
"""What is made for everybody in the shot at once."""


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
    for name, refusal in found["releases"].items():
        yield f"release: {refusal or f'{name} consents'}"
    for lines in found["advice"].values():
        yield from (f"advice: {line}" for line in lines)
    if found["next"]:
        yield f"next: lifemask {found['next']}, because {found['missing'][found['next']]}"


INFO = Command(
    "shot info",
    "Say what a shot has, what it lacks, and what comes next.",
    "lifemask shot info sh010 --likeness ada",
    _arguments,
    _run,
    needs=("shot new",),
    query=True,
)
