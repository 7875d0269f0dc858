"""Landmarks in pictures, their pose, and those of them that stand out."""

import numpy as np
from numpy.typing import NDArray

from lifemask.nodes.faces.face_space import Placed
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.landmark_likelihood import Likelihood
from lifemask.nodes.head.perspective import nearness, view_error
from lifemask.nodes.render.atlas import atlas
from lifemask.nodes.render.shape import place, posed

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_OUTLIER = 2.5  # deviations from which a landmark counts less: covered, or it jumps


class PlacedFrames:
    """Landmarks (N, 478, 3) and the poses that the shapes expected of them give.

    ``trust`` (N, 478) is below 1 where a landmark stands out; ``placed`` has the shapes as tracked.
    """

    placed: Placed

    def __init__(self, likelihood: Likelihood, landmarks: Singles, focal: Singles) -> None:
        self._likelihood, self._focal = likelihood, focal
        self._landmarks, self._usual = landmarks, landmarks
        self._view = np.zeros_like(landmarks)
        self.trust = np.ones(landmarks.shape[:2])

    def evidence(self, expected: Floats, neutral: Floats) -> tuple[Floats, Floats]:
        """Return what the shapes say beyond the ``neutral`` (1434,), given those ``expected``.

        Of the identity (N, M) and of the coefficients (N, 52): see `Likelihood.projection`.
        """
        both = (self.shapes(expected) - neutral) @ self._likelihood.projection
        return both[:, : -len(NAMES)], both[:, -len(NAMES) :]

    def shapes(self, expected: Floats) -> Floats:
        """Return the shapes (N, 1434) less what the view does, given those that are ``expected``.

        The more a landmark stands out, the nearer it is moved to where it is expected.
        """
        expected = expected.reshape(self._landmarks.shape)
        self._place(expected)
        left = self.placed.shape - self._view - expected
        far = np.linalg.norm(left, axis=-1) / self._likelihood.deviation
        self.trust = np.square(_OUTLIER / np.maximum(far, _OUTLIER))
        usual = expected + self.trust[..., None] * left
        self._usual = posed(self._with_shape((usual + self._view).astype(np.float32)))
        return np.asarray(usual.reshape(len(usual), -1))

    def _place(self, expected: Floats) -> None:
        self.placed = place(self._usual, (expected + self._view).astype(np.float32), atlas())
        near = nearness(self.placed.scale, self._focal)
        self._view = view_error(self.placed.rotation, near)
        moved = self._landmarks - self.placed.centre[:, None]
        shape = np.einsum("nki,nij->nkj", moved, self.placed.rotation)
        self.placed = self._with_shape(shape / self.placed.scale[:, None, None])

    def _with_shape(self, shape: Singles) -> Placed:
        return Placed(shape, self.placed.scale, self.placed.rotation, self.placed.centre)
