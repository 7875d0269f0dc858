"""Learn from renders what a tracker makes of faces: the arrays of `head.landmark_model`.

Everything is learned with its mirror image, so that left and right answer alike.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.faces import blendshapes
from lifemask.nodes.faces.similarity import similarity
from lifemask.nodes.faces.topology import COUNT, MESH_COUNT
from lifemask.nodes.head import arkit
from lifemask.nodes.head.exact_renders import ExactRenders
from lifemask.nodes.head.packed_shapes import named, packed
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.shape import place, turned

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ridge:
    """How far what is learned is pulled to what is expected: chosen on people left out."""

    motions: float = 0.001  # a frame, on coefficients of 0 to 1
    gain: float = 0.6  # of the kit's motions: what is expected of those as tracked
    identity: float = 100.0  # people, on identities of standard deviation 1
    observed: float = 0.001  # a frame


RIDGE = Ridge()
ROUNDS = 6  # of poses and shapes in turn
_GAIN_ACROSS = 1.0  # centimetres


@dataclass(frozen=True)
class Field:
    """A Gaussian process on the mean head: its deviation, and how far it correlates, in cm."""

    deviation: float
    across: float
    count: int  # of factors


# What a neutral has beside the head's modes: the likeliest for people left out.
_OWN = (Field(0.06, 3.0, 30), Field(0.02, 0.8, 120))
_OWN_DEPTH = 0.75  # of what it is across: in z

_ERRORS = 60  # factors of what neutral and motion leave of a shape
_FAR = 0.6  # centimetres


@dataclass(frozen=True)
class Known:
    """What is expected of landmarks, from the mesh: motions (52, 478, 3), modes (60, 478, 3)."""

    motions: Floats
    modes: Floats


@dataclass(frozen=True)
class Reference:
    """Neutrals (P, 478, 3) of ``people`` (P,), and motions (52, 478, 3), by exact coefficients.

    ``errors`` (N, 478, 3) are what they leave of the shape in each render.
    """

    people: list[str]
    neutrals: Floats
    motions: Floats
    errors: Floats


def landmark_arrays(
    renders: ExactRenders, identities: dict[str, Floats], known: Known
) -> dict[str, NDArray[Any]]:
    """Return the arrays of a `LandmarkModel`; ``identities`` (60,) are people's exact ones."""
    found = reference(renders, known.motions)
    exact = np.stack([identities[name] for name in found.people])
    neutral, modes = identity_response(found.neutrals, exact, known.modes)
    observed, deviation = observation(renders)
    return {
        "neutral": neutral,
        "motions": found.motions.astype(np.float16),
        **named("identity", packed(modes, 0, _FAR)),
        **named("errors", packed(error_factors(found.errors), 0, _FAR)),
        "fields": np.concatenate([smooth_fields(field) for field in _OWN]).astype(np.float16),
        "own": np.array([1, 1, _OWN_DEPTH], np.float32),
        "observed": observed,
        "deviation": deviation,
    }


def reference(renders: ExactRenders, expected: Floats) -> Reference:
    """Return everybody's neutral and the motions they share, given the exact coefficients.

    A tracked shape is its person's neutral, plus the motions by their coefficients, plus what the
    head's turn does (`Atlas.turns`). It gives the pose of the picture, and so the shape anew.
    """
    people, person = np.unique(renders.person, return_inverse=True)
    own = np.eye(len(people), dtype=np.float32)[person]
    expected = np.float32(RIDGE.gain / 2) * (expected + mirrored(expected[list(arkit.MIRRORED)]))
    neutrals, motions = np.repeat(atlas().mean[None], len(people), 0), expected
    for _ in range(ROUNDS):
        model = neutrals[person] + np.tensordot(renders.coefficients, motions, 1)
        placed = place(renders.landmarks, model.astype(np.float32), atlas())
        shape = placed.shape - np.tensordot(turned(placed.rotation), atlas().turns, 1)
        neutrals, motions = _regression(renders, shape, own, expected)
        # What follows their coefficients, or a person, alike in pose and in shape, is ambiguous.
        neutrals, motions = _upright(neutrals), _on_skull(motions, expected)
    model = neutrals[person] + np.tensordot(renders.coefficients, motions, 1)
    return Reference(people.tolist(), neutrals, motions, shape - model)


def _regression(
    renders: ExactRenders, shape: Floats, own: Floats, expected: Floats
) -> tuple[Floats, Floats]:
    """Neutrals and motions of the shapes and their mirror images, by ridge towards ``expected``."""
    count, people = len(expected), own.shape[1]
    changed = renders.coefficients[:, list(arkit.MIRRORED)]
    known = np.hstack([np.vstack([renders.coefficients, changed]), np.kron(np.eye(2), own)])
    wanted = np.concatenate([shape, mirrored(shape)]).reshape(len(known), -1)
    weighted = known * np.tile(renders.confidence, 2)[:, None]
    pull = np.full(count + 2 * people, 1e-6)
    pull[:count] = RIDGE.motions * len(known)
    target = weighted.T @ wanted
    target[:count] += pull[:count, None] * expected.reshape(count, -1)
    found = np.linalg.solve(weighted.T @ known + np.diag(pull), target)
    found = found.reshape(-1, COUNT, 3).astype(np.float32)
    return found[count : count + people], found[:count]


def _upright(neutrals: Floats) -> Floats:
    """The neutrals (P, 478, 3), each in the place of the mean head."""
    scale, rotation, shift = similarity(neutrals, atlas().mean[None], atlas().rigid)
    turned = np.einsum("nki,nji->nkj", neutrals, rotation)
    return np.asarray(scale[:, None, None] * turned + shift[:, None], np.float32)


