"""Monochrome and tinted plates, whose new face must have no other colour.

In a plate that is black and white, sepia, toned or under one coloured lamp, a pixel's colour
follows from its brightness. How closely it does is measured on the double's face.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)
_SIDE = 32  # pixels at most in which colours are compared: grain is averaged away
_BINS = 24
_INSIDE = 0.95
_DIM = 0.1  # of the mean: the colour of darker pixels counts less
_TINTED, _COLOURED = 0.01, 0.04  # chroma that brightness does not explain: monochrome; coloured
_GREY = 1e-4  # of the brightness: a chroma that is rounding


@dataclass(frozen=True)
class Monochrome:
    """The colour of a monochrome plate as a function of brightness.

    ``chroma`` (K, 3) at each ``brightness`` (K,), which ascends from above zero; both are linear.
    ``share`` 0..1 is how monochrome the plate is.
    """

    brightness: "Floats"
    chroma: "Floats"
    share: float

    @classmethod
    def of(cls, picture: "Floats", matte: "Floats") -> "Monochrome | None":
        """Measure a ``picture`` (H, W, 3), linear, inside a ``matte`` (H, W).

        None where it is coloured, or where the matte is empty.
        """
        pixels = _averaged(picture, matte)
        bright = pixels @ _WEIGHTS
        pixels, bright = pixels[bright > 0], bright[bright > 0]
        if len(bright) < _BINS:
            return None
        order = np.array_split(np.argsort(bright, kind="stable"), _BINS)
        beside = pixels - bright[:, None]
        brightness = np.array([np.median(bright[part]) for part in order])
        chroma = np.array([np.median(beside[part], 0) for part in order])
        chroma -= (chroma @ _WEIGHTS)[:, None]  # medians of channels are not of one colour
        chroma[np.abs(chroma).max(1) < _GREY * brightness] = 0
        found = cls(brightness, chroma, 1.0)
        apart = np.abs(beside - found._chroma_at(bright)).max(1)
        left = np.quantile(apart / (bright + _DIM * bright.mean()), 0.9)
        share = float(np.clip((_COLOURED - left) / (_COLOURED - _TINTED), 0, 1))
        return cls(found.brightness, found.chroma, share) if share else None

    def toned(self, picture: "Floats", weight: "Floats") -> "Floats":
        """Return ``picture`` (H, W, 3) toned by the share times ``weight`` (H, W, 1), 0..1."""
        bright = picture @ _WEIGHTS
        toned = bright[..., None] + self._chroma_at(bright)
        share = weight * np.float32(self.share)
        # Where all of it is toned no rounding may bring a colour back.
        return np.where(share == 1, toned, picture + share * (toned - picture))

    def _chroma_at(self, bright: "Floats") -> "Floats":
        """The chroma (..., 3) at a brightness; beyond the measured range it grows in proportion."""
        known = np.clip(bright, self.brightness[0], self.brightness[-1])
        beside = [np.interp(known, self.brightness, column) for column in self.chroma.T]
        grown = np.clip(bright, 0, None) / known
        return np.asarray(np.stack(beside, -1) * grown[..., None], np.float32)


def grey(picture: "Floats") -> "NDArray[np.bool_]":
    """Return which pixels (H, W, 1) of a ``picture`` (H, W, 3) are grey."""
    apart, most = np.ptp(picture, -1, keepdims=True), np.abs(picture).max(-1, keepdims=True)
    return np.asarray(apart <= _GREY * most, bool)


def _averaged(picture: "Floats", matte: "Floats") -> "Floats":
    """The pixels (N, 3) inside the matte, of the reduced picture."""
    import cv2

    scale = min(1.0, _SIDE / max(picture.shape[:2]))
    size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
    small, inside = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (picture, matte))
    return np.asarray(small[inside > _INSIDE], np.float32)
