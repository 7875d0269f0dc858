"""The work behind `Train`: rehearse on the shot, train, keep the model."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.nodes import progress
from lifemask.nodes.refiner import checkpoint
from lifemask.nodes.refiner.crop import side
from lifemask.nodes.refiner.examples import Example, Examples
from lifemask.nodes.refiner.finisher import Finisher
from lifemask.nodes.refiner.loop import Plan, train
from lifemask.nodes.refiner.pairs import Corpus
from lifemask.nodes.refiner.rehearsal import rehearsals
from lifemask.nodes.refiner.reminder import reminders
from lifemask.nodes.refiner.watch import CHECKPOINTS
from lifemask.nodes.types import Model

if TYPE_CHECKING:
    from lifemask.nodes.swap import Role
    from lifemask.nodes.train import Train


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
    finisher = Finisher.load(start.path)
    people = sorted({name for role in cast for name in _names(role)})
    wanted = max(node.chosen.size, finisher.size)
    crop = max(side(role.double, wanted) for role in cast)
    plan = Plan.of(node, people + [corpus.folder.name for corpus in corpora], crop)
    if crop < node.chosen.size:
        larger = f"{node.chosen.size} would only magnify them"
        progress.note("train", f"the faces are learned at {crop} px; {larger}")
    if not anew:
        # Before the rehearsal, which takes its time, say why this training cannot go on.
        checkpoint.load(folder / CHECKPOINTS, plan.configuration(finisher))
    examples = _examples(cast, finisher, corpora, plan, node.faces)
    return Model(train(finisher, examples, plan, folder, anew))


def _names(role: "Role") -> tuple[str, str]:
    return role.likeness.performer, role.double.performer


def _examples(
    cast: "list[Role]", finisher: Finisher, corpora: Sequence[Corpus], plan: Plan, most: int
) -> Examples:
    every, size = rehearsals(cast, finisher), plan.crop
    known = [role.double for role in cast]
    count = sum(min(len(faceset), most) for faceset in [*known, *(one.own for one in every)])
    count += sum(corpus.count(most) for corpus in corpora)

    def each() -> Iterator[Example]:
        yield from chain.from_iterable(one.examples(size, most) for one in every)
        for role in cast:
            yield from reminders(role, finisher, size, most)
        for corpus in corpora:
            yield from corpus.examples(size, plan.seed, most)

    return Examples.gathered(each(), count, size)
