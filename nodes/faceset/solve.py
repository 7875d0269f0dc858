"""The second pass of `Faceset`: solve for albedo, light and occluders of all faces together."""

import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lifemask.nodes import progress
from lifemask.nodes.device import device
from lifemask.nodes.faceset.files import FaceSet, write_picture
from lifemask.nodes.faceset.provider import descriptors_of
from lifemask.nodes.render.acescct import to_linear, to_log
from lifemask.nodes.render.atlas import COARSE, SIZE
from lifemask.nodes.render.descriptors import coarse_normals
from lifemask.nodes.render.filters import dilate, masked_blur
from lifemask.nodes.render.hair import fringe, without_fringe
from lifemask.nodes.render.light import (
    Complexion,
    complexion,
    frame_lights,
    light_image,
    shading,
    well_seen,
)
from lifemask.nodes.render.occluder_model import crossings
from lifemask.nodes.render.occluders import SURE, agreed, occlusion, scores
from lifemask.nodes.render.texture import Textures, averaged
from lifemask.nodes.render.thin_occluders import LEAST, Usual, depth, lines
from lifemask.nodes.types import LEAST_CONFIDENCE
from lifemask.ocio.colour.tags import tagged
from lifemask.ocio.colour.transform import WORKING
from lifemask.ocio.system.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_MOST_FITTED = 240  # frames that albedo and light are fitted to; more add nothing
_RELIEF = 1.5  # texels: sigma above which an albedo is coarse
_BORROWED = 3.0  # frames: how far away the light for a hidden part of a face is taken from


def texture_path(part: Path, index: int) -> Path:
    """The path of an unfinished texture."""
    return part / f"texture.{index}.half"


def store(path: Path, planes: torch.Tensor) -> None:
    """Store planes (..., SIZE, SIZE) as bare half floats.

    NumPy's own files have a header that is Python source, and Python before 3.11.8 sometimes fails
    when two threads parse such a header at once.
    """
    path.write_bytes(planes.half().cpu().numpy().tobytes())  # NumPy's `tofile` hides the reason


def _stored(path: Path) -> "Floats":
    return np.fromfile(path, np.float16).reshape(-1, SIZE, SIZE).astype(np.float32)


def write(job: "tuple[Path, dict[str, Floats]]") -> None:
    """Write one picture of a faceset."""
    path, planes = job
    write_picture(path, planes, tagged({}, WORKING))


def solve(
    part: Path,
    kept: "NDArray[np.int64]",
    numbers: dict[str, Any],
    textures: Textures,
    front: torch.Tensor,
    other: FaceSet | None,
) -> Complexion:
    """Solve for albedo and light, write the finished textures, and number the pictures from 1.

    Texels of the coarse ``textures`` that a network sees in ``front`` (N, 1, COARSE, COARSE) do
    not count. An ``other`` faceset of the performer adds to all but the fine part of the albedo.
    """
    take = numbers["take"]
    certain = numbers["confidence"] >= LEAST_CONFIDENCE
    sure = torch.from_numpy(certain).to(device())
    fitted = _fitted(take, certain)
    number = torch.from_numpy(take).to(device())
    known = replace(textures, valid=textures.valid * (1 - front) * sure.view(-1, 1, 1, 1))
    person = _person(known.only(fitted), number[fitted], other)
    shade = shading(textures.normal, frame_lights(known, person, number), textures.valid)
    score = scores(textures, textures.colour - shade - person.albedo, known.valid)
    score = crossings(textures, agreed(score, front), number, ~sure)
    hair = fringe(person.albedo)
    person = replace(person, albedo=without_fringe(person.albedo, hair))
    score = torch.maximum(score, hair * SURE)
    clear = (1 - dilate(occlusion(score), 1)) * (1 - hair)
    bare = _without_lines(textures, part, kept, certain)
    seen = replace(bare, valid=bare.valid * clear)
    images = light_image(_borrowed(seen, shade, take, ~sure), person.albedo, shade)
    jobs = (
        (part, int(old), new, torch.cat([clear[new], score[new]]), images[new])
        for new, old in enumerate(kept)
    )
    with closing(parallel_map(_write_texture, jobs)) as finished:
        for _ in progress.each(finished, "light", len(kept)):
            pass
    # In order: the new name of each is the old name of an earlier picture.
    for new, old in enumerate(kept.tolist()):
        (part / f"face.{old + 1:04d}.exr").replace(part / f"face.{new + 1:04d}.exr")
    for left in sorted(part.glob("*.half")):
        left.unlink()
    for left in part.glob("face.*.exr"):
        if int(left.name.split(".")[1]) > len(kept):
            left.unlink()
    return person


