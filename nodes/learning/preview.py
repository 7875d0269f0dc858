"""The contact sheet of a refiner's training: what it makes of a few examples so far."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.amp import mixed_training
from lifemask.nodes.learning.callbacks import SECONDARY, Interval, LossLog
from lifemask.nodes.learning.data.examples import Batch
from lifemask.nodes.refiner.crop import OCCLUSION, PLATE
from lifemask.nodes.refiner.model import moved_matte
from lifemask.nodes.refiner.network import Prediction, Refiner
from lifemask.nodes.render.acescct import to_linear
from lifemask.nodes.render.filters import halved
from lifemask.ocio.colour.transform import WORKING, display
from lifemask.ocio.system.atomic import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 6
"""Examples in a preview, a column each."""

_INTERVAL = 20.0  # seconds
_LOGGED_SIDE = 128  # pixels of an example in the log, at most: a day's log stays small


class Preview:
    """Writes a contact sheet now and then, to a file and to the log.

    A column for each example: the plate, the bare render composited, the refined render
    composited, and the truth.
    """

    def __init__(
        self, example: Batch, network: Callable[[], Refiner], path: Path, log: LossLog
    ) -> None:
        """Show what the ``network`` of the moment makes of ``example``."""
        self._example, self._network, self._path, self._log = example, network, path, log
        self._interval = Interval(_INTERVAL)

    def __enter__(self) -> Self:
        """Show how it begins."""
        self.write()
        return self

    def __exit__(self, *_: object) -> None:
        """Show how it ended."""
        with suppress(*SECONDARY):
            self.write()

    def step(self, losses: Mapping[str, float]) -> None:
        """Write a new sheet when the last one is old."""
        if self._interval.passed():
            self.write()
            self._interval.restart()

    @torch.inference_mode()
    def write(self) -> None:
        """Write the sheet, and report it."""
        rows = self._rows()
        halvings = (rows[0].shape[-1] - 1).bit_length() - _LOGGED_SIDE.bit_length() + 1
        small = [halved(row, max(0, halvings)) for row in rows]
        self._log.image("preview", _sheet(small))
        _write(self._path, _sheet(rows))
        progress.preview("train", self._path)

    def _rows(self) -> list[Tensor]:
        """Pictures (N, 3, H, W), linear."""
        network, example = self._network(), self._example
        with mixed_training():
            # One at a time: memory may have no room for a batch of so many.
            prediction = Prediction.concatenated(network(one[None]) for one in example.shown)
        plate, truth = to_linear(example.shown[:, PLATE]), to_linear(example.truth)
        perfect = torch.lerp(plate, truth, example.matte)
        return [plate, _composite(example), _composite(example, prediction), perfect]


def _composite(example: Batch, prediction: Prediction | None = None) -> Tensor:
    """The render over the plate (N, 3, H, W), linear; refined where there is a ``prediction``."""
    plate, picture = to_linear(example.shown[:, PLATE]), example.candidates[:, 0]
    face = example.face
    if prediction:
        picture, face = picture + prediction.residual, moved_matte(face, prediction.matte)
    return torch.lerp(plate, to_linear(picture), face * (1 - example.shown[:, OCCLUSION]))


def _sheet(rows: list[Tensor]) -> "NDArray[np.uint8]":
    """Rows of pictures (N, 3, H, W), linear, as one for a screen: (H, W, 3)."""
    sheet = torch.cat([torch.cat(list(row), 2) for row in rows], 1)
    linear = sheet.float().permute(1, 2, 0).cpu().numpy()
    shown = display(np.ascontiguousarray(linear), WORKING)
    return np.asarray(shown.clip(0, 1) * 255, np.uint8)


def _write(path: Path, picture: "NDArray[np.uint8]") -> None:
    import cv2

    _, packed = cv2.imencode(".png", picture[..., ::-1])
    with replacing(path) as temporary:
        temporary.write_bytes(packed.tobytes())
