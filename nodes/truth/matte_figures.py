"""Figures of a swap's mattes, beside the exact ones of the ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]

LEAST_OCCLUDED = 30
"""Pixels of the face that an occluder has to cover for a frame to count."""

_BAND = 3  # pixels on either side of the matte's outline
_SLIVER = 0.1  # log: brighter or darker than both plate and truth
_STILL = 0.02  # of an exact matte: what changes less stands still


@dataclass(frozen=True)
class Mattes:
    """One frame in the plate's own pixels: pictures (H, W, 3), log, and mattes (H, W), 0..1.

    ``face`` and ``occlusion`` are the swap's, None where it has no such layer. ``occluder`` is the
    exact one, of which ``whole``, the face without it, is all that counts.
    """

    swap: "F32"
    plate: "F32"
    truth: "F32"
    face: "F32 | None"
    occlusion: "F32 | None"
    occluder: "F32"
    whole: "F32"

    @property
    def figures(self) -> dict[str, float]:
        """What one frame tells: see `truth.Figures`."""
        return self._occluder() | self._outline()

    def _occluder(self) -> dict[str, float]:
        before = self.occluder * self.whole
        area = float(before.sum())
        if area <= LEAST_OCCLUDED:
            return self._false_alarm()
        error = np.abs(self.swap - self.truth).mean(-1)
        figures = {"occluder_l1": float((error * before).sum() / area)}
        if self.occlusion is not None and self._swapped:
            wrong = np.abs((self.occlusion - self.occluder) * self.whole).sum()
            figures["occlusion_error"] = float(wrong / area)
            figures["visible_iou"] = self._visible_iou(self.occlusion)
        return figures

    @property
    def _swapped(self) -> bool:
        """Whether there is a new face; where it is lost, the plate is not touched."""
        return self.face is None or bool(self.face.max() > 0)

    def _false_alarm(self) -> dict[str, float]:
        if self.occlusion is None or self.occluder.max() > 0.5:
            return {}
        area = max(float(self.whole.sum()), 1e-6)
        return {"false_occlusion_percent": float(100 * (self.occlusion * self.whole).sum() / area)}

    def _visible_iou(self, occlusion: "F32") -> float:
        own, exact = ((matte <= 0.5) & (self.whole > 0.5) for matte in (occlusion, self.occluder))
        return float((own & exact).sum() / max(1, int((own | exact).sum())))

    @property
    def outline(self) -> "NDArray[np.bool_] | None":
        """The pixels (H, W) beside the outline of the swap's face matte."""
        if self.face is None:
            return None
        inside = (self.face > 0.5).astype(np.uint8)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _BAND + 1, 2 * _BAND + 1))
        return np.asarray(cv2.dilate(inside, disc) > cv2.erode(inside, disc))

    def _outline(self) -> dict[str, float]:
        band = self.outline
        if band is None or not band.any():
            return {}
        swap, plate, truth = (picture[band] for picture in (self.swap, self.plate, self.truth))
        brighter = swap - np.maximum(plate, truth) > _SLIVER
        darker = np.minimum(plate, truth) - swap > _SLIVER
        return {"sliver_percent": float(100 * (brighter | darker).any(-1).mean())}

    def since(self, before: "Mattes") -> dict[str, float]:
        """What this frame tells beside the one ``before`` it."""
        return self._outline_error(before) | self._flicker(before)

    def _outline_error(self, before: "Mattes") -> dict[str, float]:
        band = self.outline
        if band is None or not band.any():
            return {}
        own = np.abs(self.swap - self.truth)[band].mean()
        usual = np.abs(self.plate - before.plate)[band].mean()
        return {"outline_l1": float(own), "outline_change": float(usual)}

    def _flicker(self, before: "Mattes") -> dict[str, float]:
        if self.occlusion is None or before.occlusion is None:
            return {}
        moved = np.abs(self.occluder - before.occluder).astype(np.float32)
        still = (cv2.dilate(moved, np.ones((5, 5))) < _STILL) & (self.occluder > 0.5)
        still &= (self.whole > 0.5) & (before.whole > 0.5)
        if still.sum() <= LEAST_OCCLUDED:
            return {}
        return {"occlusion_flicker": float(np.abs(self.occlusion - before.occlusion)[still].mean())}


def whole_shot(frames: "Sequence[Mapping[str, float]]") -> dict[str, Any]:
    """Return each figure's mean over the ``frames`` that have it; the largest for ``_max``."""
    names = {name for frame in frames for name in frame}
    columns = {name: [frame[name] for frame in frames if name in frame] for name in names}
    found: dict[str, Any] = {
        name: max(values) if name.endswith("_max") else sum(values) / len(values)
        for name, values in columns.items()
    }
    change = found.pop("outline_change", 0.0)
    error = found.pop("outline_l1", 0.0)
    return found | ({"outline_ratio": error / change} if change else {})
