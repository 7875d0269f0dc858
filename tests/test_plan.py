"""The plan of a shot: data that is saved, fits as long as nothing that it is made of changes, and
gives every frame the same pixels alone as in the whole swap.
"""

import shutil
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from conftest import NO_FACE
from hypothesis import given, strategies
from made_up import coarse_blob

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, FaceError
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.filters import lookup
from lifemask.nodes.render.warp import Opening
from lifemask.nodes.swap import Swap, plan, write_swap
from lifemask.nodes.swap.plan import FramePlan, ShotPlan
from lifemask.nodes.swap.plan_files import NAME
from lifemask.nodes.swap.planner import WholeShotPlanner
from lifemask.ocio.media import exr
from lifemask.plugin.commands.cli import main

UPPER, LOWER = (81, 13, 311), (178, 14, 402)  # inner lips
REGIONS = ("face", "mouth", "left_eye", "right_eye")
NUMBERS = strategies.floats(0, 10, width=32)


def planned(pair, **knobs):
    return PlannedSwap.of(pair.likeness, pair.double, Swap(**knobs))


def numbers(*shape):
    def drawn(seed):
        return np.random.default_rng(seed).normal(size=shape).astype(np.float32)

    return strategies.integers(0, 2**32).map(drawn)


OPENINGS = strategies.builds(Opening, NUMBERS, numbers(3), numbers(3))
SHARES = strategies.dictionaries(
    strategies.integers(0, 9999), strategies.floats(0.01, 1), min_size=1, max_size=4
)
FRAMES = strategies.builds(
    FramePlan,
    index=strategies.integers(0, 9999),
    frame=strategies.integers(-9999, 99999),
    landmarks=numbers(478, 3),
    subject=numbers(478, 3),
    scale=NUMBERS,
    centre=numbers(3),
    motion=numbers(478, 2),
    matrix=numbers(2, 3),
    pedestal=numbers(3),
    light=numbers(3, 64, 64),
    tone=numbers(3),
    mouth=NUMBERS,
    reduction=NUMBERS,
    confidence=NUMBERS,
    pictures=strategies.fixed_dictionaries(dict.fromkeys(REGIONS, SHARES)),
    openings=strategies.fixed_dictionaries(dict.fromkeys(REGIONS[1:], OPENINGS)),
)
PLANS = strategies.builds(
    ShotPlan,
    made_of=strategies.text("0123456789abcdef", min_size=1),
    size=strategies.integers(64, 4096),
    detail=strategies.floats(1, 100),
    albedo=numbers(3, 64, 64),
    subject_albedo=numbers(3, 64, 64),
    frames=strategies.lists(FRAMES, min_size=1, max_size=3).map(tuple),
)


def _region(item):
    return item[0] if isinstance(item[0], str) else ""


def plain(value):
    """A plan as Python's own lists and numbers, which compare."""
    if isinstance(value, FramePlan | ShotPlan | Opening):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        # Shares are added up in their order; that of regions does not matter.
        return [(name, plain(one)) for name, one in sorted(value.items(), key=_region)]
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return (str(value.dtype), value.tolist()) if isinstance(value, np.ndarray) else value


@given(strategies.lists(PLANS, min_size=1, max_size=2))
def test_what_is_saved_is_loaded_again(tmp_path_factory, plans):
    path = tmp_path_factory.mktemp("plan") / NAME
    plan.save(path, plans)
    assert plain(tuple(plan.load(path))) == plain(tuple(plans))
    assert plan.made_of(path) == [one.made_of for one in plans]


def test_a_planned_shot_is_loaded_again(pair, tmp_path):
    made = Swap().plan([pair.role])
    plan.save(tmp_path / NAME, made)
    assert plain(tuple(plan.load(tmp_path / NAME))) == plain(tuple(made))


def test_a_plan_has_the_frames_that_show_the_person(pair):
    (made,) = Swap().plan([pair.role])
    seen = [frame for frame in pair.plate.sequence.frames if made.at(frame)]
    assert seen == [frame for frame in pair.plate.sequence.frames if frame != NO_FACE]


def test_another_kind_of_file_is_no_plan(pair, tmp_path):
    with pytest.raises(BrokenFileError, match="not a plan file"):
        plan.load(pair.likeness.folder / "faceset.safetensors")
    with pytest.raises(BrokenFileError, match="not a plan file"):
        plan.made_of(pair.likeness.folder / "faceset.safetensors")


def test_only_the_shutter_of_all_knobs_decides_on_a_plan(pair):
    (made,) = Swap().plan([pair.role])
    for name, value in {
        "rotate": 7.0,
        "exposure": 1.0,
        "double_mouth": 0.5,
        "blend_width": 9.0,
    }.items():
        (other,) = Swap(**{name: value}).plan([pair.role])
        assert plain(other) == plain(made)
    (other,) = Swap(shutter_angle=90.0).plan([pair.role])
    assert other.made_of != made.made_of


def changed(faceset, name, change):
    faces = faceset.faces
    return replace(faceset, faces=replace(faces, **{name: change(getattr(faces, name))}))


