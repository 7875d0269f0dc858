"""A role, planned: once for all jobs of a process, and as if it was planned for each."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import coarse_blob

from lifemask.nodes import progress
from lifemask.nodes.faceset.files import INDEX, FaceSet
from lifemask.nodes.learning.data.examples import picture, scene
from lifemask.nodes.refiner.face_passes import FacePasses, PlateSubject
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.filters import lookup
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.frames import Swapping
from lifemask.nodes.swap.plan import ShotPlan, planned
from lifemask.ocio.media import exr

UPPER, LOWER = (81, 13, 311), (178, 14, 402)  # inner lips
OTHER = Swap(exposure=1.0, mouth=0.5, turn=7.0, scale=1.2, move_x=3.0)


def test_a_plan_serves_other_knobs_as_if_it_was_made_for_them(pair):
    planned(Swap(), pair.role)
    again, fresh = planned(OTHER, pair.role), ShotPlan(OTHER, pair.role)
    assert torch.equal(again.tone, fresh.tone)
    for frame in pair.plate.sequence.frames:
        one, other = again.at(frame), fresh.at(frame)
        assert (one is None) is (other is None)
        if one and other:
            np.testing.assert_array_equal(one.landmarks, other.landmarks)
            assert (one.pictures, one.mouth) == (other.pictures, other.mouth)
    assert planned(Swap(), pair.role).tone.tolist() == ShotPlan(Swap(), pair.role).tone.tolist()


def test_a_faceset_that_was_made_anew_is_planned_anew(pair, tmp_path):
    folder = tmp_path / "ada_v001"
    shutil.copytree(pair.likeness.folder, folder)
    role = replace(pair.role, likeness=FaceSet.load(folder))
    first = planned(Swap(), role)
    assert planned(Swap(), role)._paths is first._paths
    os.utime(folder / INDEX, ns=(0, 0))
    assert planned(Swap(), role)._paths is not first._paths


def test_what_is_no_number_in_a_faceset_is_told_and_stays_out_of_the_swap(pair, tmp_path):
    folder = tmp_path / "ada_v001"
    shutil.copytree(pair.likeness.folder, folder)
    for file in (*folder.glob("texture.*.exr"), *folder.glob("face.*.exr")):
        planes, header = exr.read_channels(file)
        planes["G"] = planes["G"].copy()
        planes["G"][90:93, 90:92] = np.nan
        exr.write(file, planes, header)
    notes = []
    swapping = Swapping(Swap(), pair.plate, [replace(pair.role, likeness=FaceSet.load(folder))])
    with progress.reporting(lambda said: notes.append(said.note)):
        frames = list(swapping.frames())
    told = [note for note in notes if note]
    assert f"{folder}/texture.0001.exr: 6 texels not finite, left out" in told
    assert len(told) == len(pair.likeness)
    for frame in frames:
        assert all(np.isfinite(plane).all() for plane in frame.channels.values())


def test_the_doubles_mouth_follows_the_likenesss_lips(pair):
    plan = planned(Swap(scale=1.3, turn=10.0), pair.role)
    frame_plan, meshes, window = scene(plan, 0)
    across = torch.arange(window.x1) + 0.5
    where = torch.stack(torch.meshgrid(across, across, indexing="xy") * 2)[None, :3]
    passes = FacePasses.of(plan, replace(frame_plan, mouth=1.0), meshes, window, where, Swap())
    upper, lower = list(UPPER), list(LOWER)
    aim, source = (
        torch.from_numpy(mesh[upper] + mesh[lower])[:, :2] / 2
        for mesh in (meshes.target, meshes.own)
    )
    shown = lookup(passes.render, aim[None, :, None], "bilinear")[0, :2, :, 0].T
    assert (shown - source).norm(dim=1).max() < 1


def with_velocity(faceset, x):
    velocity = np.zeros_like(faceset.faces.velocity) + np.float32([x, 0])
    return replace(faceset, faces=replace(faceset.faces, velocity=velocity))


def moving_by(pair, likeness, double, shutter=180.0):
    """The role, planned, of faces that move by so many centimetres a frame."""
    scale = [np.median(faceset.faces.scale) for faceset in (pair.role.likeness, pair.role.double)]
    role = replace(
        pair.role,
        likeness=with_velocity(pair.role.likeness, likeness * scale[0]),
        double=with_velocity(pair.role.double, double * scale[1]),
    )
    return ShotPlan(Swap(shutter=shutter), role)


def test_the_face_goes_as_far_as_the_plates_while_the_shutter_is_open(pair):
    for shutter in (0.0, 90.0, 180.0):
        plan = moving_by(pair, 0.0, 0.6, shutter)
        pixels = 0.6 * np.median(pair.role.double.faces.scale) * shutter / 360
        np.testing.assert_allclose(plan.of_face(0).travel, [[pixels, 0]] * 478, rtol=1e-4)


def test_a_picture_that_is_blurred_already_is_blurred_by_what_it_lacks(pair):
    still, slower, faster = (
        moving_by(pair, speed, 0.6).of_face(0).travel[0, 0] for speed in (0.0, 0.3, 0.9)
    )
    assert slower == pytest.approx(still * np.sqrt(1 - 0.25), rel=0.05)
    assert faster == 0


def test_motion_is_turned_and_scaled_with_what_face_space_sees(pair):
    plan = moving_by(pair, 0.0, 0.6)
    frame_plan = plan.of_face(0)
    seen, _, _ = scene(plan, 0)
    there = (frame_plan.double[:, :2] + frame_plan.travel) @ frame_plan.matrix[
        :, :2
    ].T + frame_plan.matrix[:, 2]
    np.testing.assert_allclose(seen.double[:, :2] + seen.travel, there, atol=1e-2)


def test_a_swap_is_as_blurred_as_the_plate_where_its_face_moves(pair):
    plan = moving_by(pair, 0.0, 0.0)
    frame_plan, meshes, window = scene(plan, 0)
    plate = picture(plan, 0)

    def fine(travel):
        moved = replace(frame_plan, travel=np.tile(np.float32([travel]), (478, 1)))
        render = FacePasses.of(plan, moved, meshes, window, plate, Swap()).render
        return [float(render.diff(dim=axis).abs().mean()) for axis in (3, 2)]

    (across, down), (across_moved, down_moved) = fine([0, 0]), fine([12, 0])
    assert across_moved < 0.7 * across
    assert across_moved / across < down_moved / down


def test_a_beard_of_the_doubles_is_known_and_one_of_the_likenesss_is_none(pair):
    plan = planned(Swap(), pair.role)
    frame_plan, meshes, window = scene(plan, 0)
    light, beard = plan.double(frame_plan).light, 0.1 * coarse_blob(32, 52, 3)

    def darker(albedo):
        there = PlateSubject(plan.albedo + albedo, light)
        made = FacePasses.of(plan, frame_plan, meshes, window, picture(plan, 0), Swap(), there)
        return made.darker, made.own.of(beard.expand(1, 3, -1, -1)).mean(1, keepdim=True)

    known, there = darker(-beard)
    torch.testing.assert_close(known[there > 0.05], there[there > 0.05], atol=0.02, rtol=0.1)
    assert known.max() < 0.12
    assert darker(beard)[0][there > 0.05].max() < 0.02
    assert darker(-20 * beard)[0].max() == pytest.approx(3 * STOP)
