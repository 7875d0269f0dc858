"""The record of a performer's consent: who, for what, until when, and the document that says so."""

import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from hashlib import file_digest
from pathlib import Path
from shlex import quote

from lifemask.nodes.errors import BrokenFileError, ReleaseError
from lifemask.nodes.toml import dumps
from lifemask.ocio.atomic import replacing


@dataclass(frozen=True)
class Release:
    """What ``performer`` consented to: face replacement in ``project``, up to and with ``expires``.

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
        """Give the release that is recorded in ``folder``, with its document, after the block.

        Nothing is, when something fails in the block. Raises ReleaseError when it has expired
        already, BrokenFileError without a document.
        """
        if expires < today:
            raise ReleaseError(
                f"expires: {expires} is in the past; the release of {performer} is over"
            )
        if not document.is_file():
            raise BrokenFileError(f"{document}: there is no such document")
        name = f"{performer}{document.suffix.lower()}"
        with replacing(folder / name) as copy:
            shutil.copyfile(document, copy)
            release = cls(performer, project, expires, name, _hash(copy), today)
            with replacing(folder / f"{performer}.toml") as record:
                record.write_text(dumps(dict(vars(release))), encoding="utf-8")
                yield release

    @classmethod
    def load(cls, folder: Path, performer: str) -> "Release":
        """Read the release of ``performer``.

        Raises ReleaseError when there is none, or when its document is not the one that was added.
        """
        path = folder / f"{performer}.toml"
        try:
            release = cls(**tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            hint = f"lifemask release add {quote(str(folder.parent))} --performer {performer}"
            raise ReleaseError(f"{performer}: there is no release; add it with `{hint}`") from None
        except (TypeError, ValueError, OSError) as error:
            raise BrokenFileError(f"{path}: not a whole release ({error})") from error
        release._check_record(path, performer)
        return release

    def _check_record(self, path: Path, performer: str) -> None:
        for field in fields(self):
            if type(getattr(self, field.name)) is not field.type:
                raise BrokenFileError(f"{path}: {field.name} is not a {_word(field.type)}")
        if self.performer != performer:
            raise ReleaseError(f"{path}: this is the release of {self.performer}, not {performer}")
        document = path.with_name(Path(self.document).name)
        if not document.is_file() or _hash(document) != self.sha256:
            raise ReleaseError(f"{document}: not the document that was added with the release")

    def check(self, project: str, today: date) -> None:
        """Raise ReleaseError unless the performer's consent holds for ``project`` on this day."""
        if self.expires < today:
            raise ReleaseError(f"{self.performer}: the release expired on {self.expires}")
        if self.project != project:
            raise ReleaseError(
                f"{self.performer}: the release is for project {self.project!r}, not {project!r}"
            )

    @property
    def reference(self) -> str:
        """What each result's header says about the consent it was made under."""
        return (
            f"{self.performer} project={self.project} expires={self.expires} sha256={self.sha256}"
        )


def _word(kind: object) -> str:
    return {str: "text", date: "date (2027-12-31)"}.get(kind, "value")  # type: ignore[call-overload,no-any-return]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
