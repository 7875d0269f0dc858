"""Truth: score a swap against the exact render of the perfect swap."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lifemask.nodes import progress
from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.errors import FaceError
from lifemask.nodes.track import Track
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media.source import FrameSource

if TYPE_CHECKING:
    from lifemask.nodes.truth.expression import ExpressionFigures
    from lifemask.nodes.truth.matte_figures import Mattes
    from lifemask.nodes.truth.views import Spool


@dataclass(frozen=True)
class GroundTruth:
    """A shot rendered twice: ``plate`` with the double, ``truth`` as the perfect swap.

    Both are folders with ``beauty/beauty.####.exr`` in ``colorspace``, scene-linear,
    ``mattes/mattes.####.exr`` with the channel ``face`` (and ``occ``, ``face_full`` where something
    lies in front), and ``gt/gt.####.json`` with 68 landmarks of the main performer.
    """

    plate: Path
    truth: Path
    colorspace: str = "Linear Rec.709 (sRGB)"

    def rendered(self, folder: Path, frames: tuple[int, ...]) -> Footage:
        """Return the pictures in one of its folders."""
        return Footage(Sequence(str(folder / "beauty/beauty.####.exr"), frames), self.colorspace)


def _about(doc: str, perfect: float | None = None) -> dict[str, object]:
    return {"doc": doc, "perfect": perfect}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a swap; None where swap or shot lack what a figure needs.

    Those down to the grade and the move are measured in face space (160 px, fixed by the plate's
    exact landmarks), in the ACEScct curve, inside the visible face, after one grade and one
    similarity for the whole shot. Each field's metadata has its meaning, and its value for the
    perfect swap.
    """

    aligned_ssim: float = field(metadata=_about("SSIM after a smooth local move of at most 3 %", 1))
    aligned_l1: float = field(
        metadata=_about("L1 after that move, over the untouched plate's L1", 0)
    )
    displacement_percent: float = field(metadata=_about("that move, mean, % of the side", 0))
    detail_energy: float = field(
        metadata=_about("finest band over the truth's: <1 soft, >1 harsh", 1)
    )
    detail_recall: float = field(
        metadata=_about("the truth's finest band that is there, in place", 1)
    )
    relative_l1: float = field(metadata=_about("L1 over the untouched plate's L1", 0))
    ssim: float = field(metadata=_about("structural similarity", 1))
    identity_projection: float = field(
        metadata=_about("swap - plate along truth - plate, over its length", 1)
    )
    identity_residual: float = field(
        metadata=_about("swap - plate across truth - plate, over its length", 0)
    )
    fine_identity_projection: float = field(
        metadata=_about("the projection, in features of 2 to 8 px only", 1)
    )
    fine_identity_residual: float = field(
        metadata=_about("the residual, in features of 2 to 8 px only", 0)
    )
    l1: float = field(metadata=_about("mean difference in the log curve (a stop is .057)", 0))
    temporal_error: float | None = field(
        metadata=_about("change of the error over the truth's change", 0)
    )
    gain_stops: tuple[float, ...] = field(metadata=_about("the grade taken out, R G B, stops", 0))
    place_percent: tuple[float, ...] = field(
        metadata=_about("the move taken out, % of the side", 0)
    )
    place_scale: float = field(metadata=_about("the scale taken out", 1))
    place_degrees: float = field(metadata=_about("the turn taken out, degrees", 0))
    frames: int = field(metadata=_about("frames scored"))
    landmark_error: float | None = field(
        default=None,
        metadata=_about("landmarks found on swap and truth, % of the eyes' corners", 0),
    )
    landmarks_lost: int | None = field(
        default=None, metadata=_about("looked-at frames where only the truth has landmarks", 0)
    )
    matte_error: float | None = field(
        default=None, metadata=_about("|facematte - exact| over the exact area", 0)
    )
    matte_iou: float | None = field(
        default=None, metadata=_about("overlap of facematte and the exact one, at 0.5", 1)
    )
    outside_max: float | None = field(
        default=None, metadata=_about("largest change of the plate where facematte is 0", 0)
    )
    occluder_l1: float | None = field(
        default=None, metadata=_about("l1 on what lies before the face", 0)
    )
    occlusion_error: float | None = field(
        default=None, metadata=_about("|occlusion - exact| over the exact area", 0)
    )
    visible_iou: float | None = field(
        default=None, metadata=_about("overlap of the face that is seen with the exact one", 1)
    )
    false_occlusion_percent: float | None = field(
        default=None, metadata=_about("of the face called occluder where nothing is in front", 0)
    )
    occlusion_flicker: float | None = field(
        default=None, metadata=_about("change of occlusion where an occluder stands still", 0)
    )
    outline_ratio: float | None = field(
        default=None, metadata=_about("l1 within 3 px of the outline, over a frame's own change", 0)
    )
    sliver_percent: float | None = field(
        default=None, metadata=_about("of these, off plate and truth by .1 to the same side", 0)
    )
    calibration_ratio: float | None = field(
        default=None, metadata=_about("error over what confidence expects: <1 cautious", 1)
    )
    expression: "ExpressionFigures | None" = field(
        default=None, metadata=_about("the swap tracked again, beside the plate's track")
    )
    expression_floor: "ExpressionFigures | None" = field(
        default=None,
        metadata=_about("the same of the perfect swap: what tracking itself gets wrong"),
    )


