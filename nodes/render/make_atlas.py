"""Make the atlas that ships with Lifemask.

It is made from renders alone: synthetic people, drawn at random for the purpose, who may be
redistributed. CORPUS holds a folder ``TAKE/PERSON`` for each take of a person: a scene-linear
``beauty/beauty.####.exr`` with its primaries in the header, and ``mattes/mattes.####.exr`` with the
exact mattes ``face``, ``head`` and ``hair``. A person ``A_on_B`` is a blend of two: good for shapes
and mattes, not for the mean complexion. The landmarks of a thousand frames take minutes. The motion
of the shipped atlas comes from more people than its maps: see `learning/make_motion`.

Run it as ``python -m lifemask.nodes.render.make_atlas CORPUS OUT``. Each step fills in one part of
an empty atlas, and the renderer uses the parts made so far.
"""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lifemask.nodes import archive, progress
from lifemask.nodes.errors import BrokenFileError, FaceError
from lifemask.nodes.faces import topology
from lifemask.nodes.faces.blendshapes import NAMES, expression
from lifemask.nodes.faces.photographs import landmarks_of
from lifemask.nodes.provenance import SHIPPED
from lifemask.nodes.render.acescct import to_log
from lifemask.nodes.render.atlas import COARSE, SIZE, Atlas, using
from lifemask.nodes.render.light import complexion
from lifemask.nodes.render.shape import TURNS, place, turned
from lifemask.nodes.render.texture import Textures, unwrap
from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING, convert
from lifemask.ocio.media import exr
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence

