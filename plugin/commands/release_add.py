"""`lifemask release add`: record a performer's consent, with the document that says so."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import date
from pathlib import Path

from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import check_performer
from lifemask.nodes.shot.release import Release
from lifemask.plugin.commands.command import Command, Result, add_shot


def consent(shot: Shot, performer: str) -> Release:
    """Return the release under which ``performer`` may appear; raises ReleaseError without one."""
    release = Release.load(shot.folder / "releases", performer)
    release.check(shot.project, date.today())
    return release


def _arguments(parser: ArgumentParser) -> None:
    add_shot(parser)
    parser.add_argument("--performer", required=True, metavar="NAME", help="Who consents.")
    parser.add_argument(
        "--document",
        required=True,
        type=Path,
        metavar="FILE",
        help="The signed release; it is copied.",
    )
    parser.add_argument("--project", required=True, help="The production it is for.")
    parser.add_argument(
        "--expires", required=True, type=_day, metavar="DAY", help="Its last day, as 2027-12-31."
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2027-12-31") from None


def _run(args: Namespace) -> Result:
    shot = Shot.load(args.shot)
    who = check_performer(args.performer, "performer")
    folder = shot.folder / "releases"
    given = (who, args.project, args.expires, args.document, date.today())
    with Release.adding(folder, *given) as release:
        adopted = shot.with_performer(who, args.project)
    if adopted.project != shot.project:
        note("release", f"{shot.name} had no project; it is now {adopted.project!r}")
    elif adopted.project != args.project:
        note(
            "release", f"{shot.name} is of project {shot.project!r}: this release does not cover it"
        )
    return {"release": folder / f"{who}.toml", "sha256": release.sha256, "project": adopted.project}


ADD = Command(
    "release add",
    "Record a performer's consent, with the document that says so.",
    "lifemask release add sh010 --performer ada --document ada_release.pdf --project demo "
    "--expires 2027-12-31",
    _arguments,
    _run,
    needs=("shot new",),
)
