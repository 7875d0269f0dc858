"""The work behind `Train`: fine-tune the refiner to a shot, on the shot's own facesets."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.nodes import progress
from lifemask.nodes.faceset.files import INDEX
from lifemask.nodes.faceset.provider import posed_faces_of
from lifemask.nodes.learning.data.cycle_pairs import cycle_pairs
from lifemask.nodes.learning.data.distillation import distilled
from lifemask.nodes.learning.data.examples import Batch, ExampleSet
from lifemask.nodes.learning.data.paired import Corpus
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.train_refiner import RefinerConfig, train_refiner
from lifemask.nodes.memory import enough_memory
from lifemask.nodes.refiner.crop import side
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.swap.roles import FacesetRole
from lifemask.nodes.types import Model

if TYPE_CHECKING:
    from lifemask.nodes.train import Train


_DISTILLED = 8  # at most one distilled example for so many cycle pairs


def tune(
    node: "Train",
    cast: list[FacesetRole],
    start: Model,
    folder: Path,
    restart: bool = False,
    corpora: Sequence[Corpus] = (),
) -> Model:
    """Fine-tune ``start`` to the ``cast``, as the knobs of ``node`` say, and save it in ``folder``.

    The pairs of the ``corpora`` are learned from, too.
    """
    model = RefinerModel.load(start.path)
    config = _config(node, cast, model, corpora)
    with RunFolder(folder).locked() as run:
        # Before the cycle pairs, which take time, say why this training cannot resume.
        run.resumable(config.configuration(model), restart)
        with enough_memory("max_examples: there is not enough memory for the cycle pairs"):
            examples = _examples(cast, model, corpora, config)
        return Model(train_refiner(model, examples, config, folder, restart))


def _config(
    node: "Train", cast: list[FacesetRole], model: RefinerModel, corpora: Sequence[Corpus]
) -> RefinerConfig:
    names = {one.performer for role in cast for one in (role.likeness, role.double)}
    learned_from = sorted(names) + [corpus.folder.name for corpus in corpora]
    largest = max(node.chosen.size, model.size)
    crop = max(side(posed_faces_of(role.double).detail, largest) for role in cast)
    if crop < node.chosen.size:
        larger = f"{node.chosen.size} would only magnify them"
        progress.note("train", f"the faces are learned at {crop} px; {larger}")
    return node.config(learned_from, crop, _identity(cast))


def _identity(cast: list[FacesetRole]) -> str:
    """A hash that changes with any faceset of the ``cast``."""
    found = sha256()
    for role in cast:
        for faceset in (role.likeness, role.double):
            found.update((faceset.folder / INDEX).read_bytes())
    return found.hexdigest()


def _examples(
    cast: list[FacesetRole], model: RefinerModel, corpora: Sequence[Corpus], config: RefinerConfig
) -> ExampleSet:
    every, size, most = cycle_pairs(cast, model), config.crop, config.max_examples
    few = most // _DISTILLED
    count = sum(min(len(one.own), most) for one in every)
    count += sum(min(len(role.double), few) for role in cast)
    count += sum(corpus.count(most) for corpus in corpora)
    config.report_memory(model.network, count)

    def each() -> Iterator[Batch]:
        yield from chain.from_iterable(one.examples(size, most) for one in every)
        for role in cast:
            yield from distilled(role, model, size, few)
        for corpus in corpora:
            yield from corpus.examples(size, config.seed, most)

    return ExampleSet.collect(each(), count, size)
