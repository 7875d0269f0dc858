"""Where a tracker's landmarks lie on a head's mesh."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes import progress
from lifemask.nodes.faces.topology import COUNT
from lifemask.nodes.head.exact_renders import ExactRenders
from lifemask.nodes.head.face_kit import FaceKit
from lifemask.nodes.head.head_model import PARTS

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_SHOWN = ("face", "eyeball_left", "iris_left", "eyeball_right", "iris_right")
_FRONT = -2.0  # centimetres, the kit's z: what lies behind carries no landmark
_SIDEWAYS = np.sin(np.deg2rad(30))  # of a head's turn: on more, far landmarks are guesses
_NEAREST = 6  # vertices whose triangles are tried
_MOST = 1.0  # square centimetres that a bad frame adds to the cost


@dataclass(frozen=True)
class _Sights:
    """The shown vertices and the landmarks in F pictures, in centimetres at the face's depth."""

    vertices: Floats  # (F, S, 2)
    landmarks: Floats  # (F, 478, 2)


def landmarks_on_mesh(
    kit: FaceKit, renders: ExactRenders, identities: dict[str, Floats]
) -> tuple[Ints, Floats]:
    """Return the triangle's corners (478, 3) of each landmark, and their weights (478, 3).

    The point of the mesh that lies nearest to the landmark over all pictures near the front.
    """
    shown = np.concatenate([np.arange(PARTS[name].start, PARTS[name].stop) for name in _SHOWN])
    shown = shown[kit.mean[shown, 2] > _FRONT]
    sights = _sights(kit, renders, identities, shown)
    place = np.full(len(kit.mean), -1)
    place[shown] = np.arange(len(shown))
    triangles = place[kit.triangles]
    triangles = triangles[(triangles >= 0).all(1)]
    nearest = _cost(sights).argsort(1)[:, :_NEAREST]
    found = [
        _best(sights, number, triangles[np.isin(triangles, near).any(1)])
        for number, near in progress.each(enumerate(nearest), "correspondence", COUNT)
    ]
    corners, weights = map(np.stack, zip(*found, strict=True))
    return shown[corners], weights.astype(np.float32)


def _sights(
    kit: FaceKit, renders: ExactRenders, identities: dict[str, Floats], shown: Ints
) -> _Sights:
    ahead = renders.camera[:, 2, :3] / np.linalg.norm(renders.camera[:, 2, :3], axis=1)[:, None]
    frames = np.flatnonzero(np.abs(ahead[:, 0]) < _SIDEWAYS)
    neutrals = {name: kit.neutral(identity) for name, identity in identities.items()}
    vertices = np.zeros((len(frames), len(shown), 2), np.float32)
    landmarks = np.zeros((len(frames), COUNT, 2), np.float32)
    for row, number in enumerate(progress.each(frames.tolist(), "meshes", len(frames))):
        neutral = neutrals[str(renders.person[number])]
        mesh = kit.posed(neutral, renders.coefficients[number], renders.gaze[number])
        points, depth = renders.project(number, mesh)
        scale = np.linalg.norm(renders.camera[number, 0, :3]) / depth[PARTS["face"]].mean()
        vertices[row], landmarks[row] = points[shown], renders.landmarks[number, :, :2]
        vertices[row], landmarks[row] = vertices[row] / scale, landmarks[row] / scale
    return _Sights(vertices, landmarks)


def _cost(sights: _Sights) -> Floats:
    """Mean squared distance (478, S), in which no frame counts for more than `_MOST`."""
    total = np.zeros((COUNT, sights.vertices.shape[1]), np.float32)
    for vertices, landmarks in zip(sights.vertices, sights.landmarks, strict=True):
        middle = landmarks.mean(0)
        seen, own = vertices - middle, landmarks - middle
        far = (own**2).sum(1)[:, None] + (seen**2).sum(1) - 2 * own @ seen.T
        total += np.minimum(far, _MOST)
    return total / np.float32(len(sights.vertices))


def _best(sights: _Sights, number: int, triangles: Ints) -> tuple[Ints, Floats]:
    """Of the ``triangles`` (T, 3) the one with the nearest point, and that point's weights (3,)."""
    points = sights.landmarks[:, number].reshape(-1)
    tried = [_within(sights.vertices[:, corners], points) for corners in triangles]
    best = int(np.argmin([cost for cost, _ in tried]))
    return triangles[best], tried[best][1]


def _within(corners: Floats, points: Floats) -> tuple[float, Floats]:
    """Cost and weights (3,) of the point of a triangle (F, 3, 2) that is nearest to (F * 2,)."""
    across = corners.transpose(0, 2, 1).reshape(-1, 3)
    inner = np.linalg.lstsq(across[:, 1:] - across[:, :1], points - across[:, 0])[0]
    weights = np.clip([1 - inner.sum(), *inner], 0, 1)
    weights /= weights.sum()
    far = np.square(across @ weights - points).reshape(-1, 2).sum(1)
    return float(np.minimum(far, _MOST).mean()), weights
