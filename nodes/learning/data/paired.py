"""Paired data: examples of renders whose perfect swap was rendered, too.

A corpus holds ``SHOT/PERSON`` folders, each with a scene-linear ``beauty/beauty.####.exr`` that
names its colour space, and ``mattes/mattes.####.exr`` with the exact matte ``face``. Beside a plate
``SHOT/B``, ``SHOT/A_on_B`` is its perfect swap by A; both ways are learned. A person's other shots
are the takes. What the takes of A show and ``A_on_B`` does not, a beard, must not be among them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, FaceError, KnobError
from lifemask.nodes.faces.face_space import crop as cut
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.learning.augment.beards import AlbedoChange
from lifemask.nodes.learning.augment.source_dropout import DROPOUTS
from lifemask.nodes.learning.data.examples import (
    Batch,
    Kind,
    aligned_example,
    evenly_spaced,
    log_picture,
)
from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.render.warp import View
from lifemask.nodes.swap import Swap
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING, convert
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media.source import FrameSource

_ON = "_on_"
_KNOWN = 0.4  # share of the doubles whose albedo comes from other takes, too


@dataclass(frozen=True)
class Pair:
    """A ``plate`` of the ``double``, and its perfect swap by the ``likeness``, ``truth``."""

    plate: Path
    truth: Path
    likeness: str
    double: str

    @property
    def name(self) -> str:
        """A name that no other pair has."""
        return f"{self.plate.parent.name}.{self.plate.name}"

    @property
    def frames(self) -> list[str]:
        """The plate's frames, as its files name them."""
        return sorted(file.suffixes[-2] for file in (self.plate / "beauty").glob("beauty.*.exr"))

    def check(self) -> None:
        """Raise BrokenFileError unless every frame has its truth and its matte."""
        for frame in self.frames:
            truth = self.truth / "beauty" / f"beauty{frame}.exr"
            for file in (truth, self.plate / "mattes" / f"mattes{frame}.exr"):
                if not file.exists():
                    raise BrokenFileError(f"{file}: there is no such file")