def _without_lines(
    textures: Textures, part: Path, kept: "NDArray[np.int64]", sure: "NDArray[np.bool_]"
) -> Textures:
    """Store the matte of thin occluders; return the coarse textures without them."""
    usual = _usual(part, kept[sure])
    colour, valid = textures.colour.clone(), textures.valid.clone()
    for new, old in enumerate(progress.each(kept, "in front", len(kept))):
        fine, seen = _fine(part, old)
        matte = lines(depth(fine, seen), usual) if usual else torch.zeros_like(seen)
        store(_line_path(part, old), matte[0])
        if matte.any():
            clear = seen * (1 - dilate(matte, 1))
            colour[new : new + 1], valid[new : new + 1] = averaged(fine, clear)
    return Textures(colour, valid, textures.normal)


def _usual(part: Path, sure: "NDArray[np.int64]") -> Usual | None:
    """The lines of the performer's own face; None when there are too few faces to know them."""
    if len(sure) < LEAST:
        return None
    textures = (_fine(part, old) for old in sure[:: _step(len(sure))])
    learnt = [(depth(fine, seen), seen) for fine, seen in textures]
    return Usual.of(*(torch.cat(same) for same in zip(*learnt, strict=True)))


def _fine(part: Path, index: int) -> tuple[torch.Tensor, torch.Tensor]:
    """An unfinished texture (1, 3, SIZE, SIZE), log, and its validity (1, 1, SIZE, SIZE)."""
    texture = torch.from_numpy(_stored(texture_path(part, index))).to(device())
    return to_log(texture[None, :3]), texture[None, 3:]


def _line_path(part: Path, index: int) -> Path:
    return part / f"line.{index}.half"


def _person(textures: Textures, take: torch.Tensor, other: FaceSet | None) -> Complexion:
    """Albedo and lights of ``textures`` whose ``take`` is numbered."""
    if other is None:
        return complexion(textures, take)
    own, used = int(take.max()) + 1, range(0, len(other), _step(len(other)))
    more = torch.from_numpy(other.faces.take[used]).to(take.device) + own
    found = complexion(Textures.joined([textures, _coarse(other, used)]), torch.cat([take, more]))
    alone = complexion(textures, take)
    # Fine detail that is always there is the performer's own, even if it is relief under this
    # light: it must not be put on somebody else's nose as light.
    fine = _fine_of(alone.albedo - found.albedo, textures.valid)
    return Complexion(found.albedo + fine, found.lights[:own], found.changing[:own])


def _fine_of(map_: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The part of a map (3, COARSE, COARSE) that is finer than `_RELIEF`, where it is known."""
    coarse = masked_blur(map_[None], valid.mean(0, keepdim=True), _RELIEF)[0]
    return (map_ - coarse) * well_seen(valid)


def _fitted(take: "NDArray[np.int64]", sure: "NDArray[np.bool_]") -> torch.Tensor:
    """The faces that albedo and light are fitted to; each take has at least one sure face."""
    best_first = np.argsort(~sure, kind="stable")
    _, firsts = np.unique(take[best_first], return_index=True)
    chosen = np.union1d(np.arange(0, len(take), _step(len(take))), best_first[firsts])
    return torch.from_numpy(chosen).to(device())


def _step(count: int) -> int:
    return max(1, math.ceil(count / _MOST_FITTED))


def _coarse(faceset: FaceSet, used: range) -> Textures:
    """The coarse textures of the faces ``used`` of a faceset."""
    look = descriptors_of(faceset, used)
    return Textures(look.colour, look.valid, coarse_normals(faceset.face_landmarks[list(used)]))


def _borrowed(
    textures: Textures, shade: torch.Tensor, take: "NDArray[np.int64]", hidden: torch.Tensor
) -> Textures:
    """The ``textures``; ``hidden`` ones (N,) are taken from nearby frames, in their own shade."""
    if not hidden.any():
        return textures
    colour, valid = textures.colour.clone(), textures.valid.clone()
    flat, number = textures.colour - shade, torch.from_numpy(take).to(hidden.device)
    place = torch.arange(len(hidden), device=hidden.device)
    for index in hidden.nonzero()[:, 0].tolist():
        near = torch.exp(-0.5 * ((place - index) / _BORROWED) ** 2) * (number == number[index])
        weight = textures.valid * near.view(-1, 1, 1, 1)
        total = weight.sum(0)
        colour[index] = (flat * weight).sum(0) / (total + 1e-6) + shade[index]
        valid[index] = total / near.sum()
    return Textures(colour, valid, textures.normal)


def _write_texture(job: tuple[Path, int, int, torch.Tensor, torch.Tensor]) -> None:
    part, old, new, trust, image = job
    texture = _stored(texture_path(part, old))
    grown = (
        torch.nn.functional.interpolate(
            torch.cat([to_linear(image), trust])[None], scale_factor=SIZE // COARSE, mode="bilinear"
        )[0]
        .cpu()
        .numpy()
    )
    planes = dict(zip(("R", "G", "B"), texture[:3], strict=True))
    (line,) = _stored(_line_path(part, old))
    valid = texture[3] * grown[3] * (1 - line)
    planes |= {"validity.V": valid, "occluder.V": grown[4], "line.V": line}
    planes |= dict(zip(("light.R", "light.G", "light.B"), grown[:3], strict=True))
    write((part / f"texture.{new + 1:04d}.exr", planes))
