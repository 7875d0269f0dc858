"""The passes of a planned frame: mouth, motion, blur and beards, each against what is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import coarse_blob

from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.filters import resample
from lifemask.nodes.swap import Swap

UPPER, LOWER = (81, 13, 311), (178, 14, 402)  # inner lips


def planned(pair, **knobs):
    return PlannedSwap.of(pair.likeness, pair.double, Swap(**knobs))


def test_the_doubles_mouth_follows_the_likenesss_lips(pair):
    known = planned(pair, scale=1.3, rotate=10.0)
    frame, meshes, window = known.in_face_space(0)
    across = torch.arange(window.x1) + 0.5
    where = torch.stack(torch.meshgrid(across, across, indexing="xy") * 2)[None, :3]
    passes = known.passes(replace(frame, mouth=1.0), meshes, window, where)
    upper, lower = list(UPPER), list(LOWER)
    aim, source = (
        torch.from_numpy(mesh[upper] + mesh[lower])[:, :2] / 2
        for mesh in (meshes.target, meshes.own)
    )
    shown = resample(passes.render, aim[None, :, None], "bilinear")[0, :2, :, 0].T
    assert (shown - source).norm(dim=1).max() < 1


def with_velocity(faceset, x):
    velocity = np.zeros_like(faceset.faces.velocity) + np.float32([x, 0])
    return replace(faceset, faces=replace(faceset.faces, velocity=velocity))


def moving_by(pair, likeness, double, shutter=180.0):
    """The swap, planned, of faces that move by so many centimetres a frame."""
    scale = [np.median(faceset.faces.scale) for faceset in (pair.likeness, pair.double)]
    return PlannedSwap.of(
        with_velocity(pair.likeness, likeness * scale[0]),
        with_velocity(pair.double, double * scale[1]),
        Swap(shutter_angle=shutter),
    )


def test_the_face_goes_as_far_as_the_plates_while_the_shutter_is_open(pair):
    for shutter in (0.0, 90.0, 180.0):
        frame = moving_by(pair, 0.0, 0.6, shutter).plan.frames[0]
        pixels = 0.6 * np.median(pair.double.faces.scale) * shutter / 360
        np.testing.assert_allclose(frame.motion, [[pixels, 0]] * 478, rtol=1e-4)


def test_a_picture_that_is_blurred_already_is_blurred_by_what_it_lacks(pair):
    still, slower, faster = (
        moving_by(pair, speed, 0.6).plan.frames[0].motion[0, 0] for speed in (0.0, 0.3, 0.9)
    )
    assert slower == pytest.approx(still * np.sqrt(1 - 0.25), rel=0.05)
    assert faster == 0


def test_motion_is_turned_and_scaled_with_what_face_space_sees(pair):
    known = moving_by(pair, 0.0, 0.6)
    frame = known.plan.frames[0]
    seen, _, _ = known.in_face_space(0)
    moved = (frame.subject[:, :2] + frame.motion) @ frame.matrix[:, :2].T + frame.matrix[:, 2]
    np.testing.assert_allclose(seen.subject[:, :2] + seen.motion, moved, atol=1e-2)


def test_a_swap_is_as_blurred_as_the_plate_where_its_face_moves(pair):
    known = moving_by(pair, 0.0, 0.0)
    frame, meshes, window = known.in_face_space(0)
    plate = known.plate_picture(0)

    def fine(motion):
        moved = replace(frame, motion=np.tile(np.float32([motion]), (478, 1)))
        render = known.passes(moved, meshes, window, plate).render
        return [float(render.diff(dim=axis).abs().mean()) for axis in (3, 2)]

    (across, down), (across_moved, down_moved) = fine([0, 0]), fine([12, 0])
    assert across_moved < 0.7 * across
    assert across_moved / across < down_moved / down


def test_a_beard_in_the_plate_is_known_and_one_of_the_likeness_is_none(pair):
    known = planned(pair)
    frame, meshes, window = known.in_face_space(0)
    beard = 0.1 * coarse_blob(32, 52, 3)

    def darker(albedo):
        bearded = known.with_subject(known.plan.albedo + albedo.numpy())
        made = bearded.passes(frame, meshes, window, known.plate_picture(0))
        return made.darker, made.own.of(beard.expand(1, 3, -1, -1)).mean(1, keepdim=True)

    found, there = darker(-beard)
    torch.testing.assert_close(found[there > 0.05], there[there > 0.05], atol=0.02, rtol=0.1)
    assert found.max() < 0.12
    assert darker(beard)[0][there > 0.05].max() < 0.02
    assert darker(-20 * beard)[0].max() == pytest.approx(3 * STOP)
