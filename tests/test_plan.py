"""The plan of a shot: data that is saved, fits as long as nothing that it is made of changes, and
gives every frame the same pixels alone as in the whole swap.
"""

import shutil
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from conftest import NO_FACE
from hypothesis import given, strategies

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, FaceError
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.plate_subject import Occlusion
from lifemask.nodes.render.folds import FOLDING, Calm
from lifemask.nodes.render.warp import Opening
from lifemask.nodes.swap import Swap, plan, write_swap
from lifemask.nodes.swap.plan import FramePlan, ShotPlan
from lifemask.nodes.swap.plan_files import NAME
from lifemask.nodes.swap.planner import WholeShotPlanner
from lifemask.ocio.media import exr
from lifemask.plugin.commands.cli import main

REGIONS = ("face", "mouth", "left_eye", "right_eye")
NUMBERS = strategies.floats(0, 10, width=32)


def numbers(*shape):
    def drawn(seed):
        return np.random.default_rng(seed).normal(size=shape).astype(np.float32)

    return strategies.integers(0, 2**32).map(drawn)


OPENINGS = strategies.builds(Opening, NUMBERS, numbers(3), numbers(3))
SHARES = strategies.dictionaries(
    strategies.integers(0, 9999), strategies.floats(0.01, 1), min_size=1, max_size=4
)
AMOUNTS = strategies.fixed_dictionaries(dict.fromkeys(FOLDING, strategies.floats(0, 1)))
CALM = strategies.builds(Calm, numbers(8, 8), numbers(8, 8))
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
    removed_folds=AMOUNTS,
    added_folds=AMOUNTS,
    gaze=numbers(2, 2),
    gaze_turn=numbers(2),
    coefficients=numbers(52),
    interior=NUMBERS,
)
PLANS = strategies.builds(
    ShotPlan,
    made_of=strategies.text("0123456789abcdef", min_size=1),
    size=strategies.integers(64, 4096),
    detail=strategies.floats(1, 100),
    albedo=numbers(3, 64, 64),
    subject_albedo=numbers(3, 64, 64),
    identity=numbers(60),
    teeth=numbers(3),
    calm=CALM,
    subject_calm=CALM,
    frames=strategies.lists(FRAMES, min_size=1, max_size=3).map(tuple),
)


def _region(item):
    return item[0] if isinstance(item[0], str) else ""


def plain(value):
    """A plan as Python's own lists and numbers, which compare."""
    if isinstance(value, FramePlan | ShotPlan | Opening | Calm):
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


@dataclass(frozen=True)
class InMemory:
    textures: list

    def read(self, index):
        return self.textures[index]

    def name(self, index):
        return f"texture {index}"


def in_memory(faceset):
    return InMemory([faceset.texture(index) for index in range(len(faceset))])


def test_what_a_swap_needs_may_lie_in_no_file(pair):
    role, subject = pair.role, in_memory(pair.double)
    pictures = [pair.likeness.face(index)[..., :3] for index in range(len(pair.likeness))]
    likeness = replace(
        role.likeness, picture=pictures.__getitem__, textures=in_memory(pair.likeness)
    )
    from_nowhere = replace(
        role,
        subject=replace(role.subject, source="camera", textures=subject),
        occlusion=Occlusion(subject),
        likeness=likeness,
    )
    plate = only(pair.plate, 1002)
    (one,), (other,) = Swap()(plate, [role]), Swap()(plate, [from_nowhere])
    for name, plane in one.channels.items():
        np.testing.assert_array_equal(plane, other.channels[name])


def test_a_performance_of_other_frames_is_refused(pair):
    role = pair.role
    late = replace(role.performance, frame=role.performance.frame + 1000)
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
