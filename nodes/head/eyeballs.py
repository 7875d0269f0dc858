"""Eyeballs as spheres."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_BACK = 0.6  # of an eyeball's vertices lie on a sphere; the cornea before them bulges


@dataclass(frozen=True)
class Eyeballs:
    """The right and the left eyeball: spheres, and the outlines of their irises."""

    centre: "NDArray[np.float32]"  # (2, 3)
    radius: "NDArray[np.float32]"  # (2,)
    iris: "NDArray[np.float32]"  # (2,)


def sphere_through(eyeball: "Floats", depth: "Floats") -> "tuple[NDArray[np.float64], float]":
    """Return centre (3,) and radius of an ``eyeball`` (V, 3), by least squares over its back.

    ``depth`` (V,) grows away from the cornea.
    """
    back = eyeball[depth > np.quantile(depth, 1 - _BACK)].astype(np.float64)
    known = np.hstack([2 * back, np.ones((len(back), 1))])
    *centre, rest = np.linalg.lstsq(known, (back**2).sum(1))[0]
    return np.array(centre), float(np.sqrt(rest + np.square(centre).sum()))
