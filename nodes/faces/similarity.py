"""The similarity that brings one set of points onto another."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]


def similarity(source: "Array", target: "Array", weight: "Array") -> "tuple[Array, Array, Array]":
    """Return scale (N,), rotation (N, D, D) and translation (N, D) from source to target.

    Weighted least squares in closed form (Umeyama 1991, eq. 40 to 43): ``source`` and ``target``
    are (N, K, D), or (1, K, D) where all share them; ``weight`` is (K,).
    """
    w = weight / weight.sum()
    mean_s, mean_t = (source * w[:, None]).sum(1), (target * w[:, None]).sum(1)
    s, t = source - mean_s[:, None], target - mean_t[:, None]
    u, d, vt = np.linalg.svd(np.einsum("nki,nkj,k->nij", t, s, w))
    # A reflection is no rotation: the weakest axis is flipped back.
    flip = np.ones_like(d)
    flip[:, -1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * flip[:, None]) @ vt
    scale = (d * flip).sum(1) / np.einsum("nki,nki,k->n", s, s, w)
    translation = mean_t - scale[:, None] * np.einsum("nij,nj->ni", rotation, mean_s)
    return scale, rotation, translation
