"""A head fitted to tracked landmarks: who it is, how it moves, and where it is in each picture.

All frames are explained at once. A shape, which is landmarks without their pose, is::

    neutral + coefficients @ motions + view(rotation, distance) + error

The neutral has a Gaussian prior (`LandmarkModel.identity`); coefficients are 0 or above, mostly
small, and alike left and right. So a face that smiles in all frames is still a smiling one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.faces.face_space import Placed
from lifemask.nodes.faces.topology import LEFT_EYE, RIGHT_EYE
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.landmark_likelihood import Likelihood
from lifemask.nodes.head.landmark_model import landmark_model
from lifemask.nodes.head.placed_frames import PlacedFrames

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class HeadFit:
    """What was fitted to N frames of one person."""

    identity: Singles  # (60,) in the modes of the head model, mean 0 and standard deviation 1
    neutral: Singles  # (478, 3) the shape without expression
    coefficients: Singles  # (N, 52) by `arkit.NAMES`, 0 and above
    placed: Placed
    uncertainty: float  # % of the eyes' distance: standard deviation of the neutral, over landmarks


@dataclass(frozen=True)
class Settings:
    """How the frames count: chosen on people left out."""

    frames: int = 96  # most that the neutral is estimated from
    lasting: float = 0.6  # of a frame's error, what others alike have as well
    alike: float = 0.2  # of coefficients: how far apart frames err on their own
    count: float = 20.0  # frames at most that the neutral trusts, since all err alike in part
    turned: float = 3.0  # by how much more a head errs that is turned by a right angle: variance
    least: float = 0.05  # weight of a frame that nothing is known of
    most: float = 1.2  # coefficient
    steady: float = 20.0  # precision of its change: a blink, .3 a frame, is hardly held back
    posterior: float = 1.05  # times its deviation is the neutral's true one
    common: float = 0.14  # of a common expression that may be taken for somebody's neutral


SETTINGS = Settings()
_ROUNDS, _REFINE = 6, 3  # of pose and shape in turn: for the neutral, and once it is known
_STEPS = 60  # of a descent in each round
_CHUNK, _MARGIN = 512, 16  # frames that are fitted together, and those around that steady them


def fitted(
    landmarks: Singles,
    expression: Singles,
    weight: Singles,
    runs: Sequence[slice],
    focal: Singles | None = None,
) -> HeadFit:
    """Return the head of one person in N frames, of which one is enough.

    ``landmarks`` (N, 478, 3) are in pixels, ``expression`` (N, 52) by `faces.blendshapes.NAMES`,
    ``weight`` (N,) is trust in each frame. Within each of the ``runs`` coefficients are steady.
    ``focal`` (N,) is in pixels, 0 where it is unknown: such heads count as a metre away.
    """
    known = _likelihood(SETTINGS.lasting)
    observed = known.observed(expression)
    some = _chosen(weight)
    lens = np.zeros(len(weight), np.float32) if focal is None else focal
    frames = PlacedFrames(known, landmarks[some], lens[some])
    person = _Person(known, frames, observed[some], weight[some])
    identity, deviation = person.found()
    neutral = known.neutral(identity)
    follows = _follows(runs, len(weight))
    parts = [*zip(*_expressions(neutral, landmarks, lens, observed, follows), strict=True)]
    shape = neutral.reshape(-1, 3).astype(np.float32)
    return HeadFit(
        identity=known.modes(identity).astype(np.float32),
        neutral=shape,
        coefficients=np.concatenate(parts[0]).astype(np.float32),
        placed=_joined(parts[1]),
        uncertainty=100 * deviation / _eyes_apart(shape),
    )


@cache
def _likelihood(scaled: float) -> Likelihood:
    return Likelihood(landmark_model(), scaled)


def _chosen(weight: Singles) -> NDArray[np.int64]:
    """The most trusted frame of each of equal parts of them."""
    parts = np.array_split(np.arange(len(weight)), min(len(weight), SETTINGS.frames))
    return np.array([part[weight[part].argmax()] for part in parts])


class _Person:
    """Who is in frames whose coefficients (N, 52) are ``observed`` by a network."""

    def __init__(
        self, known: Likelihood, frames: PlacedFrames, observed: Floats, weight: Singles
    ) -> None:
        self.known, self.frames, self.observed = known, frames, observed
        self.weight = np.maximum(weight, SETTINGS.least)

    def found(self) -> tuple[Floats, float]:
        """Return the identity (M,), and the standard deviation of its neutral in centimetres."""
        coefficients, identity = self.observed, np.zeros(len(self.known.information))
        for _ in range(_ROUNDS):
            shape = self.known.neutral(identity) + coefficients @ self.known.motions
            own, moving = self.frames.evidence(shape, self.known.expected)
            share = self._shares(coefficients)
            who = partial(self._identity, share, own)
            coefficients = _descended(
                coefficients, partial(self._slope, who, moving), self.known.steps
            )
            identity = who(coefficients)
        return identity, self._deviation(share, coefficients)

    def _deviation(self, share: Floats, coefficients: Floats) -> float:
        """That of the posterior, and a part of the expression that the frames have in common."""
        usual = share @ coefficients / share.sum() @ self.known.motions
        across = usual.reshape(-1, 3)[:, :2]
        common = float(np.sqrt(2 * np.square(across).mean()))
        posterior = self.known.deviation_of_neutral(float(share.sum()))
        return float(np.hypot(SETTINGS.posterior * posterior, SETTINGS.common * common))

    def _identity(self, share: Floats, own: Floats, coefficients: Floats) -> Floats:
        """The likeliest identity, given the coefficients."""
        left = share @ (own - coefficients @ self.known.cross_information.T)
        return np.asarray(left / (1 + share.sum() * self.known.information))

    def _slope(
        self, who: Callable[[Floats], Floats], moving: Floats, coefficients: Floats
    ) -> Floats:
        left = moving - who(coefficients) @ self.known.cross_information
        return self.known.slope(coefficients, left, self.observed)

    def _shares(self, coefficients: Floats) -> Floats:
        """By how much each frame (N,) counts: those alike in expression share their weight."""
        apart = coefficients[:, None, _FACIAL] - coefficients[None, :, _FACIAL]
        alike = np.exp(-np.square(apart).sum(-1) / (2 * SETTINGS.alike**2))
        away = np.square(self.frames.placed.rotation[:, :2, 2]).sum(1)
        sure = np.square(self.frames.trust.mean(1)) / (1 + SETTINGS.turned * away)
        share = self.weight * sure / alike.sum(1)
        return np.asarray(share * min(1, SETTINGS.count / share.sum()))


_FACIAL = [index for index, name in enumerate(NAMES) if not name.startswith("eyeLook")]


def _expressions(
    neutral: Floats, landmarks: Singles, focal: Singles, observed: Floats, follows: Truths
) -> Iterator[tuple[Floats, Placed]]:
    """Yield coefficients and poses of all frames, chunk by chunk, given the neutral (1434,)."""
    known = _likelihood(1.0)
    for first in range(0, len(landmarks), _CHUNK):
        around = slice(max(0, first - _MARGIN), first + _CHUNK + _MARGIN)
        frames = PlacedFrames(known, landmarks[around], focal[around])
        found = _expression(known, frames, neutral, observed[around], follows[around])
        inner = slice(first - around.start, first - around.start + _CHUNK)
        yield found[inner], Placed(*(part[inner] for part in _parts(frames.placed)))


def _expression(
    known: Likelihood, frames: PlacedFrames, neutral: Floats, observed: Floats, follows: Truths
) -> Floats:
    """The coefficients (N, 52) of frames, steady where a frame follows the one before."""
    coefficients = observed
    linked = SETTINGS.steady * follows[1:, None].astype(np.float64)
    steps = 1 / (1 / known.steps + 4 * SETTINGS.steady)
    for _ in range(_REFINE):
        _, moving = frames.evidence(neutral + coefficients @ known.motions, neutral)
        slope = partial(_steady_slope, known, moving, observed, linked)
        coefficients = _descended(coefficients, slope, steps)
    frames.shapes(neutral + coefficients @ known.motions)
    return coefficients


def _steady_slope(
    known: Likelihood, moving: Floats, observed: Floats, linked: Floats, coefficients: Floats
) -> Floats:
    change = np.pad(linked * np.diff(coefficients, axis=0), ((1, 1), (0, 0)))
    return known.slope(coefficients, moving, observed) + change[:-1] - change[1:]


def _descended(start: Floats, slope: Callable[[Floats], Floats], steps: Floats) -> Floats:
    """Coefficients of least cost: accelerated projected descent (Beck and Teboulle 2009)."""
    best, ahead, pace = start, start, 1.0
    for _ in range(_STEPS):
        found = np.clip(ahead - steps * slope(ahead), 0, SETTINGS.most)
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = found + (pace - 1) / faster * (found - best)
        best, pace = found, faster
    return np.asarray(best)


def _follows(runs: Sequence[slice], count: int) -> Truths:
    """Which frames (N,) follow the one before in a run."""
    follows = np.zeros(count, bool)
    for run in runs:
        follows[run.start + 1 : run.stop] = True
    return follows


def _parts(placed: Placed) -> list[Singles]:
    return [getattr(placed, field.name) for field in fields(Placed)]


def _joined(placed: Sequence[Placed]) -> Placed:
    columns = zip(*map(_parts, placed), strict=True)
    return Placed(*(np.concatenate(column).astype(np.float32) for column in columns))


def _eyes_apart(neutral: Singles) -> float:
    """The distance of the outer corners of the eyes."""
    return float(np.linalg.norm(neutral[RIGHT_EYE[0]] - neutral[LEFT_EYE[0]]))
