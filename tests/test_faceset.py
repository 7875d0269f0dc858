"""What a faceset holds: files, layers, numbers, and what was left out of it."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import FOOTAGE, QUICK, SPACE

from lifemask.nodes.errors import FaceError, KnobError, VersionExistsError
from lifemask.nodes.faces.face_space import crop
from lifemask.nodes.faceset import Faceset, on_shot, solve
from lifemask.nodes.faceset.build import FacesetBuild
from lifemask.nodes.faceset.files import Faces, FaceSet
from lifemask.nodes.render.filters import blur
from lifemask.nodes.shot.folder import Shot
from lifemask.ocio.colour.transform import WORKING, convert
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.atomic import unfinished
from lifemask.plugin.commands.cli import main

LIGHT = ["light.R", "light.G", "light.B"]
FRAMES = 6


def first(track, count):
    """The first frames of a track."""
    parts = ("frames", "landmarks", "confidence", "rotation", "expression")
    return replace(track, **{name: getattr(track, name)[:count] for name in parts})


@pytest.fixture(scope="module")
def take(pair):
    found = Footage(Sequence.find(FOOTAGE / "takes/ada_studio/ada_studio.####.exr"), SPACE)
    (track,) = QUICK(found)[:1]
    return found, first(track, FRAMES)


@pytest.fixture(scope="module")
def every(take, tmp_path_factory):
    """A faceset of every frame of the short take."""
    folder = tmp_path_factory.mktemp("faceset") / "ada_v001"
    return Faceset(every_frame=True)([take[0]], [take[1]], "ada", folder)


def same(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in Faces.__dataclass_fields__
    )


def test_there_is_a_picture_and_a_texture_of_each_face_and_nothing_else(every):
    numbers = [f"{i:04d}" for i in range(1, len(every) + 1)]
    names = {f"{kind}.{n}.exr" for kind in ("face", "texture") for n in numbers}
    assert {file.name for file in every.folder.iterdir()} == names | {"faceset.safetensors"}
    assert not [file for file in every.folder.parent.iterdir() if file.name.startswith(".")]


def test_planes_are_half_floats_by_these_names(every):
    for index in range(1, len(every) + 1):
        face, header = exr.read_channels(every.folder / f"face.{index:04d}.exr")
        assert set(face) == set("RGBA")
        assert header["colorInteropID"] == "lin_ap1_scene"
        texture, _ = exr.read_channels(every.folder / f"texture.{index:04d}.exr")
        assert set(texture) == {*"RGB", "validity.V", "occluder.V", "line.V", *LIGHT}
        for planes, side in ((face, every.size), (texture, 256)):
            assert all(plane.shape == (side, side) for plane in planes.values())
            assert all(plane.dtype == np.float16 for plane in planes.values())
            assert all(np.isfinite(plane).all() for plane in planes.values())


def test_what_is_read_again_is_what_was_made(every):
    again = FaceSet.load(every.folder)
    assert same(again.faces, every.faces)
    assert replace(again, faces=every.faces) == every


def test_a_face_is_the_takes_own_pixels_in_acescg(every, take):
    for index in (0, len(every) - 1):
        frame = read(take[0].sequence, int(every.faces.frame[index])).rgb
        truth = convert(crop(frame, every.faces.matrix[index], every.size), SPACE, WORKING)
        assert np.array_equal(every.face(index)[..., :3], truth.astype(np.float16))


def test_landmarks_and_matte_lie_on_the_face(every):
    assert (every.face_landmarks[..., :2] > 0).all()
    assert (every.face_landmarks[..., :2] < every.size).all()
    for index in range(len(every)):
        matte = every.face(index)[..., 3]
        assert matte.min() >= 0
        assert matte.max() <= 1
        x, y = every.face_landmarks[index, 4, :2].astype(int)
        assert matte[y, x] > 0.9
        assert not matte[[0, -1]].any()


def test_a_texture_has_the_faces_colour_where_it_is_valid(every):
    for index in range(len(every)):
        texture, face = every.texture(index), every.face(index)
        valid = texture[..., 3]
        assert valid.min() >= 0
        assert valid.max() <= 1
        assert (valid > 0.5).mean() > 0.2
        skin = face[..., :3][face[..., 3] > 0.9]
        low, high = np.quantile(skin, 0.02, 0) * 0.5, np.quantile(skin, 0.98, 0) * 1.5
        middle = np.median(texture[..., :3][valid > 0.5], 0)
        assert (low < middle).all() and (middle < high).all()


def test_shape_and_pose_put_the_landmarks_where_they_were_tracked(every):
    faces = every.faces
    turned = np.einsum("nki,nji->nkj", faces.shape, faces.rotation)
    again = turned * faces.scale[:, None, None] + faces.centre[:, None]
    np.testing.assert_allclose(again, faces.landmarks, atol=0.02)
    assert np.linalg.norm(faces.shape.mean(0) - faces.neutral, axis=-1).mean() < 0.5


def test_the_size_can_be_told_and_every_frame_is_kept_for_a_double(take, tmp_path):
    faceset = Faceset(size=128, every_frame=True)([take[0]], [take[1]], "ada", tmp_path / "ada")
    assert faceset.size == 128
    assert faceset.face(0).shape == (128, 128, 4)
    assert faceset.faces.frame.tolist() == take[1].frames.tolist()


def test_pixels_that_are_no_numbers_count_as_black(take, tmp_path):
    plate, track = take
    for number in track.frames:
        file = plate.sequence.file(int(number))
        channels, header = exr.read_channels(file)
        x, y = track.landmarks[number - track.frames[0], 4, :2].astype(int)
        for name in "RGB":
            channels[name][y, x] = np.nan
            channels[name][0, 0] = np.inf
        exr.write(tmp_path / "take" / file.name, channels, header)
    spoilt = Footage(Sequence.find(tmp_path / "take/*.exr"), plate.colorspace)
    faceset = Faceset(every_frame=True)([spoilt], [track], "ada", tmp_path / "ada")
    assert len(faceset) == FRAMES
    for index in range(FRAMES):
        assert np.isfinite(faceset.face(index)).all()
        assert np.isfinite(faceset.texture(index)).all()


def test_a_take_that_is_given_twice_adds_nothing_but_duplicates(take, tmp_path):
    node = Faceset(allow_single=True, size=128)
    once = node([take[0]], [take[1]], "ada", tmp_path / "once")
    twice = node([take[0]] * 2, [take[1]] * 2, "ada", tmp_path / "twice")
    assert twice.faces.frame.tolist() == once.faces.frame.tolist()
    assert twice.dropped["duplicate"] == 2 * once.dropped["duplicate"] + len(once)
    assert len(list(twice.folder.glob("face.*.exr"))) == len(twice)


def test_pictures_are_numbered_anew_when_some_are_left_out(take, tmp_path):
    plate, track = take
    half = first(track, FRAMES // 2)
    node = Faceset(allow_single=True, size=128)
    faceset = node([plate] * 3, [half, half, track], "ada", tmp_path / "ada")
    assert len(set(faceset.faces.frame.tolist())) == len(faceset) > len(half.frames)
    for index, (frame, matrix) in enumerate(
        zip(faceset.faces.frame, faceset.faces.matrix, strict=True)
    ):
        truth = convert(
            crop(read(plate.sequence, int(frame)).rgb, matrix, 128), plate.colorspace, WORKING
        )
        assert np.array_equal(faceset.face(index)[..., :3], truth.astype(np.float16))
        lit = faceset.texture(index)[..., 4:7]
        assert np.isfinite(lit).all()


def test_lost_and_tiny_faces_are_counted(take, tmp_path):
    plate, track = take
    lost = replace(track, confidence=np.where(track.frames == track.frames[1], 0, 1))
    faceset = Faceset(allow_single=True, size=128)([plate], [lost], "ada", tmp_path / "ada")
    assert faceset.dropped["lost"] == 1
    assert track.frames[1] not in faceset.faces.frame
    few = rf"ada: 1 usable face is needed, 0 found \({FRAMES} tiny\)$"
    with pytest.raises(FaceError, match=few) as refused:
        Faceset(allow_single=True, min_size=2048)([plate], [track], "ada", tmp_path / "tiny")
    assert refused.value.remedy.id == "add_takes"


def test_too_few_faces_leave_nothing_behind(take, tmp_path):
    with pytest.raises(FaceError, match="8 usable faces are needed"):
        Faceset(size=64)([take[0]], [take[1]], "ada", tmp_path / "ada")
    assert not list(tmp_path.iterdir())


def test_a_double_of_whom_there_is_other_footage_is_told_from_its_light(shot, capsys):
    def double(*words):
        assert main(["faceset", str(shot), "--double", *words]) == 0
        return FaceSet.load(Shot.load(shot).latest("facesets", "double")).faces

    other = FaceSet.load(shot / "facesets/ada_v001").faces.albedo
    alone, known = double(), double("--double-is", "ada")
    off = [np.abs(faces.albedo - other).mean() for faces in (alone, known)]
    assert off[1] < 0.9 * off[0]
    more = torch.from_numpy(known.albedo - alone.albedo)[None]
    # Away from the border of texture space, which was not seen.
    coarse = blur(more, 2)[..., 16:48, 16:48]
    assert (more[..., 16:48, 16:48] - coarse).abs().mean() < 0.4 * coarse.abs().mean()
    assert known.lights.shape == alone.lights.shape
    assert np.array_equal(known.landmarks, alone.landmarks)
    assert main(["faceset", str(shot), "--double", "--double-is", "eve"]) == 1
    assert "(there: ada, double)" in capsys.readouterr().err


def test_every_take_needs_its_track(take, tmp_path):
    with pytest.raises(KnobError, match="2 takes with 1 tracks"):
        Faceset()([take[0]] * 2, [take[1]], "ada", tmp_path / "ada")


def test_every_picture_keeps_its_number_when_faces_are_left_out(tmp_path, monkeypatch):
    files = [FOOTAGE / f"takes/ada_studio/ada_studio.{n}.exr" for n in (1001, *range(1001, 1011))]
    for number, file in enumerate(files, 1):
        (tmp_path / f"take.{number:04d}.exr").symlink_to(file)
    found = Footage(Sequence.find(tmp_path / "take.####.exr"), SPACE)
    write = solve.write

    def slowly(job):
        # So that the textures of later faces are finished first.
        time.sleep(0.2 * (job[0].name == "texture.0003.exr"))
        write(job)

    monkeypatch.setattr(solve, "write", slowly)
    made = Faceset()([found], QUICK(found)[:1], "ada", tmp_path / "ada_v001")
    assert made.dropped["duplicate"] == 1
    assert len(list(made.folder.glob("face.*.exr"))) == len(made) == 10
    for index, frame in enumerate(made.faces.frame):
        rgb = crop(read(found.sequence, int(frame)).rgb, made.faces.matrix[index], made.size)
        right = convert(rgb, SPACE, WORKING)
        assert np.abs(made.face(index)[..., :3] - right).mean() < 1e-3


def test_a_side_that_shows_nothing_is_refused(take, tmp_path):
    with pytest.raises(KnobError, match="size: 1 is below 32 pixels"):
        Faceset(size=1, every_frame=True)([take[0]], [take[1]], "ada", tmp_path / "ada")


def test_of_every_take_there_is_a_face_that_is_sure_among_those_that_light_is_found_from(
    monkeypatch,
):
    monkeypatch.setattr(solve, "_MOST_FITTED", 4)
    take = np.repeat([0, 1, 2, 3], [9, 1, 3, 1])
    sure = np.ones(14, bool)
    sure[[10, 13]] = False
    fitted = solve._fitted(take, sure).tolist()
    assert fitted == [0, 4, 8, 9, 11, 12, 13]


def test_photographs_in_a_row_are_each_in_the_middle_of_their_face_space(take, tmp_path):
    """They are no motion, as is a cut: face space is not steadied over them."""
    plate, track = take
    tracks, far = first(track, 4), np.float32([300, 0, 0])
    landmarks = tracks.landmarks + far * np.array([0, 1, 0, 1], np.float32)[:, None, None]
    faceset = Faceset(every_frame=True, size=64)(
        [plate], [replace(tracks, landmarks=landmarks)], "ada", tmp_path / "ada"
    )
    middle = faceset.face_landmarks[..., :2].mean(1)
    assert np.ptp(middle, axis=0).max() < 6


def test_a_faceset_that_another_run_made_meanwhile_stays(take, tmp_path, monkeypatch):
    node, folder = Faceset(allow_single=True, size=64), tmp_path / "ada_v001"
    write = FacesetBuild._build

    def late(run, part):
        made = write(run, part)
        monkeypatch.setattr(FacesetBuild, "_build", write)
        node([take[0]], [first(take[1], 3)], "ada", folder)
        return made

    monkeypatch.setattr(FacesetBuild, "_build", late)
    with pytest.raises(VersionExistsError, match="ada_v001: another run made it meanwhile"):
        node([take[0]], [first(take[1], 4)], "ada", folder)
    assert len(FaceSet.load(folder)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["ada_v001"]


def test_what_a_killed_run_left_is_removed_by_the_next(take, tmp_path):
    with unfinished(tmp_path / "ada_v007") as part:
        name = part.name
    (tmp_path / name / "deep").mkdir(parents=True)
    Faceset(allow_single=True, size=64)(
        [take[0]], [first(take[1], 3)], "ada", tmp_path / "ada_v001"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["ada_v001"]


def test_a_faceset_keeps_what_was_written_into_the_shot_meanwhile(shot, monkeypatch):
    read = on_shot.find_takes

    def slowly(*given):
        Shot.load(shot).with_performer("eve", "demo")
        return read(*given)

    monkeypatch.setattr(on_shot, "find_takes", slowly)
    take = str(FOOTAGE / "takes/ada_studio/ada_studio.1001.exr")
    assert main(["faceset", str(shot), "--performer", "ben", "--allow-single", take]) == 0
    assert Shot.load(shot).performers == ("ada", "eve", "ben")


def test_a_double_has_all_that_was_tracked_though_the_shot_was_shorter(shot):
    text = (shot / "shot.toml").read_text()
    (shot / "shot.toml").write_text(text.replace('"1001-1008"', '"1001-1004"'))
    assert main(["faceset", str(shot), "--double"]) == 0
    made = FaceSet.load(Shot.load(shot).latest("facesets", "double"))
    assert set(made.faces.frame.tolist()) > {1005, 1008}
