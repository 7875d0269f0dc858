"""ICT-FaceKit Light as it is published, and how the renders of a corpus pose it.

Axes here are the kit's own: x to the person's left, y up, z forwards. `Li et al. 2020, Learning
Formation of Physically-Based Face Attributes`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.eyeballs import sphere_through
from lifemask.nodes.head.head_model import PARTS

Floats = NDArray[np.float32]

_SIDES = {"_L": "Left", "_R": "Right"}
_ONE = ("browInnerUp", "cheekPuff")  # ARKit has one coefficient where the kit has two sides
_VERTICES = max(part.stop for part in PARTS.values())  # the lashes and tears after them go


@dataclass(frozen=True)
class FaceKit:
    """The mesh (V, 3) in centimetres, its identity modes and ARKit's expressions."""

    mean: Floats  # (V, 3)
    identity: Floats  # (60, V, 3)
    expressions: Floats  # (52, V, 3) of `arkit.NAMES`
    triangles: NDArray[np.int64]  # (T, 3)
    rigid: NDArray[np.int64]  # vertices that hold heads in place

    @classmethod
    def load(cls, path: Path) -> "FaceKit":
        """Read the kit's shapes from an NPZ file.

        It has ``V`` (., 3), ``I`` (60, ., 3), ``E`` (53, ., 3) with ``names`` (53,), the quads
        ``F`` (., 4) with -1 for none, and the vertices ``rigid``.
        """
        with np.load(path) as file:
            arrays = {name: file[name] for name in ("V", "I", "E", "F", "names", "rigid")}
        quads = arrays["F"][arrays["F"].max(1) < _VERTICES].astype(np.int64)
        second = quads[quads[:, 3] >= 0][:, [0, 2, 3]]
        expressions = np.zeros((len(NAMES), _VERTICES, 3), np.float32)
        for name, shape in zip(arrays["names"], arrays["E"], strict=True):
            expressions[NAMES.index(arkit_name(str(name)))] += shape[:_VERTICES]
        return cls(
            mean=arrays["V"][:_VERTICES].astype(np.float32),
            identity=arrays["I"][:, :_VERTICES].astype(np.float32),
            expressions=expressions,
            triangles=np.concatenate([quads[:, :3], second]),
            rigid=arrays["rigid"].astype(np.int64),
        )

    def neutral(self, identity: NDArray[np.floating]) -> Floats:
        """Return a person's mesh (V, 3), moved and turned onto the mean head."""
        own = self.mean + np.tensordot(identity, self.identity, 1)
        source, target = own[self.rigid].astype(np.float64), self.mean[self.rigid]
        middle, goal = source.mean(0), target.mean(0)
        u, _, vt = np.linalg.svd((target - goal).T @ (source - middle))
        turn = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
        return np.asarray((own - middle) @ turn.T + goal, np.float32)

    def posed(self, neutral: Floats, coefficients: Floats, gaze: Floats) -> Floats:
        """Return the mesh (V, 3) with an expression (52,), and its eyes turned to a ``gaze``.

        That is in degrees: to the person's left, and up.
        """
        mesh = neutral + np.tensordot(coefficients, self.expressions, 1)
        turn = _turn(gaze)
        for side in ("left", "right"):
            ball, iris = PARTS[f"eyeball_{side}"], PARTS[f"iris_{side}"]
            centre, _ = sphere_through(neutral[ball], -self.mean[ball, 2])
            for part in (ball, iris):
                mesh[part] = (mesh[part] - centre) @ turn.T + centre
        return np.asarray(mesh, np.float32)


def arkit_name(name: str) -> str:
    """Return ARKit's name of one of the kit's expressions."""
    stem, side = name[:-2], name[-2:]
    if side not in _SIDES:
        return name
    return stem if stem in _ONE else stem + _SIDES[side]


def arkit_coefficients(expression: dict[str, float]) -> Floats:
    """Return the coefficients (52,) of an expression by the kit's names; two sides are averaged."""
    found = np.zeros(len(NAMES), np.float32)
    for name, value in expression.items():
        found[NAMES.index(arkit_name(name))] += value
    found[[NAMES.index(name) for name in _ONE]] /= 2
    return found


def _turn(gaze: Floats) -> NDArray[np.float64]:
    left, up = np.deg2rad(np.asarray(gaze, np.float64))
    about_y = [[np.cos(left), 0, np.sin(left)], [0, 1, 0], [-np.sin(left), 0, np.cos(left)]]
    about_x = [[1, 0, 0], [0, np.cos(up), np.sin(up)], [0, -np.sin(up), np.cos(up)]]
    return np.array(about_y) @ np.array(about_x)