def _on_skull(motions: Floats, expected: Floats) -> Floats:
    """The motions with the poses of the ``expected`` ones, as far as they are answered."""
    own, shape = unposed(motions), unposed(expected)
    gain = (own * shape).sum((1, 2)) / np.maximum(np.square(shape).sum((1, 2)), 1e-9)
    return np.asarray(own + gain[:, None, None] * (expected - shape), np.float32)


def identity_response(neutrals: Floats, exact: Floats, modes: Floats) -> tuple[Floats, Floats]:
    """Return the mean neutral (478, 3), and the head's modes as tracked (60, 478, 3).

    By ridge towards the gain of the tracker around each landmark. ``neutrals`` (P, 478, 3) are
    people of ``exact`` identities (P, 60). A mode is nearly its mirror image, or its negative.
    """
    side = np.sign((mirrored(modes) * modes).sum((1, 2)))
    shapes = np.concatenate([neutrals, mirrored(neutrals)])
    identities = np.concatenate([exact, exact * side])
    wanted, known = shapes - shapes.mean(0), identities - identities.mean(0)
    truth = np.tensordot(known, modes, 1)
    near = _likeness(_GAIN_ACROSS)
    gain = near @ (wanted * truth).sum(0) / np.maximum(near @ np.square(truth).sum(0), 1e-9)
    pull = RIDGE.identity * np.eye(len(modes))
    target = known.T @ wanted.reshape(len(known), -1) + pull @ (gain * modes).reshape(
        len(modes), -1
    )
    answer = np.linalg.solve(known.T @ known + pull, target).reshape(modes.shape)
    middle = shapes.mean(0) - np.tensordot(identities.mean(0), answer, 1)
    return np.asarray(middle, np.float32), np.asarray(answer, np.float32)


def observation(renders: ExactRenders) -> tuple[Floats, Floats]:
    """Return the ridge (53, 52) from the tracker's coefficients to the exact ones, and its rms."""
    swapped = [blendshapes.NAMES.index(arkit.other_side(name)) for name in blendshapes.NAMES]
    known = np.vstack([renders.expression, renders.expression[:, swapped]])
    known = np.hstack([known, np.ones((len(known), 1))])
    wanted = np.vstack([renders.coefficients, renders.coefficients[:, list(arkit.MIRRORED)]])
    pull = np.full(known.shape[1], RIDGE.observed * len(known))
    pull[-1] = 0
    found = np.linalg.solve(known.T @ known + np.diag(pull), known.T @ wanted)
    left = np.sqrt(np.square(known @ found - wanted).mean(0))
    return found.astype(np.float32), left.astype(np.float32)


def error_factors(errors: Floats) -> Floats:
    """Return factors (_ERRORS, 478, 3) of the covariance of ``errors`` (N, 478, 3).

    A landmark that is far off, as behind a hand, is no more than far off.
    """
    both = np.concatenate([errors, mirrored(errors)]).clip(-_FAR, _FAR)
    _, size, factors = np.linalg.svd(both.reshape(len(both), -1), full_matrices=False)
    kept = size[:_ERRORS, None] * factors[:_ERRORS] / np.sqrt(len(both))
    return np.asarray(kept.reshape(-1, COUNT, 3), np.float32)


def smooth_fields(field: Field) -> Floats:
    """Return the first factors (count, 478) of a field."""
    share, shape = np.linalg.eigh(_likeness(field.across))
    factors = field.deviation * np.sqrt(share.clip(0)) * shape
    return np.asarray(factors.T[: -field.count - 1 : -1], np.float32)


def _likeness(across: float) -> Floats:
    """How much landmarks have to do with each other (478, 478), over ``across`` centimetres."""
    far = np.square(atlas().mean[:, None] - atlas().mean).sum(-1)
    return np.asarray(np.exp(-far / (2 * across**2)), np.float32)


def pose_basis(points: Floats) -> Floats:
    """Return the motions (7, V, 3) of ``points`` (V, 3) of the mean head with its pose.

    Three shifts, three turns and its growth, to first order.
    """
    head = points - atlas().rigid @ atlas().mean / atlas().rigid.sum()
    axes = np.eye(3)
    moves = [np.broadcast_to(axis, head.shape) for axis in axes]
    return np.stack([*moves, *(np.cross(axis, head) for axis in axes), head]).astype(np.float32)


def pose_part(shapes: Floats) -> Floats:
    """Return what the pose of rigid landmarks takes up of ``shapes`` (K, 478, 3): (K, 7)."""
    basis = pose_basis(atlas().mean).reshape(7, -1)
    weighted = basis * np.repeat(atlas().rigid, 3)
    flat = shapes.reshape(len(shapes), -1)
    return np.asarray(np.linalg.solve(weighted @ basis.T, weighted @ flat.T).T, np.float32)


def unposed(shapes: Floats) -> Floats:
    """Return ``shapes`` (K, 478, 3) without what the mean head's pose takes up of them."""
    taken = np.tensordot(pose_part(shapes), pose_basis(atlas().mean), 1)
    return np.asarray(shapes - taken, np.float32)


def mirrored(shapes: Floats) -> Floats:
    """Return the mirror images of shapes (..., 478, 3)."""
    return np.asarray(shapes[..., _far_side(), :] * (-1, 1, 1), np.float32)


@cache
def _far_side() -> Ints:
    """The index of each landmark's mirror image (478,)."""
    mean = atlas().mean
    far = np.linalg.norm(mean[:, None] * (-1, 1, 1) - mean, axis=-1)
    # An iris lies on the lids.
    far[:MESH_COUNT, MESH_COUNT:] = far[MESH_COUNT:, :MESH_COUNT] = np.inf
    return np.asarray(far.argmin(1), np.int64)
