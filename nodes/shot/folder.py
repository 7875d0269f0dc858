"""The shot: the folder that holds everything about one plate, and its ``shot.toml``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from os.path import realpath
from pathlib import Path
from typing import Any, TypeVar

from lifemask.nodes.command import OnShot
from lifemask.nodes.declaration import Node
from lifemask.nodes.errors import (
    ColorError,
    NoShotError,
    Remedy,
    ShotError,
    VersionExistsError,
    WriteError,
)
from lifemask.nodes.progress import note, reporting
from lifemask.nodes.shot.keys import KEYS, check_keys
from lifemask.nodes.shot.knob_values import check_knobs, old_keys, renamed, snake
from lifemask.nodes.shot.names import check_name, check_performer, check_version, is_name
from lifemask.nodes.shot.toml import edited, load
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.atomic import one_at_a_time, replacing

N = TypeVar("N", bound=Node)


@dataclass(frozen=True)
class Shot:
    """A shot's folder and the content of its ``shot.toml``.

    ``path`` and ``frames`` name the plate's sequence (relative to the folder, or absolute), and
    ``layer`` the picture in it where its name does not show that. ``project`` may be empty until
    the first release is added. ``knobs`` are the values, by node and knob, that differ from the
    declared defaults.
    """

    folder: Path
    name: str
    path: str
    frames: str
    colorspace: str
    fps: float
    project: str = ""
    layer: str = ""
    performers: tuple[str, ...] = ()
    knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def new(
        cls,
        folder: Path,
        path: str,
        colorspace: str,
        fps: float,
        frames: str = "",
        project: str = "",
        layer: str = "",
    ) -> "Shot":
        """Make the folder of a shot; raises VersionExistsError when there is a shot already."""
        # Not `resolve`: of a link to itself it raises RuntimeError.
        name = check_name(Path(realpath(folder)).name, "the shot's folder")
        shot = cls(folder, name, _portable(path, folder), frames, colorspace, fps, project, layer)
        if shot.file.exists():
            raise VersionExistsError(f"{shot.file}: this shot is there already")
        shot.check()
        shot.save()
        return shot

    @classmethod
    def load(cls, folder: Path) -> "Shot":
        """Read a shot; raises NoShotError where there is none.

        Raises ShotError, which names the key, when a value in ``shot.toml`` is not allowed.
        """
        file = folder / "shot.toml"
        try:
            table = load(file)
        except FileNotFoundError:
            remedy = Remedy("new_shot", {"shot": str(folder)})
            raise NoShotError(f"{folder}: there is no shot here", remedy) from None
        check_keys(file, "", table)
        check_keys(file, "plate", table["plate"])
        shot = cls(
            folder,
            table["name"],
            **table["plate"],
            project=table["project"],
            performers=tuple(table["performers"]),
            knobs={node: renamed(file, node, values) for node, values in table["knobs"].items()},
        )
        shot.check()
        return shot

    @property
    def file(self) -> Path:
        """The path of ``shot.toml``."""
        return self.folder / "shot.toml"

    @property
    def plate(self) -> Footage:
        """The plate; raises MissingFramesError, BrokenFileError or ColorError."""
        return self.plate_of("")

    def plate_of(self, frames: str) -> Footage:
        """Return these ``frames`` of the plate; an empty range means all."""
        self._check_space()
        sequence = Sequence.find(self.folder / self.path, frames or self.frames, self.layer)
        return Footage(sequence, self.colorspace)

    def _check_space(self) -> None:
        from lifemask.ocio.colour.transform import check_space

        try:
            check_space(self.colorspace)
        except ColorError as error:
            raise ColorError(f"{self.file}: plate.colorspace: {error}") from error

    def check(self) -> None:
        """Raise ShotError or KnobError when a value is not allowed."""
        check_name(self.name, f"{self.file}: name")
        if not 1 <= self.fps <= 1000:
            raise ShotError(f"{self.file}: plate.fps is {self.fps:g}; allowed is 1..1000")
        for key in ("path", "colorspace"):
            if not getattr(self, key):
                raise ShotError(f"{self.file}: plate.{key} is empty")
        for performer in self.performers:
            check_performer(performer, f"{self.file}: performers")
        for node, values in self.knobs.items():
            check_knobs(self.file, node, values)

    def save(self) -> None:
        """Write ``shot.toml``, whole or not at all; what a person wrote into it stays."""
        plate = {key: getattr(self, key) for key in KEYS["plate"] if key != "layer" or self.layer}
        table = {"name": self.name, "project": self.project, "performers": list(self.performers)}
        knobs = {"knobs": self.knobs} if self.knobs else {}
        with replacing(self.file) as temporary:
            values = {**table, "plate": plate, **knobs}
            temporary.write_bytes(edited(self.file, values, old_keys()))

    def with_performer(self, performer: str, project: str = "") -> "Shot":
        """Add a performer, and the project if the shot has none; save it and return it.

        Starts from the file as it is now, which others may have changed.
        """
        check_performer(performer, "performer")
        with one_at_a_time(self.folder):
            with reporting(lambda said: None):  # old names in the file have been noted already
                now = Shot.load(self.folder)
            performers = tuple(dict.fromkeys([*now.performers, performer]))
            shot = replace(now, performers=performers, project=now.project or project)
            if shot != now:
                shot.save()
        return shot

    def node(self, node: type[N], **knobs: Any) -> N:  # noqa: ANN401
        """Return ``node`` with ``knobs`` over the shot's values over the declared defaults.

        A note says which of the ``knobs`` have an old name.
        """
        given = node.renamed(knobs, partial(note, snake(node.__name__)))
        return node(**{**self.knobs.get(snake(node.__name__), {}), **given})

    def names(self, kind: str) -> list[str]:
        """Return the names that have versions, sorted: of a track, its people."""
        return sorted({name for name, _ in self._versions(kind)})

    def versions(self, kind: str, name: str) -> list[int]:
        """Return the numbers of the existing versions, ascending."""
        return sorted(version for known, version in self._versions(kind) if known == name)

    def _versions(self, kind: str) -> list[tuple[str, int]]:
        pattern = re.compile(rf"(.+)_v((?!000)\d{{3}}|[1-9]\d{{3,4}}){re.escape(_ending(kind))}")
        try:
            # Not `glob`: it takes an unreadable folder for an empty one.
            paths = list((self.folder / kind).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = (pattern.fullmatch(path.name) for path in paths)
        return [(match[1], int(match[2])) for match in found if match and is_name(match[1])]

    def version(self, kind: str, name: str, number: int) -> Path:
        """Return the path of a version, whether it exists or not."""
        check_name(name, kind)
        check_version(number)
        return self.folder / kind / f"{name}_v{number:03d}{_ending(kind)}"

    def next_version(self, kind: str, name: str) -> Path:
        """Return the path of the next version."""
        return self.version(kind, name, max(self.versions(kind, name), default=0) + 1)

    def claimed(self, kind: str, name: str, number: int | None, overwrite: bool) -> Path:
        """Make the folder of the `target`, so that no other process takes it, and return it.

        Raises WriteError when it cannot be made.
        """
        while True:
            path = self.target(kind, name, number, overwrite)
            try:
                path.mkdir(parents=True, exist_ok=number is not None)
            except OSError as error:
                if number is None and isinstance(error, FileExistsError):
                    continue  # another process was faster
                raise WriteError(f"{path}: cannot be written ({error.strerror})") from error
            return path

    def latest(self, kind: str, name: str) -> Path:
        """Return the path of the last version; raises ShotError with the command that makes one."""
        numbers = self.versions(kind, name)
        if not numbers:
            check_name(name, kind)
            there = ", ".join(self.names(kind)) or "none"
            raise ShotError(
                f"{name}: nothing in {kind}/ of {self.name} (there: {there})",
                Remedy(
                    "make",
                    {"command": OnShot.registry[kind].name, "shot": str(self.folder), "name": name},
                ),
            )
        return self.version(kind, name, numbers[-1])

    def newest(self, kind: str) -> dict[str, Path]:
        """Return the paths of the highest version by name: of a track, all people of the last."""
        found = self._versions(kind)
        last = max((number for _, number in found), default=0)
        names = sorted(name for name, number in found if number == last)
        return {name: self.version(kind, name, last) for name in names}

    def target(self, kind: str, name: str, number: int | None, overwrite: bool) -> Path:
        """Return the path of a new result: the next version, or the given one.

        Raises VersionExistsError when that exists and may not be overwritten.
        """
        if number is None:
            return self.next_version(kind, name)
        path = self.version(kind, name, number)
        if path.exists() and not overwrite:
            raise VersionExistsError(
                f"{path}: this version is there already", Remedy("replace_version")
            )
        return path


def _ending(kind: str) -> str:
    """Return how the names of a kind end: what is in a shot's folder is made by a command."""
    return OnShot.registry[kind].ending


def _portable(path: str, folder: Path) -> str:
    """Return the plate's path, relative where shot and plate can be moved together."""
    plate, shot = Path(path).absolute(), folder.absolute()
    if plate.is_relative_to(shot):
        return plate.relative_to(shot).as_posix()
    # A linked folder's real neighbours are elsewhere.
    beside = Path(realpath(shot.parent)) == Path(realpath(folder)).parent
    if beside and plate.is_relative_to(shot.parent):
        return f"../{plate.relative_to(shot.parent).as_posix()}"
    return str(plate)
