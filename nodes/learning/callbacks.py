"""What a training run tells on its way: time left, losses, a preview, and checkpoints."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import progress
from lifemask.nodes.errors import StoppedError, WriteError
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.amp import mixed
from lifemask.nodes.learning.data.examples import Example, even
from lifemask.nodes.learning.run_folder import CHECKPOINTS
from lifemask.nodes.refiner.crop import OCCLUSION, PLATE
from lifemask.nodes.refiner.model import RefinerModel, moved_matte
from lifemask.nodes.refiner.network import Answer
from lifemask.nodes.render.acescct import to_linear
from lifemask.nodes.render.filters import halved
from lifemask.nodes.train import MODEL
from lifemask.ocio.colour.transform import WORKING, display
from lifemask.ocio.system.atomic import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifemask.nodes.learning.trainer import Run

PREVIEW = "preview.png"
_SHOWN = 6  # examples in the preview
_PREVIEW_EVERY = 20.0  # seconds
_SAVED_EVERY = 30.0
_IN_LOG = 128  # pixels of an example in TensorBoard, at most: a day's log stays small


class Watch:
    """Listens to a run: everything that is for people, and nothing that the run depends on.

    In ``folder`` are kept the checkpoints, losses and previews for TensorBoard, and the preview: a
    column for each example with plate, bare swap, what the model makes of it, and what is right.
    """

    def __init__(
        self, run: "Run", start: RefinerModel, folder: Path, about: Mapping[str, Any]
    ) -> None:
        """Watch ``run``, which began as ``start``; ``about`` is what it is trained with."""
        from torch.utils.tensorboard import SummaryWriter

        self.run, self.start, self.folder, self.about = run, start, folder, dict(about)
        # What a killed run told after its last checkpoint happens again.
        self.board: SummaryWriter | None = None
        with self._logging():
            self.board = SummaryWriter(folder / "log", purge_step=len(run.history) + 1)
        self.example = run.examples.batch(list(even(len(run.examples), _SHOWN)))
        self.saved = self.previewed = monotonic()
        # Of a run that goes on, only what is left is told, so that the time left is right.
        self.begun, self.left = run.seconds, max(1, round(run.plan.minutes * 60 - run.seconds))

    def __enter__(self) -> "Watch":
        """Show how it begins."""
        self.preview()
        progress.reached("train", 0, self.left)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Keep what was learned, whatever stopped it: that is between two steps.

        Not what was nothing finite any more; there the checkpoint before is the better one.
        """
        stopped = error is None or isinstance(error, StoppedError | KeyboardInterrupt)
        if stopped:
            self.save()
        # What went wrong first is what is told.
        with suppress(WriteError, StoppedError, RuntimeError, MemoryError):
            if not stopped and self.run.history and self.run.sound:
                self.save()
            self.preview()
        with self._logging():
            if self.board:
                self.board.close()

    def tell(self, losses: Mapping[str, float]) -> None:
        """Tell of one more step."""
        with self._logging():
            if self.board:
                for name, value in losses.items():
                    self.board.add_scalar(f"loss/{name}", value, len(self.run.history))
        now = monotonic()
        if now - self.previewed > _PREVIEW_EVERY:
            self.preview()
            self.previewed = monotonic()
        if now - self.saved > _SAVED_EVERY:
            self.save()
            self.saved = monotonic()
        spent = max(1, int(self.run.seconds - self.begun))
        progress.reached("train", min(spent, self.left), self.left)

    def save(self) -> None:
        """Make the run as it is the newest checkpoint, and the model to swap with."""
        checkpoint.save(self.folder / CHECKPOINTS, self.run.state(self.about))
        self.model().save(self.folder / MODEL)

    def model(self) -> RefinerModel:
        """What the run came to so far."""
        run, earlier = self.run, self.start.about.get("trained", [])
        spent = {"steps": len(run.history), "minutes": round(run.seconds / 60, 1)}
        now = {**self.about, **spent, "finished": run.finished}
        about = {**self.start.about, "trained": [*earlier, now]}
        # Between what it knew and what it learned it keeps the one and has most of the other.
        network = self.start.network.between(run.average) if earlier else run.average
        return RefinerModel(network, max(self.start.size, run.plan.crop), about)

    @contextmanager
    def _logging(self) -> Iterator[None]:
        """Go on without the log when it cannot be written, and say so once."""
        try:
            yield
        except OSError as error:
            self.board = None
            why = error.strerror or error
            progress.note("train", f"{self.folder / 'log'}: no more losses are written ({why})")

    @torch.inference_mode()
    def preview(self) -> None:
        """Write the preview, and tell of it."""
        network = self.model().network
        with mixed():
            # One at a time: a batch that memory has room for may be smaller.
            answer = Answer.joined(network(one[None]) for one in self.example.shown)
        plate, truth = self.example.shown[:, PLATE], self.example.truth
        rows = [
            to_linear(plate),
            _over(self.example),
            _over(self.example, answer),
            torch.lerp(to_linear(plate), to_linear(truth), self.example.matte),
        ]
        times = (self.example.planes.shape[-1] - 1).bit_length() - _IN_LOG.bit_length() + 1
        small = [halved(row, max(0, times)) for row in rows]
        with self._logging():
            if self.board:
                sheet, step = _sheet(small), len(self.run.history)
                self.board.add_image("preview", sheet, step, dataformats="HWC")
        path = self.folder / PREVIEW
        _write(path, _sheet(rows))
        progress.preview("train", path)


def _over(example: Example, answer: Answer | None = None) -> Tensor:
    """The composite (N, 3, H, W), linear, of the bare render, or with what the model changes."""
    plate, picture = to_linear(example.shown[:, PLATE]), example.candidates[:, 0]
    face = example.face
    if answer:
        picture, face = picture + answer.change, moved_matte(face, answer.matte)
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
