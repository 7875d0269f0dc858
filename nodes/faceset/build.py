"""Build a faceset: read, crop, unwrap, filter, and solve for shape, albedo and light."""

import math
import shutil
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.errors import FaceError, Remedy, VersionExistsError
from lifemask.nodes.faces.face_space import FACE_WIDTH, Placed, matrices, moved, native_size
from lifemask.nodes.faces.runs import runs
from lifemask.nodes.faces.velocity import velocities
from lifemask.nodes.faceset.cropping import cut_out, face_matte
from lifemask.nodes.faceset.files import Faces, FaceSet, reasons
from lifemask.nodes.faceset.filter import chosen, exposure, sharpness
from lifemask.nodes.faceset.pedestal import pedestals
from lifemask.nodes.faceset.solve import solve, store, texture_path, write
from lifemask.nodes.head.fit import fitted
from lifemask.nodes.render.acescct import light_to_log, to_linear
from lifemask.nodes.render.atlas import SIZE, atlas
from lifemask.nodes.render.filters import halved
from lifemask.nodes.render.segmenter import segmented
from lifemask.nodes.render.texture import Textures, unwrap
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media.source import FrameSource
from lifemask.ocio.system.atomic import one_at_a_time, unfinished
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.faceset import Faceset

    Floats = NDArray[np.float32]

LEAST_FACES = 8


@dataclass
class Coarse:
    """The small part of each face that stays in memory: coarse texture, occluders, two measures."""

    colour: list[torch.Tensor] = field(default_factory=list)
    valid: list[torch.Tensor] = field(default_factory=list)
    normal: list[torch.Tensor] = field(default_factory=list)
    front: list[torch.Tensor] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    exposure: list[float] = field(default_factory=list)

    def add(self, picture: "Floats", mesh: torch.Tensor) -> torch.Tensor:
        """Unwrap a face (size, size, 3); return its texture (4, SIZE, SIZE), linear and valid."""
        log = light_to_log(torch.from_numpy(picture).to(device()).permute(2, 0, 1)[None])
        times = max(0, round(math.log2(log.shape[-1] / (1.3 * SIZE))))
        fine = unwrap(halved(log, times), mesh / 2**times)
        small = fine.coarse
        self.colour.append(small.colour[0].cpu())
        self.valid.append(small.valid[0].cpu())
        self.normal.append(small.normal[0].cpu())
        self.front.append(segmented(fine.colour, fine.valid)[0].cpu())
        self.sharpness.append(sharpness(log, mesh))
        self.exposure.append(exposure(small))
        return torch.cat([to_linear(fine.colour[0]), fine.valid[0]])

    def textures(self, kept: "NDArray[np.int64]") -> tuple[Textures, torch.Tensor]:
        """The coarse textures of the faces ``kept``, and their occluders."""
        colour, valid, normal, front = (
            torch.stack([part[i] for i in kept]).to(device())
            for part in (self.colour, self.valid, self.normal, self.front)
        )
        return Textures(colour, valid, normal), front


