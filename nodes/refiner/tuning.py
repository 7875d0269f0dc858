"""The work behind `Train`: rehearse on the shot, train, keep the model."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.nodes.refiner import checkpoint
from lifemask.nodes.refiner.examples import Example, Examples
from lifemask.nodes.refiner.finisher import Finisher
from lifemask.nodes.refiner.loop import Plan, train
from lifemask.nodes.refiner.rehearsal import rehearsals
from lifemask.nodes.refiner.reminder import reminders
from lifemask.nodes.refiner.watch import CHECKPOINTS
from lifemask.nodes.types import Model

if TYPE_CHECKING:
    from lifemask.nodes.swap import Role
    from lifemask.nodes.train import Train


def tune(
    node: "Train", cast: "list[Role]", start: Model, folder: Path, anew: bool = False
) -> Model:
    """Train ``start`` on the ``cast``, as the knobs of ``node`` say, and write it to ``folder``."""
    finisher = Finisher.load(start.path)
    plan = planned(node, sorted({name for role in cast for name in _names(role)}))
    if not anew:
        # Before the rehearsal, which takes its time, say why this training cannot go on.
        checkpoint.load(folder / CHECKPOINTS, plan.configuration(finisher))
    examples = _examples(cast, finisher, plan.size, node.faces)
    return Model(train(finisher, examples, plan, folder, anew))


def planned(node: "Train", whom: list[str]) -> Plan:
    """What the knobs come to, for a training that learns from ``whom``."""
    chosen = node.chosen
    return Plan(chosen.size, chosen.batch, chosen.minutes, node.rate / 1000, node.seed, whom)


def _names(role: "Role") -> tuple[str, str]:
    return role.likeness.performer, role.double.performer


def _examples(cast: "list[Role]", finisher: Finisher, size: int, most: int) -> Examples:
    every = rehearsals(cast, finisher)
    known = [role.double for role in cast]
    count = sum(min(len(faceset), most) for faceset in [*known, *(one.own for one in every)])

    def each() -> Iterator[Example]:
        yield from chain.from_iterable(one.examples(size, most) for one in every)
        for role in cast:
            yield from reminders(role, finisher, size, most)

    return Examples.gathered(each(), count, size)
