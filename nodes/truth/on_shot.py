"""Truth on a swap of a shot that was rendered twice."""

from collections.abc import Iterable
from dataclasses import Field, asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lifemask.nodes.command import FRAMES, Command, Option, Result
from lifemask.nodes.shot.interpretation import space_of
from lifemask.nodes.swap import frames_of
from lifemask.nodes.truth import Figures, GroundTruth, Truth
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence

if TYPE_CHECKING:
    from lifemask.nodes.truth.expression import ExpressionFigures

_EXPRESSION = ("expression", "expression_floor")
_Value = float | tuple[float | None, ...] | None
_Row = tuple[str, str, str, str, str]


class ScoreSwap(Command):
    """Score a swap against the exact render of the perfect swap."""

    name = "truth"
    example = (
        "lifemask truth sh010/swaps/ada_v001 --shot footage/a1_dialogue "
        "--plate performer_b --truth performer_a_on_b"
    )
    node = Truth
    uses = ("swap",)

    swap: Annotated[
        str, Option("The result: its folder, or name.####.exr.", "SWAP", positional=True)
    ]
    shot: Annotated[Path, Option("The folder of the renders.", "FOLDER")]
    plate: Annotated[str, Option("The plate's render (performer_b).", "NAME")] = "performer_b"
    truth: Annotated[str, Option("The perfect swap's render (performer_a_on_b).", "NAME")] = (
        "performer_a_on_b"
    )
    frames: Annotated[str, FRAMES] = ""
    colorspace: Annotated[
        str, Option("Colour space of the swap; by default the one in its header.", "NAME")
    ] = ""

    def run(self) -> Result:
        """Return the figures; for a person beside those of the untouched plate."""
        ground = GroundTruth(self.shot / self.plate, self.shot / self.truth)
        sequence = _frames(self.swap, self.frames)
        swap = Footage(sequence, space_of(sequence, self.colorspace))
        truth = Truth(**self.knobs)
        figures = truth(swap, ground)
        if self.json:
            return {"figures": asdict(figures)}
        untouched = ground.rendered(ground.plate, swap.frames)
        plate = replace(truth, expression=False)(untouched, ground)
        return {"text": table(figures, plate)}


def _frames(swap: str, frames: str) -> Sequence:
    made = frames_of(Path(swap)) if Path(swap).is_dir() else None
    return made if made and not frames else Sequence.find(made.path if made else swap, frames)


def table(swap: Figures, plate: Figures) -> list[str]:
    """Return the figures of a swap beside those of the untouched plate and the perfect swap."""
    rows = [
        _row(f, getattr(plate, f.name), getattr(swap, f.name), _goal(f.metadata["perfect"]))
        for f in fields(Figures)
        if f.name not in _EXPRESSION and getattr(swap, f.name) is not None
    ]
    lines = _lines([("", "plate", "swap", "perfect", ""), *rows])
    if swap.expression:
        lines += expression_table(swap.expression, swap.expression_floor)
    return lines


def expression_table(
    swap: "ExpressionFigures", perfect: "ExpressionFigures | None" = None
) -> list[str]:
    """Return the figures of a swap's expression; the ``perfect`` swap's are what tracking errs."""
    return _lines(
        _row(f, None, getattr(swap, f.name), number_text(getattr(perfect, f.name, None)))
        for f in fields(swap)
    )


def _lines(rows: Iterable[_Row]) -> list[str]:
    return [f"{a:26}{b:>21}{c:>21}{d:>21}  {e}".rstrip() for a, b, c, d, e in rows]


def _row(field: Field[Any], plate: _Value, swap: _Value, goal: str) -> _Row:
    return field.name, number_text(plate), number_text(swap), goal, field.metadata["doc"]


def _goal(perfect: float | None) -> str:
    return "" if perfect is None else f"{perfect:g}"


def number_text(value: _Value) -> str:
    """Return a figure as text."""
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return " ".join("-" if part is None else f"{part:.3f}" for part in value)
    return str(value) if isinstance(value, int) else f"{value:.4f}"
