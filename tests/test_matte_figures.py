"""Figures of mattes that were drawn, so that each is known."""

from dataclasses import replace

import numpy as np
import pytest

from lifemask.nodes.truth.matte_figures import Mattes, whole_shot

SIZE = 60


def square(low, high):
    """A matte that is 1 within rows and columns from ``low`` to ``high``."""
    matte = np.zeros((SIZE, SIZE), np.float32)
    matte[low:high, low:high] = 1
    return matte


def picture(level):
    return np.full((SIZE, SIZE, 3), level, np.float32)


PERFECT = Mattes(
    swap=picture(0.4),
    plate=picture(0.5),
    truth=picture(0.4),
    face=square(10, 50),
    occlusion=square(20, 30),
    occluder=square(20, 30),
    whole=square(10, 50),
)


def test_the_exact_matte_has_no_error():
    figures = PERFECT.figures
    assert figures == {
        "occluder_l1": 0,
        "occlusion_error": 0,
        "visible_iou": 1,
        "sliver_percent": 0,
    }
    assert PERFECT.since(PERFECT)["occlusion_flicker"] == 0


def test_a_matte_of_half_the_occluder_is_half_wrong():
    half = square(20, 30)
    half[25:] = 0
    figures = replace(PERFECT, occlusion=half).figures
    assert figures["occlusion_error"] == pytest.approx(0.5)
    assert figures["visible_iou"] == pytest.approx(1500 / 1550)


def test_a_frame_without_a_swap_has_no_matte_to_judge():
    lost = replace(PERFECT, face=square(0, 0), occlusion=square(0, 0)).figures
    assert lost == {"occluder_l1": 0}


def test_where_nothing_is_in_front_the_share_of_the_face_is_told():
    nothing = replace(PERFECT, occluder=square(0, 0), occlusion=square(20, 24))
    figures = nothing.figures
    assert figures["false_occlusion_percent"] == pytest.approx(100 * 16 / 1600)
    assert "occlusion_error" not in figures
    outside = replace(nothing, occlusion=square(0, 10)).figures
    assert outside["false_occlusion_percent"] == 0


def test_a_bright_line_along_the_outline_is_a_sliver_only_if_neither_picture_has_it():
    swap = picture(0.4)
    swap[10, :] = 0.7
    lined = replace(PERFECT, swap=swap)
    assert 3 < lined.figures["sliver_percent"] < 10
    plate = PERFECT.plate.copy()
    plate[10, :] = 0.7
    assert replace(lined, plate=plate).figures["sliver_percent"] == 0
    inner = picture(0.4)
    inner[30, 20:40] = 0.7
    assert replace(PERFECT, swap=inner).figures["sliver_percent"] == 0


def test_flicker_counts_where_the_occluder_stands_still():
    fainter = replace(PERFECT, occlusion=0.8 * square(20, 30))
    assert fainter.since(PERFECT)["occlusion_flicker"] == pytest.approx(0.2)
    moved = replace(fainter, occluder=square(24, 34), occlusion=square(24, 34))
    assert "occlusion_flicker" not in moved.since(PERFECT)


def test_the_outline_is_measured_by_what_the_plate_itself_changes():
    off = replace(PERFECT, swap=picture(0.43), plate=picture(0.52))
    figures = whole_shot([PERFECT.figures, off.figures, off.since(PERFECT)])
    assert figures["outline_ratio"] == pytest.approx(0.03 / 0.02, rel=1e-3)
    assert figures["visible_iou"] == 1


def test_a_swap_without_mattes_has_none_of_their_figures():
    bare = replace(PERFECT, face=None, occlusion=None)
    assert bare.figures == {"occluder_l1": 0}
    assert bare.since(bare) == {}