class Truth(Node):
    """Score a swap against the exact render of the perfect swap.

    The perfect swap of synthetic footage is known, so likeness, detail, flicker, mattes and
    placement are measured, not judged.
    """

    landmarks: Annotated[
        int, Knob("Compare landmarks on every n-th frame; 0 leaves them out.", 0, 1000, "frames")
    ] = 4
    expression: Annotated[
        bool, Knob("Compare the expression, too: plate, swap and perfect swap are tracked.")
    ] = True

    def __call__(self, swap: FrameSource, ground: GroundTruth) -> Figures:
        """Return the figures of ``swap``, frame by frame in bounded memory.

        Raises MissingFramesError or BrokenFileError when the ground truth lacks a frame,
        SizeError when the two differ in size, and FaceError when no frame shows the face.
        """
        from lifemask.nodes.truth.ground_truth import scored
        from lifemask.nodes.truth.matte_figures import whole_shot
        from lifemask.nodes.truth.views import Spool

        figures: list[Mapping[str, float]] = []
        before: Mattes | None = None
        frames = swap.frames
        with Spool() as faces, closing(scored(swap, ground)) as read_ahead:
            for frame in progress.each(read_ahead, "truth", len(frames)):
                faces.append(frame.face)
                figures.append(frame.figures)
                if before:
                    figures.append(frame.mattes.since(before))
                before = frame.mattes
            return Figures(
                **_figures(faces),
                **whole_shot(figures),
                **self._of_landmarks(swap, ground),
                **self._of_expression(swap, ground),
                frames=len(frames),
            )

    def _of_landmarks(self, swap: FrameSource, ground: GroundTruth) -> dict[str, Any]:
        if not self.landmarks:
            return {}
        from lifemask.nodes.truth.landmark_error import landmark_error

        error, lost = landmark_error(swap, ground, self.landmarks)
        return {"landmark_error": error, "landmarks_lost": lost}

    def _of_expression(self, swap: FrameSource, ground: GroundTruth) -> dict[str, Any]:
        if not self.expression:
            return {}
        from lifemask.nodes.truth.expression import TrackPair, tracked_again
        from lifemask.nodes.truth.ground_truth import main_performer

        plate, truth = (ground.rendered(f, swap.frames) for f in (ground.plate, ground.truth))
        played = main_performer(Track()(plate), ground.plate)
        again = {"expression": swap, "expression_floor": truth}
        return {
            name: TrackPair.of(tracked_again(source, played), played).figures
            for name, source in again.items()
        }


def _figures(faces: "Spool") -> dict[str, Any]:
    from dataclasses import replace

    import numpy as np

    from lifemask.nodes.render.acescct import STOP
    from lifemask.nodes.truth import registration
    from lifemask.nodes.truth.figures import ratios
    from lifemask.nodes.truth.views import SIDE, Changed, Face

    if not any((face.weight > 0.5).any() for face in faces):
        raise FaceError("no frame of the ground truth shows the face of the main performer")
    move = registration.place(faces)
    placed = Changed(faces, lambda f: replace(f, swap=registration.moved(f.swap, move)))
    grade, plate_grade = registration.swap_gain(placed), registration.plate_gain(faces)

    def grades(f: Face) -> Face:
        return replace(f, swap=f.swap - grade, plate=f.plate - plate_grade)

    return ratios(Changed(placed, grades)) | {
        "gain_stops": tuple((-grade / STOP).tolist()),
        "place_percent": tuple((move[:2] * 100 / SIDE).tolist()),
        "place_scale": float(np.exp(move[2])),
        "place_degrees": float(np.degrees(move[3])),
    }
