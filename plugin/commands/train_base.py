"""`lifemask base`, or `lifemask train --base`: train the weights that ship with Lifemask."""

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated

from lifemask.nodes import archive
from lifemask.nodes.command import Command, Option, Result
from lifemask.nodes.errors import BrokenFileError, KnobError, VersionExistsError
from lifemask.nodes.progress import note
from lifemask.nodes.refiner.versions import MODEL, PREVIEW
from lifemask.nodes.train import Train
from lifemask.nodes.train.on_shot import finished
from lifemask.ocio.system.atomic import replacing

_PROGRESS = ("steps", "minutes", "finished")
"""The entries of a model's header that change during its training."""


class TrainBase(Command):
    """Train the base model from pairs whose perfect swap is known; `train --base` is the same."""

    name = "base"
    example = (
        "lifemask base twins/corpus --facesets twins/facesets --out base.safetensors "
        "--minutes 120 --learning-rate 1\n"
        "  lifemask base --start one.safetensors --start other.safetensors --out base.safetensors"
    )
    also = "train --base"
    node = Train

    pairs: Annotated[
        tuple[Path, ...],
        Option(
            "Folders of SHOT/PERSON: plates B with their perfect swaps A_on_B, and takes. "
            "Without any there is no training, and the models of --start are put together.",
            "PAIRS",
            positional=True,
        ),
    ] = ()
    out: Annotated[Path, Option("The file of the model to write.", "FILE")]
    overwrite: Annotated[
        bool,
        Option(
            "Replace an existing model; a finished training begins anew, one that was stopped or "
            "gets more time goes on."
        ),
    ] = False
    facesets: Annotated[
        Path | None,
        Option("Folder that keeps tracks and facesets of the pairs.", "FOLDER"),
    ] = None
    start: Annotated[
        tuple[Path, ...],
        Option(
            "The model to start from; several become an ensemble. From nothing by default.",
            "FILE",
            repeated=True,
        ),
    ] = ()

    def run(self) -> Result:
        """Return the model and its preview."""
        from lifemask.nodes.refiner.model import RefinerModel
        from lifemask.nodes.train.base import train_base

        if not self.pairs and len(self.start) < 2:
            raise KnobError("pairs: name folders of renders, or several models to put together")
        folder = self._folder()
        start = RefinerModel.ensemble([*map(RefinerModel.load, self.start)]) if self.start else None
        if start and not self.pairs:
            start.save(self.out)
            return {"model": self.out}
        restart = self.overwrite and finished(folder, replaced=True)
        node = Train(**Train.renamed(self.knobs, partial(note, self.name)))
        model = train_base(node, [*self.pairs], self.facesets, start, folder, restart)
        with replacing(self.out) as temporary:
            shutil.copyfile(model.path, temporary)
        return {"model": self.out, "preview": folder / PREVIEW}

    def _folder(self) -> Path:
        """Return the folder that keeps the training of the model ``--out``.

        Raises KnobError when there can be no such file or folder, VersionExistsError when the file
        is there, is not from the training that goes on, and nobody said to overwrite it.
        """
        out = self.out
        if out.is_dir() or not out.suffix:
            raise KnobError(f"out: {out} is no file's name; name the model, as in base.safetensors")
        folder = out.with_suffix("")
        for place in [*out.parents, *([folder] if self.pairs else [])]:
            if place.exists() and not place.is_dir():
                raise KnobError(f"out: {place} is a file, and has to be a folder for {out}")
        goes_on = self.pairs and _of_one_training(out, folder / MODEL)
        if out.exists() and not self.overwrite and not goes_on:
            raise VersionExistsError(f"{out}: is there already; --overwrite replaces it")
        return folder


def _of_one_training(*models: Path) -> bool:
    """Whether all are models of one training at different times."""
    try:
        runs = [archive.load(path, "model")[1]["trained"][-1] for path in models]
        accounts = [{key: run[key] for key in run if key not in _PROGRESS} for run in runs]
    except (BrokenFileError, LookupError, TypeError):
        return False
    return all(one == accounts[0] for one in accounts)