@pytest.mark.parametrize("who", ["likeness", "double"])
@pytest.mark.parametrize("name", ["landmarks", "shape", "albedo", "confidence", "neutral"])
def test_a_plan_is_made_of_both_peoples_numbers(pair, who, name):
    def made_of(facesets):
        role = facesets.role
        return WholeShotPlanner(180).made_of(role.performance, role.subject, role.likeness)

    before = getattr(pair, who)
    after = changed(before, name, lambda array: np.nextafter(array, np.float32(9e9)))
    assert made_of(pair.facesets) == made_of(pair.facesets)
    assert made_of(pair.facesets) != made_of(replace(pair.facesets, **{who: after}))


def test_a_performance_of_other_frames_is_refused(pair):
    role = pair.role
    late = replace(role.performance, frame=role.performance.frame + 1)
    with pytest.raises(FaceError, match="other frames"):
        Swap().plan([replace(role, performance=late)])


def only(plate, *frames):
    return replace(plate, sequence=replace(plate.sequence, frames=frames))


def swapped(pair, folder, *frames, whole=False, **knobs):
    plate = only(pair.plate, *frames) if frames else pair.plate
    tasks = []
    with progress.reporting(lambda said: tasks.append(said.task)):
        write_swap(Swap(**knobs), plate, [pair.role], folder, "sh", whole)
    return "choose" in tasks


def same_pixels(one, other):
    (first, _), (second, _) = exr.read_channels(one), exr.read_channels(other)
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name], equal_nan=True) for name in first
    )


def test_a_frame_alone_by_the_saved_plan_is_that_of_the_whole_swap(pair, tmp_path):
    whole, alone = tmp_path / "ada_v001", tmp_path / "ada_v002"
    assert swapped(pair, whole, whole=True)
    for frame in pair.plate.sequence.frames[::3]:
        assert not swapped(pair, alone, frame)
        name = f"sh.{frame}.exr"
        assert same_pixels(whole / name, alone / name)
    assert (alone / NAME).exists()


def test_a_frame_with_another_grade_is_that_of_a_swap_with_it(pair, tmp_path):
    knobs = {
        "exposure": 1.0,
        "double_mouth": 0.5,
        "rotate": 7.0,
        "scale": 1.2,
        "translate_x": 3.0,
        "blend_width": 2.0,
    }
    assert swapped(pair, tmp_path / "ben_v001", whole=True, **knobs)
    assert swapped(pair, tmp_path / "ada_v001", whole=True)
    assert not swapped(pair, tmp_path / "ada_v001", 1002, **knobs)
    assert same_pixels(tmp_path / "ben_v001/sh.1002.exr", tmp_path / "ada_v001/sh.1002.exr")
    assert not same_pixels(tmp_path / "ben_v001/sh.1002.exr", tmp_path / "ada_v001/sh.1003.exr")


def test_what_no_longer_fits_or_cannot_be_read_is_planned_anew(pair, tmp_path):
    folder = tmp_path / "ada_v001"
    assert swapped(pair, folder, 1001)
    assert not swapped(pair, folder, 1001)
    assert swapped(pair, folder, 1001, shutter_angle=90.0)
    assert not swapped(pair, folder, 1002, shutter_angle=90.0)
    (folder / NAME).write_bytes((folder / NAME).read_bytes()[:-1])
    assert swapped(pair, folder, 1001, shutter_angle=90.0)
    assert not swapped(pair, folder, 1001, shutter_angle=90.0)


def test_the_command_takes_the_plan_of_the_version_before(shot, capsys):
    words = ["swap", str(shot), "--likeness", "ada", "--no-model", "--json", "--frames"]

    def chooses(*more):
        assert main([*words, *more]) == 0
        return '"choose"' in capsys.readouterr().out

    assert chooses("1001-1002")
    assert not chooses("1002")
    assert not chooses("1003", "--version", "1", "--overwrite")
    for path in (shot / "swaps").iterdir():
        assert (path / NAME).exists()


def test_what_is_no_number_in_a_faceset_is_told_and_stays_out_of_the_swap(pair, tmp_path):
    folder = tmp_path / "ada_v001"
    shutil.copytree(pair.likeness.folder, folder)
    for file in (*folder.glob("texture.*.exr"), *folder.glob("face.*.exr")):
        planes, header = exr.read_channels(file)
        planes["G"] = planes["G"].copy()
        planes["G"][90:93, 90:92] = np.nan
        exr.write(file, planes, header)
    notes = []
    role = replace(pair.facesets, likeness=FaceSet.load(folder)).role
    with progress.reporting(lambda said: notes.append(said.note)):
        frames = list(Swap()(pair.plate, [role]))
    told = [note for note in notes if note]
    assert f"{folder}/texture.0001.exr: 6 texels not finite, left out" in told
    assert len(told) == len(pair.likeness)
    for frame in frames:
        assert all(np.isfinite(plane).all() for plane in frame.channels.values())


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
    shown = lookup(passes.render, aim[None, :, None], "bilinear")[0, :2, :, 0].T
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
    plate = known.picture(0)

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
        made = bearded.passes(frame, meshes, window, known.picture(0))
        return made.darker, made.own.of(beard.expand(1, 3, -1, -1)).mean(1, keepdim=True)

    found, there = darker(-beard)
    torch.testing.assert_close(found[there > 0.05], there[there > 0.05], atol=0.02, rtol=0.1)
    assert found.max() < 0.12
    assert darker(beard)[0][there > 0.05].max() < 0.02
    assert darker(-20 * beard)[0].max() == pytest.approx(3 * STOP)
