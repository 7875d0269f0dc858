"""The gizmo's own graph, evaluated: the command line's pixels, and the artist's fixes over them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nk_graph import RGB, Evaluation, from_exr
from nk_reader import read

from lifemask.nodes.swap import Swap, write_swap
from lifemask.ocio.media import exr
from lifemask.plugin.packaging.gizmo import FILE

GROUP = read(FILE.read_text(encoding="utf-8")).children[0]
FRAME, MISSING = 1002, {}


def composite(sources, made=1, **knobs):
    size = next(iter(sources["plate"].values())).shape
    return Evaluation(GROUP, sources, size, {"made": made, **knobs}).picture()


def rgb(picture, layer="rgba"):
    return np.stack([picture[name.replace("rgba", layer)] for name in RGB], -1)


def half(pixels):
    return pixels.astype(np.float16)


def matte(value, size):
    return {"rgba.alpha": np.full(size, value, np.float32)}


@pytest.fixture(scope="module")
def swapped(pair, tmp_path_factory):
    """Return the plate and the result of one frame, as Nuke's Reads give them."""
    folder = tmp_path_factory.mktemp("nuke")
    sequence = replace(pair.plate.sequence, frames=(FRAME,))
    (file,) = write_swap(Swap(), replace(pair.plate, sequence=sequence), [pair.role], folder, "sh")
    plate, _ = exr.read_channels(sequence.file(FRAME))
    result, _ = exr.read_channels(file)
    return from_exr(plate), from_exr(result)


@pytest.fixture(scope="module")
def occluded(swapped):
    """The same, as if something soft were in front of the right half of the face."""
    plate, result = (dict(picture) for picture in swapped)
    height, width = plate["rgba.red"].shape
    across = np.clip((np.arange(width) - width / 2) / 9, 0, 1).astype(np.float16)
    front = np.broadcast_to(across.astype(np.float32), (height, width))
    face = result["facematte.V"]
    for name in RGB:
        raw = result[name.replace("rgba", "raw")]
        shown = face * (1 - front)
        result[name] = half(plate[name] * (1 - shown) + raw * shown).astype(np.float32)
        result[name] = np.where(shown > 0, result[name], plate[name])
        result[name.replace("rgba", "swap")] = raw * shown
    return plate, result | {"occlusion.V": front, "swap.alpha": face * (1 - front)}


def test_without_a_fix_every_pixel_is_the_command_lines(swapped):
    plate, result = swapped
    assert (result["swap.alpha"] > 0.9).any()
    for inputs in ({}, {"add_occlusion": matte(0, plate["rgba.red"].shape)}):
        picture = composite({"plate": plate, "result": result, **inputs})
        for name in (*result,):
            assert np.array_equal(half(picture[name]), half(result[name])), name
            assert np.array_equal(picture[name], result[name]), name


def test_a_frame_that_is_not_made_is_the_plate(swapped):
    plate, _ = swapped
    for made in (0, 1):
        picture = composite({"plate": plate, "result": MISSING}, made)
        for name, plane in plate.items():
            assert np.array_equal(picture[name], plane)


def test_a_plate_that_goes_on_changing_stays_live_outside_of_the_matte(swapped):
    plate, result = swapped
    changed = {name: plane * np.float32(1.1) for name, plane in plate.items()}
    picture = composite({"plate": changed, "result": result})
    outside = result["swap.alpha"] == 0
    for name in plate:
        assert np.array_equal(picture[name][outside], changed[name][outside])


def test_an_occluder_that_is_added_shows_the_plate_bit_for_bit(swapped):
    plate, result = swapped
    hand = np.zeros_like(plate["rgba.red"])
    hand[:, 120:] = 1
    picture = composite({"plate": plate, "result": result, "add_occlusion": {"rgba.alpha": hand}})
    for name in RGB:
        assert np.array_equal(picture[name][:, 120:], plate[name][:, 120:])
        assert np.array_equal(picture[name][:, :120], result[name][:, :120])
    assert (rgb(picture, "swap")[:, 120:] == 0).all()
    assert (picture["occlusion.V"][:, 120:] == 1).all()


def test_an_occluder_that_is_removed_shows_the_face(occluded):
    plate, result = occluded
    size = plate["rgba.red"].shape
    picture = composite({"plate": plate, "result": result, "remove_occlusion": matte(1, size)})
    face = result["facematte.V"][..., None]
    wanted = rgb(plate) * (1 - face) + rgb(result, "raw") * face
    assert (result["occlusion.V"][face[..., 0] > 0.9] == 1).any()
    np.testing.assert_allclose(rgb(picture), wanted, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(rgb(picture, "swap"), rgb(result, "raw") * face, atol=2e-3)
    np.testing.assert_allclose(picture["swap.alpha"], face[..., 0], atol=1e-3)


@settings(max_examples=25)
@given(add=st.floats(0, 1, width=16), remove=st.floats(0, 1, width=16))
def test_soft_fixes_composite_as_if_the_matte_had_been_so(occluded, add, remove):
    plate, result = occluded
    size = plate["rgba.red"].shape
    picture = composite(
        {
            "plate": plate,
            "result": result,
            "add_occlusion": matte(add, size),
            "remove_occlusion": matte(remove, size),
        }
    )
    now = np.clip(result["occlusion.V"] + np.float32(add) - np.float32(remove), 0, 1)
    shown = (result["facematte.V"] * (1 - now))[..., None]
    wanted = rgb(plate) * (1 - shown) + rgb(result, "raw") * shown
    np.testing.assert_allclose(rgb(picture), wanted, rtol=3e-3, atol=3e-3)
    untouched = (shown == 0) & (result["swap.alpha"][..., None] == 0)
    assert np.array_equal(rgb(picture)[untouched[..., 0]], rgb(plate)[untouched[..., 0]])


def test_paint_lies_on_top_and_leaves_the_rest_and_the_alpha(swapped):
    plate, result = swapped
    alpha = np.zeros_like(plate["rgba.red"])
    alpha[80:90, 100:110] = 0.5
    paint = {**{name: alpha * np.float32(2) for name in RGB}, "rgba.alpha": alpha}
    picture = composite({"plate": plate, "result": result, "paint": paint})
    for name in RGB:
        expected = np.where(alpha > 0, alpha * 2 + result[name] * (1 - alpha), result[name])
        np.testing.assert_allclose(picture[name], expected, rtol=1e-6)
    assert np.array_equal(picture["rgba.alpha"], plate["rgba.alpha"])


def test_the_grade_changes_the_face_through_the_matte_and_nothing_else(swapped):
    plate, result = swapped
    picture = composite({"plate": plate, "result": result}, white=1.5)
    change = rgb(picture) - rgb(result)
    shown = (result["facematte.V"] * (1 - result["occlusion.V"]))[..., None]
    np.testing.assert_allclose(change, shown * rgb(result, "raw") * 0.5, rtol=1e-4, atol=1e-4)
    assert (change[shown[..., 0] == 0] == 0).all()


def test_layers_of_the_plate_stay_and_one_swap_after_the_other_has_the_last_ones_layers(swapped):
    plate, result = swapped
    first = composite({"plate": {**plate, "depth.Z": plate["rgba.red"]}, "result": result})
    second = composite({"plate": first, "result": {**result, "raw.red": result["raw.red"] + 1}})
    assert np.array_equal(second["depth.Z"], plate["rgba.red"])
    assert np.array_equal(second["raw.red"], result["raw.red"] + 1)