@dataclass
class FacesetBuild:
    """One run of the `Faceset` node."""

    node: "Faceset"
    takes: list[FrameSource]
    tracks: list[FaceTrack]
    performer: str
    folder: Path
    other: FaceSet | None

    def run(self) -> FaceSet:
        """Write the folder, whole or not at all, and return the faceset."""
        replaced = self.folder.exists()
        with unfinished(self.folder, folder=True) as part:
            faceset = self._build(part)
            faceset.write_index()
            with one_at_a_time(self.folder.parent):
                if self.folder.exists() and not replaced:
                    raise VersionExistsError(f"{self.folder}: another run made it meanwhile")
                _take_place(part, self.folder)
        return replace(faceset, folder=self.folder)

    def _build(self, part: Path) -> FaceSet:
        dropped: Counter[str] = Counter()
        faces = self._candidates(dropped)
        size = self.node.size or native_size(_placed(faces))
        moving = runs(faces["take"], faces["frame"], faces["landmarks"])
        faces["matrix"] = matrices(_placed(faces), moving, size, self.node.smooth)
        # From the headers: frames that are read in parallel cannot show which one differs.
        for number in np.unique(faces["take"]):
            self.takes[number].size()
        faces["pedestal"] = pedestals(self.takes, faces, size)[faces["take"]]
        coarse = self._cut_out(part, faces, size)
        faces["sharpness"] = np.array(coarse.sharpness, np.float32)
        faces["exposure"] = np.array(coarse.exposure, np.float32)
        kept = np.arange(len(faces["frame"]))
        if not self.node.every_frame:
            kept = chosen(faces, self.node.min_sharpness, dropped)
        self._check(len(kept), dropped)
        who = {name: faces.pop(name) for name in ("neutral", "identity", "uncertainty")}
        numbers = {name: array[kept] for name, array in faces.items()}
        person = solve(part, kept, numbers, *coarse.textures(kept), self.other)
        albedo, lights = person.albedo.cpu().numpy(), person.lights.cpu().numpy()
        takes = tuple(take.name for take in self.takes)
        everything = Faces(albedo=albedo, lights=lights, **who, **numbers)
        return FaceSet(part, self.performer, size, takes, dict(dropped), everything)

    def _candidates(self, dropped: Counter[str]) -> dict[str, Any]:
        """The numbers of all frames whose face is tracked and large enough."""
        # A take that is listed twice has one number, and its faces are duplicates.
        numbers = [self.takes.index(take) for take in self.takes]
        parts = [_seen(*pair) for pair in zip(numbers, self.tracks, strict=True)]
        faces = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        dropped["lost"] = sum(int((track.confidence <= 0).sum()) for track in self.tracks)
        self._check(len(faces["frame"]), dropped)
        head = fitted(
            faces["landmarks"],
            faces["expression"],
            faces["confidence"],
            runs(faces["take"], faces["frame"], faces["landmarks"]),
            faces["focal"],
        )
        faces |= {name: getattr(head.placed, name) for name in _PLACED}
        faces["coefficients"] = head.coefficients
        if not self.node.every_frame:
            large = head.placed.scale * FACE_WIDTH >= self.node.min_size
            dropped["tiny"] = int((~large).sum())
            faces = {name: array[large] for name, array in faces.items()}
            self._check(len(faces["frame"]), dropped)
        uncertainty = np.array(head.uncertainty, np.float32)
        person = {"neutral": head.neutral, "identity": head.identity, "uncertainty": uncertainty}
        return faces | person

    def _check(self, count: int, dropped: Counter[str]) -> None:
        least = 1 if self.node.allow_single or self.node.every_frame else LEAST_FACES
        if count >= least:
            return
        left = reasons(dropped)
        needed = "1 usable face is" if least == 1 else f"{least} usable faces are"
        raise FaceError(
            f"{self.performer}: {needed} needed, {count} found{f' ({left})' if left else ''}",
            Remedy("add_takes" if least == 1 else "add_takes_or_allow_single"),
        )

    def _cut_out(self, part: Path, faces: dict[str, Any], size: int) -> Coarse:
        """Write the picture and the unfinished texture of every candidate."""
        coarse = Coarse()
        total = len(faces["frame"])
        landmarks = moved(faces["landmarks"], faces["matrix"])
        pictures = self._unwrapped(part, faces, atlas().mesh(landmarks), size, coarse)
        with closing(pictures), closing(parallel_map(write, pictures)) as written:
            for _ in progress.each(written, "faceset", total):
                pass
        return coarse

    def _unwrapped(
        self, part: Path, faces: dict[str, Any], meshes: "Floats", size: int, coarse: Coarse
    ) -> "Generator[tuple[Path, dict[str, Floats]], None, None]":
        """Yield the file and the planes of every face; store its texture on the way."""
        with closing(self._read(faces, size)) as pictures:
            for index, picture in enumerate(pictures):
                mesh = torch.from_numpy(meshes[index : index + 1]).to(device())
                texture = coarse.add(picture, mesh)
                store(texture_path(part, index), texture)
                planes = dict(zip("RGB", picture.transpose(2, 0, 1), strict=True))
                planes["A"] = face_matte(mesh, size)
                yield part / f"face.{index + 1:04d}.exr", planes

    def _read(self, faces: dict[str, Any], size: int) -> "Generator[Floats, None, None]":
        """Yield the candidates in face space, scene-linear ACEScg, raised by their pedestal."""
        for number, indices in groupby(range(len(faces["frame"])), lambda i: faces["take"][i]):
            own = list(indices)
            places = zip(faces["frame"][own].tolist(), faces["matrix"][own], strict=True)
            with closing(cut_out(self.takes[number], places, size)) as pictures:
                for picture, raised in zip(pictures, faces["pedestal"][own], strict=True):
                    yield picture + raised


def _take_place(part: Path, folder: Path) -> None:
    """Rename ``part`` to ``folder``; an earlier folder is moved away first and removed last."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


_PLACED = ("shape", "scale", "rotation", "centre")


def _placed(faces: dict[str, Any]) -> Placed:
    return Placed(**{name: faces[name] for name in _PLACED})


def _seen(number: int, track: FaceTrack) -> dict[str, Any]:
    seen = track.confidence > 0
    return {
        "take": np.full(int(seen.sum()), number, np.int64),
        "frame": track.frames[seen],
        "landmarks": track.landmarks[seen],
        "velocity": velocities(track.landmarks, track.frames)[seen],
        "expression": track.expression[seen],
        "confidence": track.confidence[seen],
        "focal": np.full(int(seen.sum()), track.camera.known_focal, np.float32),
    }
