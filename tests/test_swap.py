"""What a swap touches, what it leaves alone, and what is left when it is stopped."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO
import pytest
from conftest import FOOTAGE, NO_FACE, QUICK, SPACE, Pair, small_plate

from lifemask.nodes import progress
from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import FaceError, MissingFramesError, ShotError, SizeError
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.files import Faces
from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.swap import Swap, frames_of, write_swap
from lifemask.nodes.swap.roles import FacesetRole
from lifemask.nodes.types import FaceTrack, Model
from lifemask.ocio.colour.transform import display
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.movie_writer import write_movie
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.atomic import unfinished
from lifemask.plugin.commands.cli import main
from lifemask.plugin.hosts.common.results import Pattern

PERSON = ("neutral", "identity", "uncertainty", "albedo", "lights")
LAYERS = {
    *("R", "G", "B", "A", "swap.R", "swap.G", "swap.B", "swap.A", "raw.R", "raw.G", "raw.B"),
    *("facematte.V", "occlusion.V", "confidence.V", "stmap.U", "stmap.V", "stmap.A"),
}


def only(plate, *frames):
    return replace(plate, sequence=replace(plate.sequence, frames=frames))


@pytest.fixture(scope="module")
def written(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("swap")
    write_swap(Swap(), pair.plate, [pair.role], folder, "sh010")
    return folder


@pytest.fixture(scope="session")
def bold(tmp_path_factory):
    """Return a model that changes colours and mattes a lot, by what it is shown."""
    import torch

    from lifemask.nodes.refiner.model import RefinerModel
    from lifemask.nodes.refiner.network import Refiner

    torch.manual_seed(1)
    network = Refiner(8)
    torch.nn.init.normal_(network.members[0].head.weight, std=0.3)
    path = tmp_path_factory.mktemp("bold") / "model.safetensors"
    RefinerModel(network, 64, {}).save(path)
    return Model(path)


def digest(path):
    return sha256(path.read_bytes()).hexdigest()


def stored(folder, frame):
    return exr.read_channels(folder / f"sh010.{frame}.exr")


def outside(channels):
    return channels["swap.A"] == 0


def test_there_is_a_file_for_each_frame_with_every_layer(pair, written):
    assert len(list(written.glob("*.exr"))) == len(pair.plate.sequence.frames)
    for frame in pair.plate.sequence.frames:
        channels, header = stored(written, frame)
        assert set(channels) == LAYERS
        kinds = {name: np.float32 if name.startswith("stmap") else np.float16 for name in LAYERS}
        assert all(channels[name].dtype == kind for name, kind in kinds.items())
        assert header["comments"] == "kept"
        assert header["lifemask/release"].startswith("ada project=demo")


def test_the_face_is_changed_and_nothing_else(pair, written):
    for frame in pair.plate.sequence.frames:
        channels, _ = stored(written, frame)
        plate, _ = exr.read_channels(pair.plate.sequence.file(frame))
        for name in "RGB":
            same = channels[name] == plate[name]
            assert same[outside(channels)].all()
            if frame != NO_FACE:
                assert not same[channels["swap.A"] > 0.9].all()
        assert np.array_equal(channels["A"], plate["A"])


def test_a_plate_of_full_floats_is_not_rounded(pair, tmp_path):
    plate = only(small_plate(tmp_path / "plate", np.float32), 1002)
    write_swap(Swap(), plate, [pair.role], tmp_path, "sh010")
    channels, _ = stored(tmp_path, 1002)
    before, _ = exr.read_channels(plate.sequence.file(1002))
    assert (channels["swap.A"] > 0.9).any()
    for name in "RGB":
        assert channels[name].dtype == np.float32
        assert np.array_equal(channels[name][outside(channels)], before[name][outside(channels)])
    assert np.array_equal(channels["A"], before["A"])


@pytest.mark.parametrize("kinds", ["hfff", "fhhh", "hhhf", "fffh"])
def test_a_plate_of_mixed_types_is_not_rounded(pair, tmp_path, kinds):
    plate = only(small_plate(tmp_path / "plate", np.float32), 1002)
    file = plate.sequence.file(1002)
    before, header = exr.read_channels(file)
    types = {"h": np.float16, "f": np.float32}
    before = {name: before[name].astype(types[k]) for name, k in zip("RGBA", kinds, strict=True)}
    exr.write(file, before, header)
    write_swap(Swap(), plate, [pair.role], tmp_path, "sh010")
    channels, _ = stored(tmp_path, 1002)
    for name in "RGB":
        assert np.array_equal(channels[name][outside(channels)], before[name][outside(channels)])
    assert np.array_equal(channels["A"], before["A"])


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
@pytest.mark.parametrize("space", [SPACE, "sRGB Encoded Rec.709 (sRGB)"])
def test_a_plate_of_whole_numbers_comes_back_as_they_were(pair, tmp_path, kind, space):
    source = only(small_plate(tmp_path / "exr", np.float32), 1002).sequence
    before, _ = exr.read_channels(source.file(1002))
    most = np.iinfo(kind).max
    pixels = np.stack([before[name].clip(0, 1) for name in "RGBA"], -1)
    codes = np.rint(pixels * most).astype(kind)
    spec = OpenImageIO.ImageSpec(*codes.shape[1::-1], 4, kind)
    spec.attribute("oiio:UnassociatedAlpha", 1)
    output = OpenImageIO.ImageOutput.create(f"{tmp_path}/plate.1002.tif")
    assert output.open(f"{tmp_path}/plate.1002.tif", spec)
    assert output.write_image(codes)
    output.close()
    plate = Footage(Sequence.find(tmp_path / "plate.####.tif"), space)
    write_swap(Swap(), plate, [pair.role], tmp_path, "sh010")
    channels, _ = stored(tmp_path, 1002)
    exact = "RGBA" if space == SPACE else "A"
    for name in exact:
        untouched = outside(channels) | (name == "A")
        back = np.rint(channels[name].astype(np.float64) * most)
        assert np.array_equal(back[untouched], codes[..., "RGBA".index(name)][untouched])


def test_the_st_map_is_where_the_header_s_matrix_takes_each_pixel(pair, written):
    size = pair.double.size
    for frame in (1001, 1006):
        channels, header = stored(written, frame)
        matrix = np.array(header["lifemask/matrix"].split(), float).reshape(2, 3)
        rows, columns = np.indices(channels["R"].shape) + 0.5
        x, y = (matrix @ np.stack([columns.ravel(), rows.ravel(), np.ones(rows.size)])) / size
        u, v = x.reshape(rows.shape), 1 - y.reshape(rows.shape)
        inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
        assert np.array_equal(channels["stmap.A"], inside)
        for name, plane in (("U", u), ("V", v)):
            expected = np.where(inside, plane, 0)
            np.testing.assert_allclose(channels[f"stmap.{name}"], expected, atol=1e-5)


def test_a_frame_is_the_same_in_whatever_range_it_is_rendered(pair, written, tmp_path):
    write_swap(Swap(), only(pair.plate, 1002, 1006), [pair.role], tmp_path, "sh010")
    for frame in (1002, 1006):
        alone, among = stored(tmp_path, frame)[0], stored(written, frame)[0]
        assert all((alone[name] == among[name]).all() for name in among)


def test_a_frame_without_a_face_is_the_plate_and_says_so(pair, written):
    assert NO_FACE in pair.plate.sequence.frames
    channels, header = stored(written, NO_FACE)
    assert "no face" in header["lifemask/people"]
    assert not any(channels[name].any() for name in LAYERS - set("RGBA"))
    assert stored(written, NO_FACE + 1)[1]["lifemask/people"] == "p1"


def test_frames_that_nobody_looked_at_are_not_passed_through(pair, tmp_path):
    names = ("frames", "landmarks", "confidence", "rotation", "expression")
    short = replace(pair.track, **{name: getattr(pair.track, name)[:6] for name in names})
    role = replace(pair.role, track=short)
    with pytest.raises(MissingFramesError, match=r"in frames 1007-1008, only in 1001-1006"):
        write_swap(Swap(), pair.plate, [role], tmp_path / "swap", "sh010")
    assert not (tmp_path / "swap").exists()
    write_swap(Swap(), only(pair.plate, 1006), [role], tmp_path / "swap", "sh010")


def test_broken_pixels_of_the_plate_stay_alone(pair, tmp_path):
    values = {1001: np.nan, 1002: np.inf, 1003: -np.inf, 1005: -3e4, 1006: 2e4}
    clean = only(pair.plate, *values)
    write_swap(Swap(), clean, [pair.role], tmp_path, "sh010", model=BASE)
    for frame, value in values.items():
        planes, header = exr.read_channels(pair.plate.sequence.file(frame))
        alpha = stored(tmp_path, frame)[0]["swap.A"]
        planes["G"] = planes["G"].copy()
        for part in (alpha > 0.99, (alpha > 0.3) & (alpha < 0.7), alpha == 0):
            planes["G"][tuple(np.argwhere(part)[part.sum() // 2])] = value
        exr.write(tmp_path / f"plate/plate.{frame}.exr", planes, header)
    path = f"{tmp_path}/plate/plate.####.exr"
    plate = replace(clean, sequence=replace(clean.sequence, path=path))
    write_swap(Swap(), plate, [pair.role], tmp_path / "swap", "sh010", model=BASE)
    for frame in values:
        planes, _ = exr.read_channels(plate.sequence.file(frame))
        broken, (channels, _), (whole, _) = (
            planes["G"] != exr.read_channels(pair.plate.sequence.file(frame))[0]["G"],
            stored(tmp_path / "swap", frame),
            stored(tmp_path, frame),
        )
        away = cv2.distanceTransform(np.uint8(~broken), cv2.DIST_L2, 5)
        assert np.count_nonzero(broken) == 3
        for name in "RGB":
            same = channels[name].view(np.uint16) == planes[name].view(np.uint16)
            assert same[outside(channels)].all()
            assert np.isfinite(channels[name][~outside(channels)]).all()
            change = np.abs(channels[name].astype(float) - whole[name])
            assert np.nanmax(change[away > 2]) < 0.5
            assert change[away > 24].max() < 0.05
        assert all(np.isfinite(channels[name]).all() for name in LAYERS - set("RGB"))


def test_a_frame_whose_face_has_a_hole_is_named_and_nothing_of_it_spreads(pair, written, tmp_path):
    notes, frames = [], (1001, 1002)
    planes, header = exr.read_channels(pair.plate.sequence.file(1001))
    alpha = stored(written, 1001)[0]["swap.A"]
    hole = np.zeros(alpha.shape, bool)
    # From the middle of the face to beyond its matte.
    row, column = np.argwhere(alpha > 0.9).mean(0).astype(int)
    hole[row : row + 12, column : np.flatnonzero(alpha[row])[-1] + 4] = True
    for name in "RGB":
        planes[name] = np.where(hole, np.float16(np.nan), planes[name])
    exr.write(tmp_path / "plate/plate.1001.exr", planes, header)
    shutil.copy(pair.plate.sequence.file(1002), tmp_path / "plate/plate.1002.exr")
    clean, path = only(pair.plate, *frames), f"{tmp_path}/plate/plate.####.exr"
    plate = replace(clean, sequence=replace(clean.sequence, path=path))
    with progress.reporting(lambda said: notes.append(said.note)):
        write_swap(Swap(), plate, [pair.role], tmp_path / "swap", "sh010", model=BASE)
    channels, _ = stored(tmp_path / "swap", 1001)
    for name in "RGB":
        same = channels[name].view(np.uint16) == planes[name].view(np.uint16)
        assert same[outside(channels)].all()
        assert np.array_equal(~np.isfinite(channels[name]), hole & outside(channels))
    assert all(np.isfinite(channels[name]).all() for name in LAYERS - set("RGB"))
    told = "pixels around a face not finite, replaced where the face is put and left elsewhere"
    assert [note for note in notes if note] == [f"{path}, frame 1001: {hole.sum()} {told}"]


def test_two_people_are_swapped_at_once(pair, tmp_path):
    plate = Footage(Sequence.find(FOOTAGE / "a4_stage/performer_b/beauty/beauty.####.exr"), SPACE)
    tracks = QUICK(plate)
    assert [track.person for track in tracks] == ["p1", "p2"]
    ben = replace(pair.likeness, performer="ben")
    cast = []
    for track, likeness in zip(tracks, (pair.likeness, ben), strict=True):
        double = Faceset(every_frame=True)([plate], [track], "double", tmp_path / track.person)
        release = replace(pair.role.release, performer=likeness.performer)
        cast.append(FacesetRole(track, likeness, double, release, "demo").role)
    first, last = plate.sequence.frames[0], plate.sequence.frames[-1]
    write_swap(Swap(), only(plate, first, last), cast, tmp_path / "swap", "sh010")
    for place, frame in ((0, first), (-1, last)):
        channels, header = stored(tmp_path / "swap", frame)
        before = read(plate.sequence, frame).rgb
        after = np.stack([channels[name] for name in "RGB"], -1)
        changed = (after != before).any(-1)
        assert not changed[outside(channels)].any()
        for track in tracks:
            x, y = track.landmarks[place, 4, :2].astype(int)
            assert changed[y - 3 : y + 3, x - 3 : x + 3].all()
        assert header["lifemask/people"] == "p1, p2"
        assert header["lifemask/likeness"] == "ada, ben"
        assert header["lifemask/release"].count("project=demo") == 2


def test_a_movie_is_a_take_and_a_plate(pair, tmp_path):
    frames = [frame for frame in pair.plate.sequence.frames if frame != NO_FACE]
    pictures = [display(read(pair.plate.sequence, frame).rgb, SPACE) for frame in frames]
    write_movie(tmp_path / "plate.mp4", pictures, 24)
    movie = Footage(Sequence.find(tmp_path / "plate.mp4"), "sRGB Encoded Rec.709 (sRGB)")
    (track,) = QUICK(movie)
    likeness = Faceset(allow_single=True)([movie], [track], "ada", tmp_path / "ada")
    double = Faceset(every_frame=True)([movie], [track], "double", tmp_path / "double")
    assert double.faces.frame.tolist() == list(range(1, len(frames) + 1))
    role = Pair(movie, track, likeness, double).role
    write_swap(Swap(), movie, [role], tmp_path / "swap", "sh010")
    channels, header = stored(tmp_path / "swap", "0003")
    assert header["lifemask/colorspace"] == "ACEScg"
    assert header["framesPerSecond"]
    assert (channels["swap.A"] > 0.9).any()


def test_a_whole_swap_takes_the_place_of_the_older_one(pair, written, tmp_path):
    def make(whole, *frames):
        write_swap(Swap(), only(pair.plate, *frames), [pair.role], tmp_path, "sh010", whole)
        return sorted(int(file.name.split(".")[1]) for file in tmp_path.glob("sh010.????.exr"))

    assert make(True, 1001, 1002, 1003) == [1001, 1002, 1003]
    (tmp_path / "sh010.denoised.1003.exr").touch()
    assert make(True, 1002, 1003) == [1002, 1003]
    assert make(False, 1003, 1005) == [1002, 1003, 1005]


def test_the_older_swap_stays_until_the_new_one_begins(pair, tmp_path):
    write_swap(Swap(), only(pair.plate, 1001), [pair.role], tmp_path, "sh010")
    wrong = replace(pair.role, track=replace(pair.track, camera=Camera.of(999, 180)))
    with pytest.raises(SizeError, match="p1 was tracked at 999x180"):
        write_swap(Swap(), only(pair.plate, 1002), [wrong], tmp_path, "sh010")
    assert [file.name for file in tmp_path.glob("*.exr")] == ["sh010.1001.exr"]


def test_a_killed_render_leaves_whole_frames(shot):
    kill = shot / "kill"
    kill.write_text("SIGKILL swap 2")
    words = [sys.executable, Path(__file__).with_name("signalled.py"), kill]
    child = subprocess.run([*words, "swap", shot, "--likeness", "ada", "--json"], check=False)
    assert child.returncode == -signal.SIGKILL
    frames = sorted((shot / "swaps/ada_v001").glob("*.exr"))
    assert 2 <= len(frames) < 8
    assert all(set(exr.read_channels(file)[0]) == LAYERS for file in frames)


def test_a_model_changes_the_face_and_leaves_the_plate_alone(pair, written, bold, tmp_path):
    frames = (1002, NO_FACE, 1006)
    write_swap(Swap(), only(pair.plate, *frames), [pair.role], tmp_path, "sh010", model=bold)
    for frame in frames:
        channels, header = stored(tmp_path, frame)
        bare, plain = stored(written, frame)
        plate, _ = exr.read_channels(pair.plate.sequence.file(frame))
        assert header["lifemask/model"] == digest(bold.path)
        assert plain["lifemask/model"] == "none"
        assert np.array_equal(channels["A"], plate["A"])
        for name in "RGB":
            same = channels[name] == plate[name]
            assert same[outside(channels)].all()
            if frame != NO_FACE:
                assert (channels[name] != bare[name])[channels["swap.A"] > 0.9].mean() > 0.5
        assert (channels["confidence.V"] <= channels["facematte.V"]).all()
        if frame != NO_FACE:
            assert (channels["facematte.V"] != bare["facematte.V"]).any()


def test_the_newest_model_of_the_shot_is_used_or_the_base_or_none(shot, bold, small):
    def used(*words):
        swap = ["swap", str(shot), "--likeness", "ada", "--frames", "1002", "--version", "1"]
        assert main([*swap, "--overwrite", *words]) == 0
        (file,) = (shot / "swaps/ada_v001").glob("*.exr")
        return exr.read_channels(file)[1]["lifemask/model"]

    assert used() == digest(BASE.path)
    for number, model in ((2, bold), (10, small)):
        folder = shot / f"models/refiner_v{number:03d}"
        folder.mkdir(parents=True)
        shutil.copy(model.path, folder)
        assert used() == digest(model.path)
    (shot / "models/refiner_v011/checkpoints").mkdir(parents=True)
    assert used() == digest(small.path)
    assert used("--no-model") == "none"


def test_a_double_s_faces_of_before_the_track_are_refused(pair, tmp_path):
    """They lack frames, or are those of somebody else whom the new track calls so."""
    faces = pair.double.faces
    few = {name: value[:3] if name not in PERSON else value for name, value in vars(faces).items()}
    older = replace(pair.double, faces=Faces(**few))
    with pytest.raises(FaceError, match="double_v001: has no faces of frames 100"):
        Swap()(pair.plate, [replace(pair.facesets, double=older).role])
    Swap()(only(pair.plate, *faces.frame[:3].tolist()), [replace(pair.facesets, double=older).role])
    there = replace(faces, landmarks=faces.landmarks + np.float32(80))
    other = replace(pair.double, faces=there)
    with pytest.raises(FaceError, match="is of somebody else than p1"):
        Swap()(pair.plate, [replace(pair.facesets, double=other).role])


def test_a_swap_that_is_refused_takes_no_version(shot, capsys):
    path = shot / "track/p1_v001.safetensors"
    known = FaceTrack.load(path)
    some = {n: v[:4] if isinstance(v, np.ndarray) else v for n, v in vars(known).items()}
    FaceTrack(**some).save(path)
    assert main(["swap", str(shot), "--likeness", "ada"]) == 1
    assert "was not tracked in frames 1005-1008" in capsys.readouterr().err
    assert not list((shot / "swaps").glob("*"))


def test_what_another_swap_is_writing_now_is_spared(pair, tmp_path):
    """Of a swap of the same version, that is; what a killed one left goes."""
    with unfinished(tmp_path / "sh010.1006.exr") as dead:
        pass
    with unfinished(tmp_path / "sh010.1005.exr") as live:
        dead.touch()
        write_swap(Swap(), only(pair.plate, 1002), [pair.role], tmp_path, "sh010")
        frames = [file.name for file in tmp_path.iterdir() if "exr" in file.name]
        assert sorted(frames) == [live.name, "sh010.1002.exr"]


def test_the_frames_of_a_swap_are_found_beside_other_files(tmp_path):
    folder = tmp_path / "ada_v001"
    folder.mkdir()
    with pytest.raises(ShotError, match="no frames"):
        frames_of(folder)
    ours = [f"sh010_ada_v001.{frame}.exr" for frame in (1001, 1002, 1007)]
    others = "precomp.1003.exr", "sh010_ada_v001_denoised.1004.exr", "sh010_ada_v001.01005.exr"
    for name in (*ours, *others):
        (folder / name).touch()
    (tmp_path / "newest").symlink_to(folder)
    for found in (frames_of(folder), frames_of(folder, "sh010"), frames_of(tmp_path / "newest")):
        assert found.frames == (1001, 1002, 1007)
        assert [found.file(frame).name for frame in found.frames] == ours
    (folder / "thumb_ada_v001.1001.exr").touch()
    assert frames_of(folder, "sh010").frames == (1001, 1002, 1007)
    with pytest.raises(ShotError, match="which is the swap of"):
        frames_of(folder)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert frames_of(folder, "sh010").frames == (1001, 1002, 1007)


def test_frames_below_zero_are_named_as_hosts_look_for_them(pair, tmp_path):
    path = str(tmp_path / "plate.####.exr")
    for frame in (1001, 1002):
        shutil.copy(pair.plate.sequence.file(frame), Pattern.of(path).file(frame - 1003))
    frames = {"frame": pair.double.faces.frame - 1003}
    double = replace(pair.double, faces=Faces(**{**vars(pair.double.faces), **frames}))
    track = replace(pair.track, frames=pair.track.frames - 1003)
    role = replace(pair.facesets, track=track, double=double).role
    plate = replace(pair.plate, sequence=Sequence.find(path))
    made = write_swap(Swap(), plate, [role], tmp_path / "swap", "sh010")
    result = Pattern.of(str(tmp_path / "swap/sh010.####.exr"))
    assert [str(file) for file in made] == [result.file(-2), result.file(-1)]
