"""The base: a refiner that learns from pairs whose perfect swap is known."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lifemask.nodes.learning.data.examples import ExampleSet
from lifemask.nodes.learning.data.paired import corpora
from lifemask.nodes.learning.run_folder import RunFolder
from lifemask.nodes.learning.train_refiner import train_refiner
from lifemask.nodes.provenance import SHIPPED
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.refiner.network import Refiner
from lifemask.nodes.types import Model

if TYPE_CHECKING:
    from lifemask.nodes.train import Train


def train_base(
    node: "Train",
    folders: list[Path],
    facesets: Path | None,
    start: RefinerModel | None,
    folder: Path,
    restart: bool = False,
) -> Model:
    """Train ``start``, or a new refiner, on the pairs in ``folders``, and save it in ``folder``.

    A training that is there resumes, unless it is to ``restart``. Raises KnobError without a folder
    for ``facesets``.
    """
    torch.manual_seed(node.seed)
    model = start or RefinerModel(Refiner(), node.chosen.size, SHIPPED)
    config = node.config([path.name for path in folders], max(node.chosen.size, model.size))
    paired = corpora(folders, facesets)
    with RunFolder(folder).locked():
        count = sum(corpus.count(node.max_examples) for corpus in paired)
        config.report_memory(model.network, count)
        each = (
            example
            for corpus in paired
            for example in corpus.examples(config.crop, config.seed, node.max_examples)
        )
        examples = ExampleSet.collect(each, count, config.crop)
        return Model(train_refiner(model, examples, config, folder, restart))
