"""One role of a swap, planned over its frames: which pictures, where, in what light."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.faces.face_space import FACE_WIDTH
from lifemask.nodes.faces.runs import runs
from lifemask.nodes.faces.temporal_filter import smoothed
from lifemask.nodes.faces.velocity import unshown
from lifemask.nodes.faceset.gaps import faded
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import atlas, coarse, openings
from lifemask.nodes.render.descriptors import (
    FaceDescriptors,
    descriptors,
    descriptors_and_line,
    luminance,
)
from lifemask.nodes.render.shape import Placed, target_mesh
from lifemask.nodes.render.source_bank import POINTS, SourceBank, shortest_path
from lifemask.nodes.render.warp import Opening, Source, prepared
from lifemask.ocio.colour.transform import finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.swap import Role, Swap

    Floats = NDArray[np.float32]

_CHUNK = 16
_HELD = 12  # pictures of the likeness in memory
_LOOKED = 8  # of the double's: a few frames are made at once, each with its neighbours
_MIX = (0.25, 0.5, 0.25)  # how a change of picture is spread over neighbouring frames
_STEADY = 1.5  # frames: sigma of what smooths openings and mouths in time
_LIGHT_SHARES = (0.5, 0.25, 0.25)  # of a frame, the one before, the one after
_OTHER_LIGHT = 0.3 * STOP  # between neighbours: from where on a light is no longer the same
# A dark-eyed double says little of how much contrast is in light eyes.
_CONTRAST = {"mouth": (0.7, 1.8), "right_eye": (0.7, 1.4), "left_eye": (0.7, 1.4)}
_MOST_LIFT = 0.12  # log
_MISFIT = (0.03, 0.06)  # log: from where on a mouth is unlike the double's, and is not used
_TEETH = 0.08  # log between dark and bright: from where on an open mouth shows teeth


@dataclass(frozen=True)
class FramePlan:
    """What one frame of a role needs."""

    index: int  # in the double's faceset
    landmarks: "Floats"  # (478, 3) of the likeness in the plate
    double: "Floats"  # (478, 3) of the double in the plate
    travel: "Floats"  # (478, 2) plate pixels while the shutter is open that no picture shows yet
    matrix: "Floats"  # (2, 3), plate to face space
    pedestal: "Floats"  # (3,), by what the plate is raised while the face is made
    pictures: dict[str, dict[int, float]]  # region: picture: share
    openings: dict[str, Opening]
    mouth: float  # share of the double's own mouth between the lips
    reduction: float

    @property
    def used(self) -> set[int]:
        """All pictures that serve the frame."""
        return {picture for shares in self.pictures.values() for picture in shares}


class ShotPlan:
    """A role, planned: `at` gives what a frame needs, None where the person is not seen."""

    def __init__(
        self, swap: "Swap", role: "Role", barred: "NDArray[np.bool_] | None" = None
    ) -> None:
        """Choose the pictures for all of the double's frames.

        So a frame comes out the same in whatever range it is rendered. ``barred`` (doubles,
        likenesses) says which pictures may not serve which frame.
        """
        self.role = role
        self._cached = lru_cache(maxsize=_HELD)(self._load)
        self._looked = lru_cache(maxsize=_LOOKED)(
            lambda index: descriptors_and_line(role.double, index)
        )
        faces = role.double.faces
        self._places = {int(frame): index for index, frame in enumerate(faces.frame)}
        self._runs = runs(faces.take, faces.frame, faces.landmarks, max_missing=1)
        self._barred = barred
        self._shutter = swap.shutter / 360
        self._likeness = descriptors(role.likeness, range(len(role.likeness)))
        self.albedo = torch.from_numpy(role.likeness.faces.albedo).to(device())
        self.double_albedo = torch.from_numpy(role.double.faces.albedo).to(device())
        inside = [coarse(map_) for map_ in openings().values()]
        # The normals inside of mouth and eyes say nothing about how well they were seen.
        self._openings = torch.cat(inside, 1).amax(1, keepdim=True).to(device())
        self._choose()
        self._adjust(swap)

    def adjusted(self, swap: "Swap", role: "Role") -> "ShotPlan":
        """Return the plan under other knobs, in a role of the same facesets: no choice changes."""
        plan = copy(self)
        plan.role = role
        plan._adjust(swap)
        return plan

    def _adjust(self, swap: "Swap") -> None:
        self._place(swap)
        self._mouths = np.asarray(
            self._steady(self._misfit * swap.mouth)[:, 0].cpu().numpy(), np.float32
        )
        self.tone = self._tone() + swap.exposure * STOP

    def _place(self, swap: "Swap") -> None:
        own, likeness = self.role.double.faces, self.role.likeness.faces
        placed = Placed(own.shape, own.scale, own.rotation, own.centre)
        target = target_mesh(own.neutral, likeness.neutral, placed)
        self._landmarks = _adjusted(target, placed, swap)

    def _choose(self) -> None:
        """One picture for each frame and region, and how bright its openings are to be."""
        detail = self.role.double.detail
        bank = SourceBank(self._likeness, self.albedo, self._shutter, detail)
        rows: dict[str, list[Tensor]] = {name: [] for name in POINTS}
        seen: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in openings()}
        misfits: list[Tensor] = []
        for chunk in progress.each(self._read(), "choose", -(-len(self.role.double) // _CHUNK)):
            for name, cost in bank.costs(chunk).items():
                rows[name].append(cost)
            misfits.append(bank.misfit("mouth", chunk))
            for name in seen:
                seen[name].append(chunk.opening(name))
        changes = bank.changes()
        self._paths = {
            name: self._path(torch.cat(cost), changes[name]) for name, cost in rows.items() if cost
        }
        self._misfit = self._misfits(torch.cat(misfits))
        self._fixes = {
            name: self._fix(name, *map(torch.cat, zip(*parts, strict=True)))
            for name, parts in seen.items()
            if parts
        }

    def _path(self, costs: Tensor, changes: Tensor) -> "NDArray[np.int64]":
        """The picture for each frame, (T,)."""
        if self._barred is not None:
            costs = costs.masked_fill(torch.from_numpy(self._barred).to(costs.device), torch.inf)
        paths = [shortest_path(costs[run], changes) for run in self._runs]
        return np.asarray(torch.cat(paths).cpu().numpy(), np.int64)

    def _misfits(self, table: Tensor) -> Tensor:
        """How unlike the double's mouth the chosen picture's is, (T, 1), 0..1, of (T, faces)."""
        chosen = torch.from_numpy(self._paths["mouth"]).to(table.device)
        low, high = _MISFIT
        misfit = ((table.gather(1, chosen[:, None]) - low) / (high - low)).clamp(0, 1)
        return faded(misfit, torch.zeros_like(misfit), self.role.double.bridged)

    def _read(self) -> Iterator[FaceDescriptors]:
        indices = range(len(self.role.double))
        for start in indices[::_CHUNK]:
            yield descriptors(self.role.double, indices[start : start + _CHUNK])

    def _fix(self, name: str, dark: Tensor, bright: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Contrast (T,), pivot (T, 3) and lift (T, 3) of an opening, steady in time."""
        own_dark, own_bright = self._likeness.opening(name)
        chosen = torch.from_numpy(self._paths[name]).to(dark.device)
        span = _grey(bright) - dark
        own_span = _grey(own_bright[chosen]) - own_dark[chosen]
        contrast = ((span + 0.02) / (own_span + 0.02)).clamp(*_CONTRAST[name])
        lift = (bright - own_bright[chosen]).clamp(-_MOST_LIFT, _MOST_LIFT)
        if name == "mouth":
            lift = lift * (span / _TEETH).clamp(0, 1)[:, None]
        table = torch.cat([contrast[:, None], own_bright[chosen], lift], 1)
        rest = torch.cat([torch.ones_like(table[:, :1]), table[:, 1:4], torch.zeros_like(lift)], 1)
        steady = self._steady(faded(table, rest, self.role.double.bridged))
        return steady[:, 0], steady[:, 1:4], steady[:, 4:]

    def _steady(self, table: Tensor) -> Tensor:
        """``table`` (T, C) smoothed in time."""
        return torch.cat([smoothed(table[run], _STEADY) for run in self._runs])

    def _tone(self) -> Tensor:
        """What takes the likeness's complexion to the double's: (3,), log."""
        skin = coarse(atlas().skin)[0, 0].to(device()) > 0.5
        return (self.double_albedo - self.albedo)[:, skin].median(1).values

    def at(self, frame: int) -> FramePlan | None:
        """What ``frame`` needs, None where the person is not seen."""
        index = self._places.get(frame)
        return None if index is None else self.of_face(index)

    def of_face(self, index: int) -> FramePlan:
        """What the double's face ``index`` needs."""
        own, likeness = self.role.double.faces, self.role.likeness.faces
        pictures = {name: self._mixed(path, index) for name, path in self._paths.items()}
        chosen = int(self._paths["face"][index])
        native = likeness.scale[chosen] * np.linalg.norm(likeness.matrix[chosen, 0, :2])
        fixes = {
            name: Opening(float(c[index]), b[index], lift[index])
            for name, (c, b, lift) in self._fixes.items()
        }
        return FramePlan(
            index,
            self._landmarks[index],
            own.landmarks[index],
            self._travel(index, pictures["face"]),
            own.matrix[index],
            own.pedestal[index],
            pictures,
            fixes,
            float(self._mouths[index]),
            float(native / own.scale[index]),
        )

    def _travel(self, index: int, shares: dict[int, float]) -> "Floats":
        """How far the landmarks go while the shutter is open, less what the pictures show of it."""
        own, likeness = self.role.double, self.role.likeness
        shown = sum(share * float(likeness.speed[i]) for i, share in shares.items())
        lacking = unshown(float(own.speed[index]), shown)
        return np.asarray(own.faces.velocity[index] * self._shutter * lacking, np.float32)

    def surety(self, frame_plan: FramePlan) -> float:
        """How surely the face is where it is put, 0..1: less where it is mostly hidden."""
        hidden = self.role.double.bridged[frame_plan.index]
        return float(self.role.double.faces.confidence[frame_plan.index]) if hidden else 1.0

    def line(self, frame_plan: FramePlan) -> Tensor:
        """What is thin and in front of the double, (1, 1, 256, 256)."""
        return self._looked(frame_plan.index)[1]

    def _mixed(self, path: "NDArray[np.int64]", index: int) -> dict[int, float]:
        """The pictures around a frame and their shares, so that none comes or goes in one frame."""
        shares: dict[int, float] = {}
        for offset, share in enumerate(_MIX, -(len(_MIX) // 2)):
            picture = int(path[self._beside(index, offset)])
            shares[picture] = shares.get(picture, 0.0) + share
        return shares

    def _beside(self, index: int, offset: int) -> int:
        """The face ``offset`` frames on, as far as the stretch goes."""
        run = next(run for run in self._runs if run.start <= index < run.stop)
        return int(min(max(index + offset, run.start), run.stop - 1))

    def sources(self, frame_plan: FramePlan) -> dict[str, list[tuple[float, Source]]]:
        """The pictures that a frame_plan names, with their shares."""
        step = round(frame_plan.reduction * 8) / 8
        return {
            name: [(share, self._cached(i, step)) for i, share in shares.items()]
            for name, shares in frame_plan.pictures.items()
        }

    def _load(self, index: int, reduction: float) -> Source:
        picture = finite(self.role.likeness.face(index)[..., :3])
        landmarks = self.role.likeness.face_landmarks[index]
        own = slice(index, index + 1)
        valid = torch.maximum(self._likeness.valid[own], self._openings)
        return Source(prepared(picture, reduction), landmarks, self._likeness.light[own], valid)

    def double(self, frame_plan: FramePlan) -> FaceDescriptors:
        """The double's own face in this frame, the light on it steadied by its neighbours'.

        A neighbour in another light, as beside a flash, has no say.
        """
        around = (self._beside(frame_plan.index, offset) for offset in (0, -1, 1))
        seen = [self._looked(index)[0] for index in around]
        lights = torch.stack([look.light for look in seen])
        apart = (lights - lights[0]).abs().mean((1, 2, 3, 4)) / _OTHER_LIGHT
        shares = torch.tensor(_LIGHT_SHARES).to(lights) / (1 + apart**4)
        light = torch.einsum("f,fnchw->nchw", shares / shares.sum(), lights)
        return replace(seen[0], light=light)


@dataclass(frozen=True)
class _Wanted:
    """A plan to plan, known by the files of its facesets and the one knob that chooses."""

    files: tuple[tuple[str, int, int, int], ...]
    shutter: float
    swap: "Swap" = field(compare=False)
    role: "Role" = field(compare=False)


def planned(swap: "Swap", role: "Role") -> ShotPlan:
    """Return the plan of a role; one that was planned before in this process is not again."""
    files = tuple(faceset.identity for faceset in (role.likeness, role.double))
    return _planned(_Wanted(files, swap.shutter, swap, role)).adjusted(swap, role)


@lru_cache(maxsize=2)
def _planned(wanted: _Wanted) -> ShotPlan:
    return ShotPlan(wanted.swap, wanted.role)


def _grey(colour: Tensor) -> Tensor:
    """Luminance (N,) of colours (N, 3)."""
    return luminance(colour[..., None, None])[:, 0, 0]


def _adjusted(landmarks: "Floats", placed: Placed, swap: "Swap") -> "Floats":
    """Landmarks (N, 478, 3) scaled, turned and moved by the artist's knobs about the middle."""
    angle = np.deg2rad(swap.turn)
    linear = swap.scale * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    width = placed.scale * FACE_WIDTH
    result = landmarks - placed.centre[:, None]
    result[..., :2] = result[..., :2] @ linear.T
    result[..., 2] *= swap.scale
    shift = np.stack([width * swap.move_x, width * swap.move_y, 0 * width], 1) / 100
    return (result + (placed.centre + shift)[:, None]).astype(np.float32)
