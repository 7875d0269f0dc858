"""Train: the refiner, fine-tuned to a shot."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.errors import KnobError
from lifemask.nodes.swap.checks import check_consent
from lifemask.nodes.swap.roles import FacesetRole
from lifemask.nodes.types import Model

if TYPE_CHECKING:
    from lifemask.nodes.learning.train_refiner import RefinerConfig


@dataclass(frozen=True)
class Preset:
    """Values of the knobs that are 0."""

    size: int
    batch: int
    minutes: float


PRESETS = {
    "draft": Preset(128, 8, 5),
    "standard": Preset(256, 8, 20),
    "hero": Preset(512, 4, 90),
}
ON_CARD = {"draft": 1.0, "standard": 2.0, "hero": 5.0}
"""Minutes of the presets on a graphics card, which takes several times as many steps in them."""


class Train(Node):
    """Tune the refiner to a shot, from the base that ships with Lifemask, in minutes.

    It learns from the shot's own facesets by cycle pairs: performers are swapped for each other and
    back, and the filmed frame is the truth. A little self-distillation, and averaging with the
    weights it started from, keep it from forgetting. Where the size is smaller than the faces that
    the model knows, it learns in windows of them; no face is larger than in the plate, or than
    256 px. One model serves every likeness and double of the shot. A training that was stopped or
    killed resumes.
    """

    preset: Annotated[
        Literal["draft", "standard", "hero"],
        Knob(
            "Size and time: 128 px in 5 minutes, 256 in 20, 512 in 90; on a card in 1, 2, 5.",
            at_hand=True,
        ),
    ] = "draft"
    minutes: Annotated[float, Knob("Time to train; 0 is the preset's.", 0, 10000, "min")] = 0.0
    size: Annotated[
        int, Knob("Side of the windows it learns in; 0 is the preset's.", 0, 2048, "px")
    ] = 0
    batch: Annotated[int, Knob("Examples a step; 0 is the preset's.", 0, 256)] = 0
    learning_rate: Annotated[
        float, Knob("Peak learning rate, in thousandths: 1 is 0.001.", 0.01, 10, was="rate")
    ] = 0.5
    max_examples: Annotated[
        int, Knob("Most examples of each faceset or pair.", 8, 10000, was="faces")
    ] = 160
    seed: Annotated[int, Knob("Seed of the order; the same seed trains the same.", 0, 1000000)] = 0

    @property
    def chosen(self) -> Preset:
        """The preset, where the knobs do not override it."""
        from lifemask.nodes.device import device

        preset = PRESETS[self.preset]
        usual = preset.minutes if device().type == "cpu" else ON_CARD[self.preset]
        return Preset(self.size or preset.size, self.batch or preset.batch, self.minutes or usual)

    def config(self, performers: list[str], crop: int, facesets: str = "") -> "RefinerConfig":
        """Return how to train on crops of ``crop`` pixels of the ``performers``.

        ``facesets`` is a hash of theirs. Raises KnobError for a size that the refiner cannot see.
        """
        from lifemask.nodes.learning.train_refiner import RefinerConfig
        from lifemask.nodes.refiner.crop import STEP

        chosen = self.chosen
        if chosen.size % STEP:
            raise KnobError(f"size: {chosen.size} is not a multiple of {STEP}")
        return RefinerConfig(
            minutes=chosen.minutes,
            batch=chosen.batch,
            learning_rate=self.learning_rate / 1000,
            seed=self.seed,
            size=min(chosen.size, crop),
            crop=crop,
            performers=performers,
            max_examples=self.max_examples,
            facesets=facesets,
        )

    def __call__(
        self,
        cast: list[FacesetRole],
        start: Model,
        folder: Path,
        restart: bool = False,
        pairs: list[Path] | None = None,
        facesets: Path | None = None,
    ) -> Model:
        """Fine-tune ``start`` in ``folder`` and return the model; a training that is there resumes.

        With ``restart`` the training that is there is replaced. Folders of ``pairs``, whose perfect
        swap is known, are learned from, too; ``facesets`` keeps their facesets for the next time.

        Raises ReleaseError without a valid release for every likeness of the ``cast``,
        BrokenFileError when a checkpoint was altered or a pair lacks a file.
        """
        check_consent([one.role for one in cast])
        from lifemask.nodes.learning.data.paired import corpora
        from lifemask.nodes.train.tune import tune

        return tune(self, cast, start, folder, restart, corpora(pairs or [], facesets))
