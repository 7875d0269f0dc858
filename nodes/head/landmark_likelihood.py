"""How likely a tracked shape is, given who it is and what expression: a Gaussian.

A shape is ``neutral + x @ factors + c @ motions + error``, with identity x ~ N(0, 1), coefficients
c, and errors that are alike in whole regions of a face. A shape then counts by two short vectors,
``factors @ E^-1 @ shape`` and ``motions @ E^-1 @ shape``, with E the covariance of the errors.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.landmark_model import LandmarkModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How far shapes and coefficients may be from what is expected: chosen on people left out."""

    single: float = 0.12  # centimetres by which each landmark errs on its own
    sides: float = 0.2  # of coefficients, between left and right
    observed: float = 1.5  # times the deviation of the coefficients that a network observes
    rarity: float = 1.5  # of the exponential prior on coefficients: likelihoods a unit


SPREAD = Spread()
_FACTORS = 140  # of the neutral: more change nothing
_MODES = 60  # of the head model


@dataclass(frozen=True)
class Likelihood:
    """The Gaussian of a landmark model, whose errors are ``scaled``."""

    model: LandmarkModel
    scaled: float = 1.0

    @cached_property
    def expected(self) -> Floats:
        """The neutral of the mean person (1434,)."""
        return self.model.neutral.reshape(-1).astype(np.float64)

    @cached_property
    def motions(self) -> Floats:
        """What coefficients of 1 do to a shape (52, 1434)."""
        return self.model.motions.reshape(len(NAMES), -1).astype(np.float64)

    @cached_property
    def _errors(self) -> Floats:
        errors = self.model.errors.reshape(len(self.model.errors), -1)
        return self.scaled * errors.astype(np.float64)

    @cached_property
    def deviation(self) -> Floats:
        """By how much each landmark errs (478,), in centimetres, over the three axes."""
        variance = np.square(self._errors).sum(0) + SPREAD.single**2
        return np.asarray(np.sqrt(variance.reshape(-1, 3).sum(1)))

    def _weighted(self, shapes: Floats) -> Floats:
        """``shapes @ E^-1`` (Woodbury)."""
        single = SPREAD.single**2
        inner = single * np.eye(len(self._errors)) + self._errors @ self._errors.T
        shared = np.linalg.solve(inner, self._errors @ shapes.T)
        return np.asarray((shapes - shared.T @ self._errors) / single)

    @cached_property
    def _rotated(self) -> tuple[Floats, Floats]:
        """Information (M,) of the factors that it says most of, and the rotation (M, K) to them."""
        factors = self.model.identity.reshape(len(self.model.identity), -1).astype(np.float64)
        information, rotation = np.linalg.eigh(self._weighted(factors) @ factors.T)
        return information[: -_FACTORS - 1 : -1], rotation.T[: -_FACTORS - 1 : -1]

    @property
    def information(self) -> Floats:
        """Fisher information (M,) of a shape about each factor: ``factors @ E^-1 @ factors.T``."""
        return self._rotated[0]

    @cached_property
    def factors(self) -> Floats:
        """Factors (M, 1434) of the covariance of neutrals."""
        factors = self.model.identity.reshape(len(self.model.identity), -1)
        return np.asarray(self._rotated[1] @ factors)

    def neutral(self, identity: Floats) -> Floats:
        """Return the neutral (1434,) of an ``identity`` (M,)."""
        return np.asarray(self.expected + identity @ self.factors)

    def modes(self, identity: Floats) -> Floats:
        """Return the head model's modes (60,) of an ``identity`` (M,)."""
        return np.asarray(identity @ self._rotated[1][:, :_MODES])

    @cached_property
    def projection(self) -> Floats:
        """What takes shapes (N, 1434) to the vectors (N, M + 52) by which they count."""
        return self._weighted(np.concatenate([self.factors, self.motions])).T

    @cached_property
    def motion_information(self) -> Floats:
        """``motions @ E^-1 @ motions.T`` (52, 52)."""
        return np.asarray(self.motions @ self.projection[:, len(self.information) :])

    @cached_property
    def cross_information(self) -> Floats:
        """``factors @ E^-1 @ motions.T`` (M, 52): how far expressions look like somebody else."""
        return np.asarray(self.factors @ self.projection[:, len(self.information) :])

    @cached_property
    def pull(self) -> Floats:
        """How strongly each coefficient (52,) is pulled to what a network observes."""
        return 1 / np.square(SPREAD.observed * self.model.deviation.clip(0.02))

    @cached_property
    def curvature(self) -> Floats:
        """The second derivative (52, 52) of the cost of one shape by its coefficients."""
        return np.asarray(self.motion_information + np.diag(self.pull) + _sides())

    @cached_property
    def steps(self) -> Floats:
        """Steps (52,) of a descent that converges."""
        size = np.diag(self.curvature)
        scaled = self.curvature / np.sqrt(np.outer(size, size))
        return np.asarray(1 / (1.02 * np.linalg.eigvalsh(scaled)[-1] * size))

    def observed(self, expression: NDArray[np.float32]) -> Floats:
        """Return the coefficients (N, 52) by those of a network (N, 52)."""
        known = np.pad(expression, ((0, 0), (0, 1)), constant_values=1)
        return np.asarray((known @ self.model.observed).clip(0, 1), np.float64)

    def slope(self, coefficients: Floats, evidence: Floats, observed: Floats) -> Floats:
        """Return the derivative of the cost by the ``coefficients`` (N, 52), per frame.

        ``evidence`` (N, 52) is the shapes' for the coefficients, less that of their neutral.
        """
        pulled = observed * self.pull - SPREAD.rarity
        return np.asarray(coefficients @ self.curvature - evidence - pulled)

    def deviation_of_neutral(self, frames: float) -> float:
        """Return the standard deviation of a neutral, in centimetres, rms over the landmarks.

        ``frames`` is how many shapes with errors of their own it is from.
        """
        unknown = np.linalg.solve(self.curvature, self.cross_information.T)
        precision = np.eye(len(self.information)) + frames * (
            np.diag(self.information) - self.cross_information @ unknown
        )
        flat = self.factors.reshape(len(precision), -1, 3)[..., :2].reshape(len(precision), -1)
        variance = np.einsum("md,md->d", flat, np.linalg.solve(precision, flat))
        return float(np.sqrt(2 * variance.mean()))


def _sides() -> Floats:
    """The precision (52, 52) that couples left and right, for shapes that both sides have."""
    pull = np.zeros((len(NAMES), len(NAMES)))
    for left, name in enumerate(NAMES):
        if name.endswith("Left") and not name.startswith(("eyeLook", "jaw", "mouthLeft")):
            right = NAMES.index(f"{name.removesuffix('Left')}Right")
            pull[[left, right], [left, right]] += 1
            pull[[left, right], [right, left]] -= 1
    return pull / SPREAD.sides**2
