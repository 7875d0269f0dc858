"""Apply the artist's knobs to a planned frame; a change of one needs no new plan."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.faces.face_space import FACE_WIDTH
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import Floats
from lifemask.nodes.swap.plan import FramePlan

if TYPE_CHECKING:
    from lifemask.nodes.swap import Swap


def adjusted(plan: FramePlan, swap: "Swap") -> FramePlan:
    """Return the plan with the placement, grade, mouth and gaze of the knobs."""
    return replace(
        plan,
        landmarks=_placed(plan, swap),
        tone=plan.tone + np.float32(swap.exposure * STOP),
        mouth=plan.mouth * swap.double_mouth,
        gaze_turn=np.array([swap.gaze_yaw, swap.gaze_pitch], np.float32),
    )


def _placed(plan: FramePlan, swap: "Swap") -> Floats:
    """Landmarks (478, 3) scaled, rotated and moved about the middle of the face."""
    angle = np.deg2rad(swap.rotate)
    linear = swap.scale * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    width = np.float32(plan.scale) * np.float32(FACE_WIDTH)
    result = plan.landmarks - plan.centre
    result[:, :2] = result[:, :2] @ linear.T
    result[:, 2] *= np.float32(swap.scale)
    shift = np.array(
        [width * swap.translate_x, width * swap.translate_y, 0], np.float32
    ) / np.float32(100)
    return np.asarray(result + (plan.centre + shift), np.float32)
