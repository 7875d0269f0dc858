"""The work behind `Train`: rehearse on the shot, train, keep the model."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.nodes import progress
from lifemask.nodes.faceset.files import INDEX
from lifemask.nodes.learning.amp import enough_memory
from lifemask.nodes.learning.data.cycle_pairs import rehearsals
from lifemask.nodes.learning.data.distillation import reminders
from lifemask.nodes.learning.data.examples import Example, Examples
from lifemask.nodes.learning.data.paired import Corpus
from lifemask.nodes.learning.run_folder import alone, begun
from lifemask.nodes.learning.trainer import Plan, train
from lifemask.nodes.refiner.crop import side
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.types import Model

if TYPE_CHECKING:
    from lifemask.nodes.swap import Role
    from lifemask.nodes.train import Train


_REMINDED = 8  # so many times fewer reminders than exercises, at most


def tune(
    node: "Train",
    cast: "list[Role]",
    start: Model,
    folder: Path,
    anew: bool = False,
    corpora: Sequence[Corpus] = (),
) -> Model:
    """Train ``start`` on the ``cast``, as the knobs of ``node`` say, and write it to ``folder``.

    What the pairs of the ``corpora`` teach is learned along.
    """
    refiner = RefinerModel.load(start.path)
    people = sorted({name for role in cast for name in _names(role)})
    wanted = max(node.chosen.size, refiner.size)
    crop = max(side(role.double, wanted) for role in cast)
    whom = people + [corpus.folder.name for corpus in corpora]
    plan = Plan.of(node, whom, crop, _identity(cast))
    if crop < node.chosen.size:
        larger = f"{node.chosen.size} would only magnify them"
        progress.note("train", f"the faces are learned at {crop} px; {larger}")
    with alone(folder):
        # Before the rehearsal, which takes its time, say why this training cannot go on.
        begun(folder, plan.configuration(refiner), anew)
        with enough_memory("faces: there is not enough memory to rehearse"):
            examples = _examples(cast, refiner, corpora, plan, node.faces)
        return Model(train(refiner, examples, plan, folder, anew))


def _names(role: "Role") -> tuple[str, str]:
    return role.likeness.performer, role.double.performer


def _identity(cast: "list[Role]") -> str:
    """A hash that another faceset of as many faces would not have."""
    told = sha256()
    for role in cast:
        for faceset in (role.likeness, role.double):
            told.update((faceset.folder / INDEX).read_bytes())
    return told.hexdigest()


def _examples(
    cast: "list[Role]", refiner: RefinerModel, corpora: Sequence[Corpus], plan: Plan, most: int
) -> Examples:
    every, size, few = rehearsals(cast, refiner), plan.crop, most // _REMINDED
    count = sum(min(len(one.own), most) for one in every)
    count += sum(min(len(role.double), few) for role in cast)
    count += sum(corpus.count(most) for corpus in corpora)
    plan.announce(refiner, count)

    def each() -> Iterator[Example]:
        yield from chain.from_iterable(one.examples(size, most) for one in every)
        for role in cast:
            yield from reminders(role, refiner, size, few)
        for corpus in corpora:
            yield from corpus.examples(size, plan.seed, most)

    return Examples.gathered(each(), count, size)
