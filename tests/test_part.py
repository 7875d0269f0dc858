"""A role, planned: once for all jobs of a process, and as if it was planned for each."""

import os
import shutil
from dataclasses import replace

import numpy as np
import torch

from lifemask.nodes import progress
from lifemask.nodes.face_set import INDEX, FaceSet
from lifemask.nodes.part import Part, planned
from lifemask.nodes.refiner.examples import scene
from lifemask.nodes.refiner.stage import Stage
from lifemask.nodes.render.sample import lookup
from lifemask.nodes.swap import Swap
from lifemask.nodes.swapping import Swapping
from lifemask.ocio import exr

UPPER, LOWER = (81, 13, 311), (178, 14, 402)  # inner lips
OTHER = Swap(exposure=1.0, mouth=0.5, turn=7.0, scale=1.2, move_x=3.0)


def test_a_plan_serves_other_knobs_as_if_it_was_made_for_them(pair):
    planned(Swap(), pair.role)
    again, fresh = planned(OTHER, pair.role), Part(OTHER, pair.role)
    assert torch.equal(again.tone, fresh.tone)
    for frame in pair.plate.sequence.frames:
        one, other = again.cue(frame), fresh.cue(frame)
        assert (one is None) is (other is None)
        if one and other:
            np.testing.assert_array_equal(one.landmarks, other.landmarks)
            assert (one.pictures, one.mouth) == (other.pictures, other.mouth)
    assert planned(Swap(), pair.role).tone.tolist() == Part(Swap(), pair.role).tone.tolist()


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
    part = planned(Swap(scale=1.3, turn=10.0), pair.role)
    cue, meshes, window = scene(part, 0)
    across = torch.arange(window.x1) + 0.5
    where = torch.stack(torch.meshgrid(across, across, indexing="xy") * 2)[None, :3]
    stage = Stage.of(part, replace(cue, mouth=1.0), meshes, window, where, Swap())
    upper, lower = list(UPPER), list(LOWER)
    aim, source = (
        torch.from_numpy(mesh[upper] + mesh[lower])[:, :2] / 2
        for mesh in (meshes.target, meshes.own)
    )
    shown = lookup(stage.render, aim[None, :, None], "bilinear")[0, :2, :, 0].T
    assert (shown - source).norm(dim=1).max() < 1
