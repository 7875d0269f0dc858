"""The report of a swap: contact sheet, before/after movie and page."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.nodes import progress
from lifemask.nodes.command import Result
from lifemask.nodes.errors import (
    BrokenFileError,
    MissingFramesError,
    ShotError,
    SizeError,
)
from lifemask.nodes.faceset.coverage_report import known
from lifemask.nodes.html.plots import timeline
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.tracks import people_of
from lifemask.nodes.swap import frames_of
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.frame_ranges import named_range
from lifemask.ocio.media.sequence import Sequence as FrameSequence
from lifemask.ocio.media.source import FrameReader
from lifemask.plugin.reports import contact_sheet
from lifemask.plugin.reports.contact_sheet import Look
from lifemask.plugin.reports.page import Page

if TYPE_CHECKING:
    from lifemask.plugin.reports.contact_sheet import Picture


_ENDS = "_before_after.mp4", "_sheet.png", ".html"


@dataclass
class Walk:
    """The figures kept of each frame in a pass over the whole swap."""

    frames: list[int] = field(default_factory=list)
    area: list[float] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)

    def add(self, look: Look) -> None:
        """Add the area and the confidence of a frame's swap."""
        total = float(look.matte.sum())
        self.frames.append(look.number)
        self.area.append(total)
        sure = float((look.confidence * look.matte).sum())
        self.confidence.append(sure / total if total else 0.0)

    @property
    def swapped(self) -> list[int]:
        """The frames that have a face, or all when none has."""
        found = [frame for frame, area in zip(self.frames, self.area, strict=True) if area > 0]
        return found or self.frames

    @property
    def plot(self) -> str:
        """Confidence and area over the frames."""
        most = max(self.area) or 1.0
        lines = (("area", [area / most for area in self.area]), ("confidence", self.confidence))
        return timeline("by frame", self.frames, lines)


def spread(frames: Sequence[int], count: int) -> list[int]:
    """Return at most ``count`` of ``frames``, the first and the last among them.

    >>> spread(range(1001, 1011), 4)
    [1001, 1004, 1007, 1010]
    """
    if len(frames) <= count or count < 2:
        return list(frames)[: max(1, count)] if count < 2 else list(frames)
    return [frames[round(i * (len(frames) - 1) / (count - 1))] for i in range(count)]


