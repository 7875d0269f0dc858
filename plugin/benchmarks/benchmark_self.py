"""`lifemask benchmark self`: a person on themself, so that the plate is the perfect swap."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lifemask.nodes import progress
from lifemask.nodes.command import Result
from lifemask.nodes.errors import FaceError, KnobError, VersionExistsError
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.interpretation import space_of
from lifemask.nodes.shot.release import Release, consent
from lifemask.nodes.swap import Swap, write_swap
from lifemask.nodes.swap.roles import FacesetRole
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.atomic import unfinished

if TYPE_CHECKING:
    from lifemask.nodes.truth.expression import ExpressionFigures
    from lifemask.plugin.commands.benchmark import BenchmarkSelf

_PROJECT = "self-test"
_SHEET = "sheet.png"


def measured(asked: "BenchmarkSelf") -> Result:
    """Return what ``asked`` is for."""
    release = _release(asked)
    with _folder(asked.out) as folder:
        test = _SelfTest(asked, folder, release)
        figures = test.figures()
        if asked.out:
            test.write_sheet(folder / _SHEET)
    sheet = {"sheet": asked.out / _SHEET} if asked.out else {}
    if asked.json:
        return {"figures": figures, **sheet}
    return {"text": list(_lines(figures)), **sheet}


def _release(asked: "BenchmarkSelf") -> Release:
    """Return the consent: nobody needs one to replace their own face by itself."""
    if not asked.likeness:
        today = date.today()
        return Release(_PROJECT, _PROJECT, today, "", "", today)
    if not (asked.shot and asked.performer):
        raise KnobError(
            "likeness: another person's face needs their release; name the shot that has it, and "
            "the performer"
        )
    return consent(Shot.load(asked.shot), asked.performer)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Give a new folder ``out``, or a temporary one."""
    if out is None:
        with TemporaryDirectory(prefix="lifemask_self_") as name:
            yield Path(name)
        return
    if out.exists():
        raise VersionExistsError(f"{out}: is there already")
    with unfinished(out, folder=True) as part:
        yield part
        part.rename(out)


@dataclass
class _SelfTest:
    asked: "BenchmarkSelf"
    folder: Path
    release: Release

    def __post_init__(self) -> None:
        asked = self.asked
        self.plate = self._footage(asked.clip, asked.plate)
        self.takes = self._footage(asked.likeness or asked.clip, asked.takes)
        shared = set(self.plate.frames) & set(self.takes.frames)
        if not asked.likeness and shared:
            raise KnobError(f"takes: frame {min(shared)} is the plate's, too; take another part")
        self.track = _largest(self.plate)
        self.swap = self._swapped()

    def _footage(self, clip: Path, frames: str) -> Footage:
        sequence = Sequence.find(clip, frames)
        return Footage(sequence, space_of(sequence, self.asked.colorspace))

    def _swapped(self) -> Footage:
        """The plate, swapped by the released model; outside of this command it serves nobody."""
        name = self.release.performer
        takes = Faceset()(
            [self.takes], [_largest(self.takes)], name, self.folder / "facesets" / "takes"
        )
        node = Faceset(every_frame=True)
        double = node([self.plate], [self.track], "double", self.folder / "facesets" / "plate")
        role = FacesetRole(self.track, takes, double, self.release, self.release.project).role
        write_swap(Swap(), self.plate, [role], self.folder / "swap", "swap", model=BASE)
        made = Sequence.find(self.folder / "swap" / "swap.####.exr")
        return Footage(made, space_of(made, ""))

    def figures(self) -> dict[str, Any]:
        """Return the figures by name; those of pictures only where the plate is the answer."""
        from lifemask.nodes.truth.expression import TrackPair, tracked_again
        from lifemask.plugin.benchmarks.self_figures import self_figures

        pair = TrackPair.of(tracked_again(self.swap, self.track), self.track)
        found = self_figures(self.swap, self.plate, self.track, exact=not self.asked.likeness)
        if not found["frames"]:
            raise FaceError(f"{self.plate.name}: no face was swapped in frames {self.asked.plate}")
        return found | _named(pair.figures)

    def write_sheet(self, path: Path) -> None:
        """Write a contact sheet, the plate above the swap."""
        from lifemask.plugin.benchmarks.self_sheet import write_sheet

        write_sheet(path, self.plate, self.swap)


def _largest(footage: Footage) -> FaceTrack:
    tracks = Track()(footage)
    if len(tracks) > 1:
        progress.note("track", f"{footage.name}: {len(tracks)} people; taking the largest")
    return tracks[0]


def _named(figures: "ExpressionFigures | None") -> dict[str, Any]:
    return asdict(figures) if figures else {}


def _lines(figures: Mapping[str, Any]) -> Iterator[str]:
    from lifemask.nodes.truth.expression import ExpressionFigures
    from lifemask.nodes.truth.on_shot import number_text
    from lifemask.plugin.benchmarks.self_figures import DOCS

    docs = DOCS | {f.name: f.metadata["doc"] for f in fields(ExpressionFigures)}
    for name, value in figures.items():
        yield f"{name:26}{number_text(value):>21}  {docs[name]}"
