"""Plan a shot, from the likeness, the performance and the plate's subject."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from hashlib import sha256
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.errors import FaceError
from lifemask.nodes.faces import topology
from lifemask.nodes.faces.face_space import Placed
from lifemask.nodes.faces.runs import runs
from lifemask.nodes.faces.velocity import unshown
from lifemask.nodes.faceset.gaps import faded
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.head.performed import played
from lifemask.nodes.likeness import Likeness
from lifemask.nodes.performance import Performance
from lifemask.nodes.plate_subject import PlateSubject
from lifemask.nodes.render.atlas import Floats, atlas, coarse
from lifemask.nodes.render.descriptors import FaceDescriptors, descriptors
from lifemask.nodes.render.folds import FOLDING
from lifemask.nodes.render.shape import posed
from lifemask.nodes.render.source_bank import FACE, SourceBank, shortest_path
from lifemask.nodes.render.warp import Opening
from lifemask.nodes.swap.calm_face import calm_face
from lifemask.nodes.swap.comparison import Compared
from lifemask.nodes.swap.fold_amounts import beyond, mixed
from lifemask.nodes.swap.openings import matched, misfits, teeth, unmatched, unopened
from lifemask.nodes.swap.plan import VERSION, FramePlan, ShotPlan
from lifemask.nodes.swap.steady import Runs, beside, steady, steady_light

_SHOWN = [*topology.INNER_LIPS, *topology.RIGHT_EYE, *topology.LEFT_EYE]
_APART = 0.05  # centimetres: a performance that is so far from the plate's own is another
_CHUNK = 16  # faces whose textures are in memory at once
_MIX = (0.25, 0.5, 0.25)  # how a change of picture is spread over neighbouring frames


@dataclass(frozen=True, eq=False)
class WholeShotPlanner:
    """Chooses the pictures of all frames at once, so that a frame is the same in any range.

    ``shutter`` is the angle of plate and takes in degrees. ``excluded`` (faces, pictures) marks
    pictures that may not serve a face.
    """

    shutter: float
    excluded: "NDArray[np.bool_] | None" = None

    def made_of(self, performance: Performance, subject: PlateSubject, likeness: Likeness) -> str:
        """Return a digest of the numbers that the plan is made of; pictures are not read for it."""
        knobs = [VERSION, version("lifemask"), self.shutter, subject.size]
        found = sha256(json.dumps(knobs).encode())
        for value in (performance, subject, subject.posed, likeness, likeness.posed, self):
            for array in _arrays(value):
                found.update(f"{array.dtype.str} {array.shape}".encode())
                found.update(array.tobytes())
        return found.hexdigest()

    def __call__(
        self, performance: Performance, subject: PlateSubject, likeness: Likeness
    ) -> ShotPlan:
        """Return the plan to put the ``likeness`` in the ``subject``'s place.

        Raises FaceError when the performance has none of the subject's frames.
        """
        if not np.isin(subject.posed.frame, performance.frame).any():
            raise FaceError(
                f"{performance.source}: is a performance of other frames than the plate's"
            )
        planning = _Planning(self, performance, subject, likeness)
        return ShotPlan(
            made_of=self.made_of(performance, subject, likeness),
            size=subject.size,
            detail=subject.posed.detail,
            albedo=likeness.albedo,
            subject_albedo=subject.albedo,
            identity=likeness.identity,
            teeth=planning.teeth,
            calm=calm_face(likeness.textures, likeness.posed),
            subject_calm=calm_face(subject.textures, subject.posed),
            frames=tuple(planning.frames()),
        )


def _arrays(value: object) -> Iterator[NDArray[np.generic]]:
    """The arrays of a value, without the readers of pictures."""
    members = (getattr(value, f.name) for f in fields(value))  # type: ignore[arg-type]
    return (member for member in members if isinstance(member, np.ndarray))


@dataclass(frozen=True, eq=False)
class _Chosen:
    """For T frames: ``paths`` of a picture each by region, and how these are brought to the plate.

    ``mouth`` is the share of the subject's own and ``interior`` that of the head model's,
    ``openings`` has the rows (T, 7) of `openings.matched`, and ``light`` is (T, 3, 64, 64), log.
    """

    paths: dict[str, list[int]]
    mouth: list[float]
    interior: list[float]
    openings: dict[str, Floats]
    light: Floats


class _Planning:
    """One run of a planner."""

    def __init__(
        self,
        planner: WholeShotPlanner,
        performance: Performance,
        subject: PlateSubject,
        likeness: Likeness,
    ) -> None:
        self.subject, self.own, self.likeness = subject, subject.posed, likeness
        self.performance = performance.at(self.own.frame)
        self.shutter, self.excluded = planner.shutter / 360, planner.excluded
        self.runs: Runs = runs(self.own.take, self.own.frame, self.own.landmarks, max_missing=1)
        neutral = likeness.posed.neutral
        self.shapes = played(self.performance, neutral, self.own)
        self.unseen = self._unseen()
        shown = likeness.posed.shape - neutral, likeness.posed.coefficients
        everyone = range(len(likeness))
        hidden = likeness.posed.hidden
        self.faces = descriptors(likeness.textures, likeness.posed, shown, hidden, everyone)
        self.teeth = teeth(self.faces)

    def frames(self) -> Iterator[FramePlan]:
        """Choose the pictures, and yield the plan of each frame."""
        chosen, targets, tone = self._chosen(), self._targets(), self._tone()
        for index in range(len(self.own)):
            yield self._frame(index, chosen, targets[index], tone)

    def _unseen(self) -> NDArray[np.bool_]:
        """In which frames (T,) the plate's eyes and mouth do not show what is played."""
        own = self.own
        apart = self.shapes - self.likeness.posed.neutral - (own.shape - own.neutral)
        far = np.linalg.norm(apart[:, _SHOWN], axis=-1).mean(1) > _APART
        return np.asarray(own.hidden | far)

    def _frame(self, index: int, chosen: "_Chosen", target: Floats, tone: Floats) -> FramePlan:
        own, subject = self.own, self.subject
        pictures = {name: self._mixed(path, index) for name, path in chosen.paths.items()}
        return FramePlan(
            index=index,
            frame=int(own.frame[index]),
            landmarks=target,
            subject=own.landmarks[index],
            scale=float(own.scale[index]),
            centre=own.centre[index],
            motion=self._motion(index, pictures[FACE]),
            matrix=subject.matrix[index],
            pedestal=subject.pedestal[index],
            light=chosen.light[index],
            tone=tone,
            mouth=chosen.mouth[index],
            reduction=self._reduction(index, chosen.paths[FACE][index]),
            confidence=self._confidence(index),
            pictures=pictures,
            openings={name: Opening.of(table[index]) for name, table in chosen.openings.items()},
            gaze=self.performance.gaze[index],
            gaze_turn=np.zeros(2, np.float32),
            coefficients=self.performance.coefficients[index],
            interior=chosen.interior[index],
            **self._folds(index, pictures[FACE]),
        )

    def _folds(self, index: int, shares: dict[int, float]) -> dict[str, dict[str, float]]:
        """The shares of the pictures' folds that go, and of the subject's that come."""
        shown = mixed(self.likeness.posed.coefficients, shares)
        played = self.performance.coefficients[index]
        added = dict.fromkeys(FOLDING, 0.0) if self.unseen[index] else beyond(played, shown)
        return {"removed_folds": beyond(shown, played), "added_folds": added}

    def _chosen(self) -> "_Chosen":
        albedo = torch.from_numpy(self.likeness.albedo).to(device())
        motions = torch.from_numpy(landmark_model().motions).to(device())
        bank = SourceBank(self.faces, albedo, motions, self.shutter, self.own.detail)
        seen, changes = self._compared(bank), bank.changes()
        paths = {name: self._path(cost, changes[name]) for name, cost in seen.costs.items()}
        mouth = steady(self._faded(misfits(seen.misfit, paths["mouth"])), self.runs)[:, 0]
        return _Chosen(
            {name: path.tolist() for name, path in paths.items()},
            mouth.tolist(),
            self._interior(paths["mouth"]).tolist(),
            {name: self._opened(name, paths[name], *both) for name, both in seen.openings.items()},
            steady_light(seen.light, self.runs),
        )

    def _interior(self, path: Tensor) -> Tensor:
        """The share (T,) of the head model's mouth, where neither plate nor picture shows one."""
        shown = self.likeness.posed.shape[path.cpu().numpy()]
        lacking = unopened(self.shapes, shown) * self.unseen
        return steady(torch.from_numpy(lacking).to(path.device)[:, None], self.runs)[:, 0]

    def _compared(self, bank: SourceBank) -> Compared:
        count = len(self.own)
        starts = range(0, count, _CHUNK)
        steps = progress.each(starts, "choose", len(starts))
        chunks = (range(start, min(start + _CHUNK, count)) for start in steps)
        return Compared.joined([Compared.of(bank, self._subject(chunk)) for chunk in chunks])

    def _subject(self, chunk: range) -> FaceDescriptors:
        motion = self.shapes - self.likeness.posed.neutral
        played = motion, self.performance.coefficients
        return descriptors(self.subject.textures, self.own, played, self.unseen, chunk)

    def _path(self, costs: Tensor, changes: Tensor) -> Tensor:
        """The picture for each frame, (T,)."""
        if self.excluded is not None:
            costs = costs.masked_fill(torch.from_numpy(self.excluded).to(costs.device), torch.inf)
        return torch.cat([shortest_path(costs[run], changes) for run in self.runs])

    def _faded(self, table: Tensor, rest: Tensor | None = None) -> Tensor:
        """``table`` (T, C), which goes over to ``rest``, or 0, where the plate does not show it."""
        rest = torch.zeros_like(table) if rest is None else rest
        return faded(table, rest, self.unseen)

    def _opened(self, name: str, path: Tensor, dark: Tensor, bright: Tensor) -> Floats:
        """The rows (T, 7) of `openings.matched`, steady in time."""
        table = matched(name, self.faces, path, dark, bright)
        opened = steady(self._faded(table, unmatched(table)), self.runs)
        return np.asarray(opened.cpu().numpy(), np.float32)

    def _targets(self) -> Floats:
        """Landmarks (T, 478, 3) of the likeness in the plate."""
        own = self.own
        return posed(Placed(self.shapes, own.scale, own.rotation, own.centre))

    def _tone(self) -> Floats:
        """The grade from the likeness's complexion to the subject's: (3,), log."""
        skin = coarse(atlas().skin)[0, 0].to(device()) > 0.5
        both = (self.subject.albedo, self.likeness.albedo)
        subject, likeness = (torch.from_numpy(albedo).to(device()) for albedo in both)
        tone = (subject - likeness)[:, skin].median(1).values
        return np.asarray(tone.cpu().numpy(), np.float32)

    def _mixed(self, path: list[int], index: int) -> dict[int, float]:
        """The pictures around a frame and their shares, so that none comes or goes in one frame."""
        shares: dict[int, float] = {}
        for offset, share in enumerate(_MIX, -(len(_MIX) // 2)):
            picture = path[beside(self.runs, index, offset)]
            shares[picture] = shares.get(picture, 0.0) + share
        return shares

    def _motion(self, index: int, shares: dict[int, float]) -> Floats:
        """The landmarks' motion while the shutter is open, less the blur in the pictures."""
        own, likeness = self.own, self.likeness.posed
        shown = sum(share * float(likeness.speed[i]) for i, share in shares.items())
        lacking = unshown(float(own.speed[index]), shown)
        return np.asarray(own.velocity[index] * self.shutter * lacking, np.float32)

    def _reduction(self, index: int, picture: int) -> float:
        return float(self.likeness.scale[picture] / self.own.scale[index])

    def _confidence(self, index: int) -> float:
        """How surely the face is where it is put: less where the subject is mostly hidden."""
        return float(self.own.confidence[index]) if self.own.hidden[index] else 1.0