@dataclass(frozen=True)
class Corpus:
    """The pairs in a ``folder``; their facesets are made once and kept in ``facesets``.

    Several corpora may share that folder, even where their people have the same names.
    """

    folder: Path
    facesets: Path

    @cached_property
    def pairs(self) -> list[Pair]:
        """All pairs, both ways.

        Raises FaceError when there are none, BrokenFileError when the folder is missing or a pair
        is not complete: both before any faceset is made, which takes long.
        """
        if not self.folder.is_dir():
            raise BrokenFileError(f"{self.folder}: there is no such folder")
        truths = (path for path in self.folder.glob(f"*/*{_ON}*") if path.is_dir())
        found = [pair for truth in sorted(truths) for pair in self._both_ways(truth)]
        if not found:
            raise FaceError(f"{self.folder}: no SHOT/A_on_B beside a SHOT/B, with takes of both")
        for pair in found:
            pair.check()
        return found

    def count(self, most: int) -> int:
        """Return how many `examples` there are at most."""
        return len(DROPOUTS) * sum(min(len(pair.frames), _frames(most)) for pair in self.pairs)

    def _both_ways(self, truth: Path) -> list[Pair]:
        """The pairs of ``A_on_B`` and ``B``; none, which is reported, when something is missing."""
        likeness, _, double = truth.name.partition(_ON)
        plate = truth.parent / double
        # A name that contains the separator has no takes.
        if (plate / "beauty").is_dir() and self._takes(likeness) and self._takes(double):
            return [Pair(plate, truth, likeness, double), Pair(truth, plate, double, likeness)]
        needs = f"{double!r} beside it and takes of {likeness!r} and {double!r} are needed"
        progress.note("pairs", f"{truth}: skipped; {needs}")
        return []

    def _takes(self, person: str) -> list[Path]:
        own = (beauty.parent for beauty in self.folder.glob(f"*/{person}/beauty"))
        return sorted(take for take in own if not any(take.parent.glob(f"*{_ON}*")))

    def examples(self, size: int, seed: int, most: int) -> Iterator[Batch]:
        """Yield up to ``most`` examples of each pair, in crops of ``size`` pixels."""
        for pair in progress.each(self.pairs, "pairs", len(self.pairs)):
            try:
                random = np.random.default_rng([seed, *pair.name.encode()])
                yield from self._of(pair, size, random, _frames(most))
            except FaceError as error:
                progress.note("pairs", f"{pair.name}: skipped; {error}")

    def _of(self, pair: Pair, size: int, random: np.random.Generator, most: int) -> Iterator[Batch]:
        likeness, known = self._person(pair.likeness), self._person(pair.double)
        for dropout in DROPOUTS:
            other = known if random.random() < _KNOWN else None
            double = self._double(pair, other)
            excluded = dropout(likeness, len(double), random)
            # The frames of a take are too far apart for motion blur.
            planned = PlannedSwap.of(likeness, double, Swap(shutter_angle=0), excluded)
            albedo_change = AlbedoChange.drawn(random)
            for index in evenly_spaced(len(double), most):
                yield self._one(pair, planned, index, size, albedo_change)

    def _double(self, pair: Pair, other: FaceSet | None) -> FaceSet:
        """The double's faceset: of the plate alone, or with the albedo of ``other`` takes."""
        name = f"{pair.name}.known" if other else f"{pair.name}.double"
        return self._faceset(name, [pair.plate], True, other)

    def _person(self, name: str) -> FaceSet:
        """The faceset of all takes of a person."""
        return self._faceset(name, self._takes(name), False)

    @torch.inference_mode()
    def _one(
        self, pair: Pair, planned: PlannedSwap, index: int, size: int, albedo_change: AlbedoChange
    ) -> Batch:
        frame, meshes, window = planned.in_face_space(index)
        plate = albedo_change.on(planned.plate_picture(index), View.of_mesh(meshes.own, window))
        albedo, light = (known.cpu().numpy() for known in albedo_change.known())
        changed = planned.with_subject(planned.plan.subject_albedo + albedo)
        lit = replace(frame, light=frame.light + light)
        passes = changed.passes(lit, meshes, window, plate)
        crop = Crop.of_face_space(window.x1, size)
        matrix = planned.plan.frames[index].matrix

        def seen(take: Path, what: str) -> Tensor:
            return _taken(take, what, frame.frame, matrix, window.x1)

        right = seen(pair.plate, "face")
        weight = right * seen(pair.truth, "face")
        return aligned_example(
            passes, crop, seen(pair.truth, "beauty"), weight, right, Kind.RENDERED
        )

    def _faceset(
        self, name: str, takes: list[Path], every_frame: bool, other: FaceSet | None = None
    ) -> FaceSet:
        """The faceset of ``takes``, made when it is missing."""
        folder = self.facesets / name
        if folder.is_dir():
            kept = FaceSet.load(folder)
            made_of = [Path(file).parent.parent.resolve() for file in kept.takes]
            if made_of == [take.resolve() for take in takes]:
                return kept
            # It is of another corpus, or of takes that have moved since.
            folder = self.facesets / f"{name}.{_mark(takes)}"
            if folder.is_dir():
                return FaceSet.load(folder)
        plates: list[FrameSource] = [_plate(take) for take in takes]
        tracks = [self._track(plate, take) for plate, take in zip(plates, takes, strict=True)]
        node = Faceset(every_frame=every_frame, min_size=24)
        return node(plates, tracks, name, folder, other)

    def _track(self, plate: FrameSource, take: Path) -> FaceTrack:
        name = f"{take.parent.name}.{take.name}.{_mark([take])}.safetensors"
        path = self.facesets / "tracks" / name
        if not path.exists():
            # The frames of a take are too far apart to steady each other.
            Track(smooth=0, min_frames=1)(plate)[0].save(path)
        return FaceTrack.load(path)


def corpora(folders: list[Path], facesets: Path | None) -> list[Corpus]:
    """Return those in ``folders``; raises KnobError when there are some and no ``facesets``."""
    if not folders:
        return []
    if facesets is None:
        raise KnobError("facesets: name a folder that keeps the facesets of the pairs")
    return [Corpus(folder, facesets) for folder in folders]


def _frames(most: int) -> int:
    """How many frames of a pair are learned from, each with all `DROPOUTS`."""
    return max(1, most // len(DROPOUTS))


def _mark(takes: list[Path]) -> str:
    """A hash that distinguishes takes from others of the same names."""
    return sha256("\n".join(str(take.resolve()) for take in takes).encode()).hexdigest()[:12]


def _plate(take: Path) -> Footage:
    # A faceset records its takes: the working folder of the next run must not matter.
    beauty = Sequence.find(take.absolute() / "beauty" / "beauty.####.exr")
    return Footage(beauty, tagged_space(beauty) or LINEAR_SRGB)


def _taken(take: Path, what: str, frame: int, matrix: Floats, size: int) -> Tensor:
    """Picture, log, or face matte of a take, in face space: (1, C, size, size)."""
    if what == "beauty":
        plate = _plate(take)
        rgb = cut(read(plate.sequence, frame).rgb, matrix, size)
        return log_picture(convert(rgb, plate.colorspace, WORKING))
    path = take / "mattes" / f"mattes.{frame:04d}.exr"
    planes, _ = exr.read_channels(path)
    matte = next((p for name, p in planes.items() if name.partition(".")[0] == what), None)
    if matte is None:
        raise BrokenFileError(f"{path}: the matte {what} is not there")
    moved = cut(np.asarray(matte, np.float32), matrix, size)
    return torch.from_numpy(moved)[None, None].clamp(0, 1)