@dataclass(frozen=True)
class Swapped:
    """A swap beside its plate, frame by frame."""

    shot: Shot
    folder: Path
    files: FrameSequence
    plate: FrameReader
    stops: int = 0

    @classmethod
    @contextmanager
    def open(cls, shot: Shot, folder: Path) -> "Iterator[Swapped]":
        """Give the swap in ``folder``, its plate open; raises ShotError when it has no frames."""
        made = frames_of(folder, shot.name)
        plate = _beside(shot, made.frames)
        with plate.open() as reader:
            swap = cls(shot, folder, replace(made, frames=plate.frames), reader)
            middle = plate.frames[len(plate.frames) // 2]
            yield replace(swap, stops=exposure(swap.look(middle)))

    def look(self, number: int) -> Look:
        """Return one frame for display; raises BrokenFileError or SizeError."""
        import numpy as np

        from lifemask.ocio.media.exr import read_channels

        path = self.files.file(number)
        channels, header = read_channels(path)
        try:
            after, raw = (
                np.stack([channels[name + c] for c in "RGB"], axis=-1) for name in ("", "raw.")
            )
            flat = [channels[name + ".V"] for name in ("facematte", "occlusion", "confidence")]
        except KeyError as error:
            raise BrokenFileError(f"{path}: the layer {error} of a swap is not there") from error
        matte, occlusion, confidence = (layer.astype(np.float32) for layer in flat)
        plate = self.plate.read(number).rgb
        if plate.shape != after.shape:
            size, other = (f"{one.shape[1]}x{one.shape[0]}" for one in (after, plate))
            raise SizeError(f"{path}: is {size}, the plate {other}; swap the frame again")
        before, after, raw = (
            self._display(plate, self.shot.colorspace),
            self._display(after, self.space),
            self._display(raw, self.space),
        )
        return Look(
            number, before, after, raw, matte, occlusion, confidence, contact_sheet.plain(header)
        )

    def looks(self) -> Iterator[Look]:
        """Yield each frame."""
        from lifemask.ocio.system.parallel import parallel_map

        frames = self.files.frames
        yield from progress.each(
            parallel_map(self.look, frames, self.plate.ahead), "look", len(frames)
        )

    @property
    def space(self) -> str:
        """The colour space of the result."""
        from lifemask.ocio.colour.transform import result_space

        return result_space(self.shot.colorspace)

    def _display(self, pixels: "Picture", space: str) -> "Picture":
        from lifemask.ocio.colour.transform import WORKING, convert, display

        if not self.stops:
            return display(pixels, space)
        return display(convert(pixels, space, WORKING) * 2.0**self.stops, WORKING)


def _beside(shot: Shot, frames: tuple[int, ...]) -> Footage:
    """Return the plate of the ``frames`` of a swap; note the frames that either of them lacks."""
    wanted: set[int] = set()
    with suppress(MissingFramesError):  # it may be one that is not shown
        wanted.update(shot.plate.frames)
    plate = FrameSequence.find_made(shot.folder / shot.path)[0]
    both = tuple(sorted({*frames} & {*plate.frames}))
    if not both:
        there = named_range(frames)
        raise ShotError(f"{plate.path}: has none of the frames {there} of the swap")
    reasons = {"not swapped": wanted - {*both}, "not the plate's": {*frames} - {*both}}
    for why, lacking in reasons.items():
        if lacking:
            progress.note("look", f"frames {named_range(sorted(lacking))} are {why}")
    return Footage(replace(plate, frames=both, layer=shot.layer), shot.colorspace)


def exposure(look: Look) -> int:
    """Return the stops that bring a far under- or overexposed face to a visible level."""
    import numpy as np

    face = look.before[look.matte > 0.5]
    level = float(np.median(face)) if len(face) else 0.5
    stops = round(2.2 * math.log2(0.46 / max(level, 1e-3)))
    return stops if abs(stops) > 1 else 0


def make(swap: Swapped, folder: Path, count: int, expression: bool = True) -> Result:
    """Write sheet, movie and page of ``swap`` into ``folder``, and return their paths.

    With ``expression`` the page has its curves: the swap is tracked for them.
    """
    from lifemask.ocio.media.movie_writer import write_movie
    from lifemask.ocio.system.atomic import replacing

    title = swap.folder.name
    walk = Walk()
    movie, sheet, page = made = [folder / f"{title}{end}" for end in _ENDS]
    write_movie(movie, _pairs(swap, walk), swap.shot.fps)
    chosen = [swap.look(number) for number in spread(walk.swapped, count)]
    picture = contact_sheet.contact_sheet(chosen, f"{swap.shot.name}   {title}")
    contact_sheet.save(sheet, picture)
    hero = chosen[len(chosen) // 2]
    report = Page(
        title=f"{swap.shot.name}  {title}",
        frame=hero.number,
        before=contact_sheet.bytes_of(hero.before),
        after=contact_sheet.bytes_of(hero.after),
        sheet=contact_sheet.bytes_of(picture),
        movie=movie.read_bytes(),
        timeline=walk.plot,
        expression=_expression(swap, hero) if expression else "",
        facts=_facts(swap, walk),
        provenance={k: v for k, v in hero.header.items() if k != "matrix"},
        coverage={
            name: report for name in swap.shot.performers if (report := known(swap.shot, name))
        },
    )
    with replacing(page) as temporary:
        temporary.write_text(report.html(), encoding="utf-8")
    _remove_older(folder, made)
    return {"sheet": sheet, "movie": movie, "page": page}


def _expression(swap: Swapped, hero: Look) -> str:
    from lifemask.plugin.reports.expression_curves import curves

    known = people_of(swap.shot)
    people = [name for name in hero.header.get("people", "").split(", ") if name in known]
    return curves(swap.shot, Footage(swap.files, swap.space), people)


def _remove_older(folder: Path, made: list[Path]) -> None:
    """Remove the files of a replaced look, which may be of another swap."""
    for end in _ENDS:
        for file in set(folder.glob(f"*{end}")) - set(made):
            file.unlink()


def _pairs(swap: Swapped, walk: Walk) -> "Iterator[Picture]":
    for look in swap.looks():
        walk.add(look)
        yield contact_sheet.side_by_side(look)


def _facts(swap: Swapped, walk: Walk) -> dict[str, str]:
    lost = len(walk.frames) - sum(area > 0 for area in walk.area)
    return {
        "frames": named_range(walk.frames),
        "at": f"{swap.shot.fps:g} fps",
        "in": swap.space,
        "without a face": str(lost),
        **({"shown at": f"{swap.stops:+d} stops"} if swap.stops else {}),
    }
