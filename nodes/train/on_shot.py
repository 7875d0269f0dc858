"""Train on a shot: one model serves everybody in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from lifemask.nodes import archive
from lifemask.nodes.command import Button, OnShot, Option, Result
from lifemask.nodes.errors import BrokenFileError, Remedy
from lifemask.nodes.refiner.versions import BASE, KIND, MODEL, NAME, PREVIEW, newest
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap.roles import LIKENESSES, cast_of
from lifemask.nodes.train import Train


class TrainOnShot(OnShot):
    """Tune the refiner to a shot; goes on where it was stopped."""

    name = "train"
    example = (
        "lifemask train sh010 --likeness ada --preset draft\n"
        "  lifemask train sh010 --likeness ada=p1 --likeness ben=p2 --preset standard "
        "--minutes 40\n"
        "  lifemask train sh010 --likeness ada --pairs twins/corpus --facesets twins/facesets"
    )
    node = Train
    makes = KIND
    needs = ("track", "faceset", "release add")
    button = Button("Faces")

    likeness: Annotated[tuple[str, ...], LIKENESSES]
    pairs: Annotated[
        tuple[Path, ...],
        Option(
            "Renders with their perfect swaps, to learn from as well: SHOT/B and SHOT/A_on_B.",
            "PAIRS",
            repeated=True,
            settings=(),
        ),
    ] = ()
    facesets: Annotated[
        Path | None, Option("Folder that keeps the facesets of the pairs.", "FOLDER", settings=())
    ] = None

    def run(self) -> Result:
        """Return the model and its preview."""
        shot = Shot.load(self.shot)
        cast = cast_of(shot, self.likeness)
        number, anew = self._number(shot)
        folder = shot.version(self.makes, NAME, number)
        start = newest(shot, before=number) or BASE
        node = shot.node(Train, **self.knobs)
        model = node(cast, start, folder, anew, [*self.pairs], self.facesets)
        return {"model": model.path, "preview": folder / PREVIEW}

    def _number(self, shot: Shot) -> tuple[int, bool]:
        """Return the version of the training that goes on, or of a new one; whether it is new.

        One that was stopped goes on by the command that began it, be that to overwrite it.
        """
        numbers = shot.versions(self.makes, NAME)
        number = (numbers[-1] if numbers else 1) if self.version is None else self.version
        replaced = self.overwrite and self.version is not None
        try:
            if not finished(shot.version(self.makes, NAME, number), replaced):
                return number, False
        except BrokenFileError as error:
            remedy = Remedy("train_anew", {"version": str(number)})
            raise BrokenFileError(str(error), remedy) from error
        shot.target(self.makes, NAME, self.version, self.overwrite)
        return self.version or number + 1, replaced

    @classmethod
    def options_for(cls, name: str) -> Mapping[str, object]:
        """Return whose model it is."""
        return {"likeness": name}

    @classmethod
    def lacking(cls, shot: Shot, likenesses: Sequence[str], person: str = "") -> str:
        """Return that there is no model yet, or nothing."""
        return "" if shot.names(cls.makes) else "no model has been tuned to the shot yet"


def finished(folder: Path, replaced: bool = False) -> bool:
    """Whether the training in ``folder`` had its time; one that never began has not.

    Raises BrokenFileError when its model cannot be read, unless that is to be ``replaced``.
    """
    path = folder / MODEL
    if not path.exists():
        return False
    try:
        _, about = archive.load(path, "model")
        return bool(about["trained"][-1]["finished"])
    except (BrokenFileError, KeyError, IndexError, TypeError) as error:
        if replaced:
            return True
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"{path}: does not tell of its training ({error!r})") from error