_LEAST_RIGID = 0.15  # of a landmark that an expression may move; the most rigid have 1
_RIDGE, _TURN_RIDGE = 1e-3, 1e-5  # a frame, on the coefficients, which are 0..1; on the turns
_POSE_ROUNDS, _ALBEDO_ROUNDS = 10, 2
_GAPS = ((13, 14), (159, 145), (386, 374))  # upper and lower: lips, right lids, left lids
_MOST_OPEN = 6  # one frame in so many gives the layout
_AXIS = 0.35  # of the face's width: how far the cylinder's axis is behind its deepest point
_STRETCH = 1.1  # texels a centimetre up over those around
_SKIRT = 1.09  # the outline of the layout over the face's own
_MARGIN = 0.02  # of the layout's side
_BARE = 0.5  # of the matte of the head without hair: less is no skin
_NOT_SKIN = (  # contour, grown by texels
    (topology.LIPS, 9),
    (topology.RIGHT_EYE, 15),
    (topology.LEFT_EYE, 15),
    (topology.RIGHT_BROW, 13),
    (topology.LEFT_BROW, 13),
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Still:
    """One frame of a take with a face: ``landmarks`` (478, 3) in its pixels."""

    take: Path
    frame: int
    landmarks: Floats

    @property
    def person(self) -> str:
        """The folder's name."""
        return self.take.name


def make(corpus: Path) -> tuple[Atlas, dict[str, object]]:
    """Return the atlas of the people in ``corpus``, and its provenance.

    Raises FaceError when no take has a face, BrokenFileError when a matte is missing.
    """
    takes = sorted(folder.parent for folder in corpus.glob("*/*/beauty"))
    stills = [
        still for take in progress.each(takes, "landmarks", len(takes)) for still in _of(take)
    ]
    if not stills:
        raise FaceError(f"{corpus}: no TAKE/PERSON/beauty/beauty.####.exr in it shows a face")
    landmarks = np.stack([still.landmarks for still in stills])
    atlas, shapes = with_shapes(empty(), landmarks, [still.person for still in stills])
    atlas = with_layout(atlas, shapes)
    atlas, textures = with_maps(atlas, stills)
    people = [still.person for still in stills]
    about = {
        **SHIPPED,
        "people": len({person for person in people if "_on_" not in person}),
        "takes": len(takes),
        "frames": len(stills),
    }
    return with_albedo(atlas, stills, textures), about


def save(path: Path, atlas: Atlas, about: Mapping[str, object]) -> None:
    """Write ``atlas``, in half floats where these are enough."""
    half = ("turns", "face", "skin", "albedo")
    arrays = {name: getattr(atlas, name).astype(np.float16) for name in half}
    arrays |= {name: getattr(atlas, name) for name in ("mean", "rigid", "uv")}
    arrays["triangles"] = atlas.triangles.astype(np.int16)
    archive.save(path, "atlas", arrays, about)


def empty() -> Atlas:
    """An atlas of the mesh and the canonical head alone, with its irises at the origin."""
    head = topology.canonical()
    mean = np.zeros((topology.COUNT, 3), np.float32)
    mean[: topology.MESH_COUNT] = head.vertices * (1, -1, -1)
    rigid = np.full(topology.COUNT, _LEAST_RIGID, np.float32)
    rigid[topology.MESH_COUNT :] = 0
    rigid[head.rigid] += head.trust / head.trust.max()
    blank = np.zeros((SIZE, SIZE), np.float32)
    inner, outer = np.array(topology.OVAL), topology.MESH_COUNT + np.arange(len(topology.OVAL))
    after, beyond = np.roll(inner, -1), np.roll(outer, -1)
    skirt = [np.stack([inner, after, outer], 1), np.stack([after, beyond, outer], 1)]
    return Atlas(
        mean=mean,
        turns=np.zeros((TURNS, topology.COUNT, 3), np.float32),
        rigid=rigid,
        uv=np.zeros((topology.MESH_COUNT + len(outer), 2), np.float32),
        triangles=np.concatenate([head.triangles, *skirt]),
        face=blank,
        skin=blank,
        albedo=np.zeros((COARSE, COARSE, 3), np.float32),
    )


def _of(take: Path) -> Iterator[Still]:
    """Yield the frames of a take that show a face."""
    beauty = Sequence.find(take / "beauty" / "beauty.####.exr")
    for frame in beauty.frames:
        face = landmarks_of(_picture(beauty, frame))
        if face:
            yield Still(take, frame, face.landmarks)


def _picture(beauty: Sequence, frame: int) -> Floats:
    space = tagged_space(beauty) or LINEAR_SRGB
    return convert(read(beauty, frame).rgb, space, WORKING)


def with_shapes(atlas: Atlas, landmarks: Floats, people: list[str]) -> tuple[Atlas, Floats]:
    """The atlas with mean head and turns, and the shape (N, 478, 3) of every still.

    One ridge regression for everybody: a shape is its person's neutral (``people`` (N,)), plus the
    blendshapes by their coefficients, plus the tracking error of the head's rotation. It gives the
    shape to expect, and so the pose of the still.
    """
    names, person = np.unique(people, return_inverse=True)
    coefficients, own = expression(landmarks), np.eye(len(names))[person]
    count = len(NAMES) + TURNS
    held = [_RIDGE] * len(NAMES) + [_TURN_RIDGE] * TURNS
    ridge = np.diag([each * len(landmarks) for each in held] + [1e-9] * len(names))
    model = np.broadcast_to(atlas.mean, landmarks.shape)
    for _ in range(_POSE_ROUNDS):
        placed = place(landmarks, model, atlas)
        known = np.hstack([coefficients, turned(placed.rotation), own])
        flat = placed.shape.reshape(len(landmarks), -1)
        found = np.linalg.solve(known.T @ known + ridge, known.T @ flat)
        model = (known @ found).reshape(landmarks.shape).astype(np.float32)
    parts = found.reshape(-1, topology.COUNT, 3).astype(np.float32)
    _, turns, mean = np.split(parts, [len(NAMES), count])
    atlas = replace(atlas, mean=mean.mean(0), turns=turns)
    return atlas, placed.shape.astype(np.float32)


def with_layout(atlas: Atlas, shapes: Floats) -> Atlas:
    """The atlas with texture space: a cylinder's unwrap of the mean of the most open ``shapes``.

    Symmetric. The skirt continues in the plane of the texture.
    """
    upper, lower = np.array(_GAPS).T
    gap = np.linalg.norm(shapes[:, upper] - shapes[:, lower], axis=-1).sum(1)
    widest = np.argsort(-gap)[: max(1, len(gap) // _MOST_OPEN)]
    opened = shapes[widest, : topology.MESH_COUNT].mean(0)
    even = (opened + opened[_mirrored()] * (-1, 1, 1)) / 2
    x, y, z = (even - even.mean(0)).T
    angle = np.arctan2(x, z.max() + _AXIS * np.ptp(x) - z)
    flat = np.stack([angle, y / np.ptp(y) * np.ptp(angle) * _STRETCH], 1)
    middle = flat.mean(0)
    flat = np.concatenate([flat, middle + (flat[list(topology.OVAL)] - middle) * _SKIRT])
    low, high = flat.min(0), flat.max(0)
    uv = (flat - (low + high) / 2) / (high - low).max() * (1 - 2 * _MARGIN) + 0.5
    return replace(atlas, uv=uv.astype(np.float32))


def _mirrored() -> Ints:
    """The index of each vertex's mirror image (468,)."""
    head = topology.canonical().vertices
    far = np.linalg.norm(head[:, None] * (-1, 1, 1) - head, axis=-1)
    return np.asarray(far.argmin(1), np.int64)


def with_maps(atlas: Atlas, stills: list[Still]) -> tuple[Atlas, list[Textures]]:
    """The atlas with face matte and bare skin, and the coarse textures of the stills.

    Both maps are means of exact mattes over the visible texels. The textures count where the skin
    is bare.
    """
    total = np.zeros((3, SIZE, SIZE), np.float64)
    textures = []
    with using(atlas):
        for still in progress.each(stills, "textures", len(stills)):
            whole = unwrap(_layers(still), torch.from_numpy(atlas.mesh(still.landmarks[None])))
            colour, mattes = whole.colour.split([3, 2], 1)
            seen, mattes = whole.valid, mattes.clamp(0, 1)
            total += torch.cat([seen, seen * mattes], 1)[0].numpy()
            textures.append(Textures(colour, seen * (mattes[:, 1:] > _BARE), whole.normal).coarse)
    face, bare = (_even(part / (total[0] + 1e-3)) for part in total[1:])
    skin = (2 * bare - 1).clip(0, 1)
    for contour, grow in _NOT_SKIN:
        skin = skin * (1 - atlas.polygon(contour, grow, 0.5))
    return replace(atlas, face=face, skin=_even(skin)), textures


def _layers(still: Still) -> torch.Tensor:
    """The picture in the log curve and the mattes of face and of head without hair (1, 5, H, W)."""
    beauty = Sequence.find(still.take / "beauty" / "beauty.####.exr")
    file = still.take / "mattes" / f"mattes.{still.frame:04d}.exr"
    mattes, _ = exr.read_channels(file)
    missing = {"face", "head", "hair"} - set(mattes)
    if missing:
        raise BrokenFileError(f"{file}: the matte {min(missing)} is not there")
    planes = np.stack([mattes["face"], mattes["head"] - mattes["hair"]]).astype(np.float32)
    picture = torch.from_numpy(_picture(beauty, still.frame)).permute(2, 0, 1)
    return torch.cat([to_log(picture), torch.from_numpy(planes)])[None]


def _even(picture: NDArray[np.floating]) -> Floats:
    """The mean (H, W, ...) of a picture in texture space and its mirror image."""
    return ((picture + picture[:, ::-1]) / 2).astype(np.float32)


def with_albedo(atlas: Atlas, stills: list[Still], textures: list[Textures]) -> Atlas:
    """The atlas with the median albedo over the people who are no blends.

    Every person's albedo is solved from the atlas's, so this refines the one it has.
    """
    people = sorted({still.person for still in stills if "_on_" not in still.person})
    for _ in range(_ALBEDO_ROUNDS):
        with using(atlas):
            own = progress.each(people, "albedo", len(people))
            albedos = [_albedo_of(person, stills, textures) for person in own]
        atlas = replace(atlas, albedo=_even(np.median(albedos, 0)))
    return atlas


def _albedo_of(person: str, stills: list[Still], textures: list[Textures]) -> Floats:
    """The person's albedo (COARSE, COARSE, 3), one light for each take."""
    own = [number for number, still in enumerate(stills) if still.person == person]
    _, take = np.unique([str(stills[number].take) for number in own], return_inverse=True)
    joined = Textures.joined(textures[number] for number in own)
    return complexion(joined, torch.from_numpy(take)).albedo.permute(1, 2, 0).numpy()


def main() -> None:
    """Make the atlas of CORPUS and write it to OUT."""
    parser = ArgumentParser(description="Make the atlas of texture space from exact renders.")
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="Folder of TAKE/PERSON.")
    parser.add_argument("out", type=Path, metavar="OUT", help="The file, atlas.safetensors.")
    given = parser.parse_args()
    with progress.reporting(progress.to_stderr):
        save(given.out, *make(given.corpus))


if __name__ == "__main__":
    main()
