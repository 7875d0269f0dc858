"""The record of a performer's consent: for which project, until when, and the signed document."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import date
from hashlib import file_digest
from itertools import count
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.nodes.errors import BrokenFileError, LifemaskError, ReleaseError, Remedy
from lifemask.nodes.shot import toml
from lifemask.ocio.system.atomic import one_at_a_time, replacing

if TYPE_CHECKING:
    from lifemask.nodes.shot.folder import Shot

_SUFFIX = re.compile(r"\.[a-z0-9]{1,16}")


@dataclass(frozen=True)
class Release:
    """Consent of ``performer`` to face replacement in ``project``, through the day ``expires``.

    ``document`` is the name of the signed document's copy beside the record, ``sha256`` its hash.
    """

    performer: str
    project: str
    expires: date
    document: str
    sha256: str
    added: date

    @classmethod
    @contextmanager
    def adding(
        cls, folder: Path, performer: str, project: str, expires: date, document: Path, today: date
    ) -> "Iterator[Release]":
        """Yield a release; record it in ``folder``, with its document, when the block ends.

        If anything fails, nothing is recorded and an earlier release stays whole. Raises
        ReleaseError when it has expired or names no project, BrokenFileError without a document.
        """
        if not project.strip():
            raise ReleaseError("project: is empty; a release is for a production that has a name")
        if expires < today:
            raise ReleaseError(
                f"expires: {expires} is in the past; the release of {performer} is over"
            )
        path = folder / f"{performer}.toml"
        _check_document(document, path, performer)
        with one_at_a_time(folder):
            copy = _free(folder, performer, document.suffix.lower())
            old = path.with_name(_named(path))
            try:
                # The record is opened first, so it is renamed last.
                with (
                    document.open("rb") as source,
                    replacing(path) as record,
                    replacing(copy) as part,
                ):
                    with part.open("wb") as target:
                        shutil.copyfileobj(source, target)
                    release = cls(performer, project, expires, copy.name, _hash(part), today)
                    record.write_bytes(release._written(path))
                    yield release
            finally:
                # The record's rename is what puts the new release in force.
                _remove_unnamed(folder, copy, old)

    @classmethod
    def load(cls, folder: Path, performer: str) -> "Release":
        """Read the release of ``performer``.

        Raises ReleaseError when there is none, or when its document has been changed or lost.
        """
        path = folder / f"{performer}.toml"
        try:
            release = cls(**toml.load(path))
        except FileNotFoundError:
            add = Remedy("add_release", {"shot": str(folder.parent), "performer": performer})
            raise ReleaseError(f"{performer}: there is no release", add) from None
        except TypeError as error:
            raise BrokenFileError(f"{path}: not a whole release ({error})") from error
        release._check_record(path, performer)
        return release

    def _check_record(self, path: Path, performer: str) -> None:
        for field in fields(self):
            if type(getattr(self, field.name)) is not field.type:
                raise BrokenFileError(f"{path}: {field.name} is not a {_word(field.type)}")
        if self.performer != performer:
            raise ReleaseError(f"{path}: this is the release of {self.performer}, not {performer}")
        if not _is_file_name(self.document):
            raise BrokenFileError(f"{path}: document is {self.document!r}, no name of a file")
        document = path.with_name(self.document)
        if not document.is_file() or _hash(document) != self.sha256:
            raise ReleaseError(f"{document}: not the document that was added with the release")

    def check(self, project: str, today: date) -> None:
        """Raise ReleaseError unless the consent covers ``project`` on the day ``today``."""
        if self.expires < today:
            raise ReleaseError(f"{self.performer}: the release expired on {self.expires}")
        if self.project != project:
            raise ReleaseError(
                f"{self.performer}: the release is for project {self.project!r}, not {project!r}"
            )

    def _written(self, path: Path) -> bytes:
        """Return the record's content: with the comments of the one at ``path`` if it is whole."""
        whole = False
        with suppress(FileNotFoundError, BrokenFileError):
            whole = toml.load(path).keys() == vars(self).keys()
        return toml.edited(path if whole else None, vars(self))

    @property
    def reference(self) -> str:
        """The line in each result's header that names the consent it was made under."""
        return (
            f"{self.performer} project={self.project} expires={self.expires} sha256={self.sha256}"
        )


def _check_document(document: Path, record: Path, performer: str) -> None:
    """Raise BrokenFileError unless ``document`` can be copied to the folder of the ``record``."""
    if not document.is_file():
        raise BrokenFileError(
            f"{document}: is not a file"
            if document.exists()
            else f"{document}: there is no such document"
        )
    if not record.exists():
        return
    if document.samefile(record):
        raise BrokenFileError(f"{document}: is the record of a release, not what was signed")
    # On a disk that ignores case, Ada's record is ada's.
    if record.name not in (file.name for file in record.parent.iterdir()):
        raise ReleaseError(f"performer: {performer} is another's name but for its capitals")


def _free(folder: Path, performer: str, suffix: str) -> Path:
    """Return a free path for a document's copy, which no record can ever have."""
    ending = suffix if _SUFFIX.fullmatch(suffix) else ""
    for number in count(1):
        name = f"{performer}{f'-{number}' if number > 1 else ''}{ending}"
        path = folder / (f"{name}.txt" if name.endswith(".toml") else name)
        if not lexists(path):
            break
    return path


def _named(record: Path) -> str:
    """Return the name of a record's document, or the record's own name if it has none."""
    try:
        name = toml.load(record).get("document")
    except (FileNotFoundError, BrokenFileError):
        return record.name
    return name if isinstance(name, str) and _is_file_name(name) else record.name


def _is_file_name(name: str) -> bool:
    return name not in ("", "..") and Path(name).name == name


def _remove_unnamed(folder: Path, *documents: Path) -> None:
    """Remove those of the ``documents`` that are neither records nor named by one."""
    with suppress(OSError):
        kept = {name for record in folder.glob("*.toml") for name in (record.name, _named(record))}
        for document in documents:
            if document.name not in kept:
                document.unlink(missing_ok=True)


def _word(kind: object) -> str:
    return {str: "text", date: "date (2027-12-31)"}.get(kind, "value")  # type: ignore[call-overload,no-any-return]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def consent(shot: "Shot", performer: str) -> Release:
    """Return the release under which ``performer`` may appear; raises ReleaseError without one."""
    release = Release.load(shot.folder / "releases", performer)
    release.check(shot.project, date.today())
    return release


def refusal(shot: "Shot", performer: str) -> str:
    """Return why ``performer`` may not appear in the shot; empty when they may."""
    try:
        consent(shot, performer)
    except LifemaskError as error:
        return str(error)
    return ""
