"""Bad input: each one clear sentence that names the file or the knob, and nothing half-written."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import FOOTAGE, SPACE, full_disk

from lifemask.nodes.errors import WriteError
from lifemask.nodes.faceset.files import INDEX, FaceSet
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.colour.transform import display
from lifemask.ocio.media import exr
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.commands.cli import main

STUDIO = FOOTAGE / "takes/ada_studio"


@pytest.fixture
def refused(capsys):
    """Return what a command says when it is refused: one sentence, as its words are."""

    def say(*words):
        capsys.readouterr()
        assert main([*map(str, words), "--json"]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return say


def frames(shot):
    return sorted((shot.parent / "plate").iterdir())


def tree(folder):
    """Return what is in a folder, hidden files included, and when it was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def empty_folders(folder):
    return [path for path in folder.rglob("*") if path.is_dir() and not list(path.iterdir())]


def truncate(file):
    os.truncate(file, file.stat().st_size // 2)


def shrink(file):
    channels, header = exr.read_channels(file)
    exr.write(file, {name: plane[:-2] for name, plane in channels.items()}, header)


def swapped(shot):
    return [int(file.name.split(".")[1]) for file in sorted((shot / "swaps").rglob("*.exr"))]


@pytest.fixture
def take(tmp_path):
    """Return the folder of a take of ten frames that a test may spoil."""
    folder = tmp_path / "take"
    folder.mkdir()
    for file in sorted(STUDIO.iterdir())[:10]:
        shutil.copyfile(file, folder / file.name)
    return folder


def test_no_face_in_the_plate(tmp_path, refused):
    grey = np.full((90, 160), 0.18, np.float16)
    for frame in range(1001, 1007):
        exr.write(tmp_path / f"grey/grey.{frame}.exr", dict.fromkeys("RGB", grey), {})
    plate = ["--plate", str(tmp_path / "grey/grey.####.exr"), "--colorspace", "ACEScg"]
    assert main(["shot", "new", str(tmp_path / "a"), *plate, "--fps", "24"]) == 0
    assert "no face was found in frames 1001-1006" in refused("track", tmp_path / "a")
    assert not (tmp_path / "a/track").exists()


@pytest.mark.parametrize("command", [["track"], ["faceset", "--double"]])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [(Path.unlink, "misses frames 1005"), (truncate, "plate.1005.exr"), (shrink, "plate.1005.exr")],
)
def test_a_bad_frame_of_the_plate_before_the_swap(shot, refused, command, spoil, said):
    spoil(frames(shot)[4])
    before = tree(shot)
    assert said in refused(command[0], shot, *command[1:])
    assert tree(shot) == before
    assert not empty_folders(shot)


def test_a_bad_frame_of_the_plate_in_the_middle_of_the_swap(shot, refused):
    truncate(frames(shot)[4])
    assert "plate.1005.exr" in refused("swap", shot, "--likeness", "ada")
    assert swapped(shot) == [1001, 1002, 1003, 1004]
    for file in (shot / "swaps").rglob("*.exr"):
        exr.read_channels(file)


@pytest.mark.parametrize(
    ("spoil", "said"), [(Path.unlink, "misses frames 1005"), (shrink, "plate.1005.exr: is 240x178")]
)
def test_a_bad_frame_that_is_seen_before_the_swap(shot, refused, spoil, said):
    spoil(frames(shot)[4])
    assert said in refused("swap", shot, "--likeness", "ada")
    assert swapped(shot) == []
    assert not (shot / "swaps/ada_v001").exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(Path.unlink, "misses frames 1005"), (truncate, "ada_studio.1005.exr"), (shrink, "1005.exr")],
)
def test_a_bad_frame_of_a_take(shot, take, refused, spoil, said):
    spoil(take / "ada_studio.1005.exr")
    before = tree(shot)
    assert said in refused("faceset", shot, take, "--performer", "ada", "--colorspace", SPACE)
    assert tree(shot) == before


def test_a_colour_space_that_nobody_knows_or_named(shot, take, refused):
    words = ["faceset", shot, take, "--performer", "ada"]
    assert "ACEScg" in refused(*words, "--colorspace", "ACESgc")
    for file in take.iterdir():
        channels, _ = exr.read_channels(file)
        exr.write(file, channels, {})
    assert "name it with --colorspace" in refused(*words)
    text = (shot / "shot.toml").read_text()
    (shot / "shot.toml").write_text(text.replace(SPACE, "Linear Rec.907"))
    for rest in (["track", shot], ["swap", shot, "--likeness", "ada"]):
        assert "shot.toml: plate.colorspace: 'Linear Rec.907'" in refused(*rest)


def test_a_full_disk(shot, refused):
    before = tree(shot)
    with full_disk(30_000):
        assert "swaps/ada_v001" in refused("swap", shot, "--likeness", "ada")
        assert "facesets/double_v002: cannot" in refused("faceset", shot, "--double")
        assert "track/p1_v002" in refused("track", shot, "--samples", "2")
    assert tree(shot) == before
    assert not (shot / "swaps/ada_v001").exists()


def test_a_full_disk_leaves_no_look(shot, refused):
    assert main(["swap", str(shot), "--likeness", "ada", "--frames", "1001", "--no-model"]) == 0
    with full_disk(1000):
        assert "look/ada_v001" in refused("look", shot)
    assert not (shot / "look/ada_v001").exists()


def test_a_folder_that_is_a_file(shot, refused):
    for name in ("track", "releases"):
        shutil.rmtree(shot / name)
        (shot / name).touch()
    assert "track/p1_v001.safetensors: cannot be written" in refused("track", shot)
    assert "releases/ada.toml: cannot be read" in refused("swap", shot, "--likeness", "ada")


def test_a_folder_that_cannot_be_written_to(shot, refused):
    (shot / "swaps").touch()
    shutil.move(shot / "facesets", shot / "kept")
    (shot / "facesets").touch()
    assert "facesets/double_v001: cannot be written" in refused("faceset", shot, "--double")
    (shot / "facesets").unlink()
    shutil.move(shot / "kept", shot / "facesets")
    assert "cannot be written" in refused("swap", shot, "--likeness", "ada")


def test_too_few_faces_unless_one_is_enough(shot, tmp_path, refused):
    number = 1003
    picture = display(read(Sequence.find(STUDIO / "ada_studio.####.exr"), number).rgb, SPACE)
    photo = tmp_path / "ada.png"
    cv2.imwrite(str(photo), np.uint8(255 * picture[..., ::-1]))
    words = ["faceset", str(shot), str(photo), "--performer", "ada"]
    words += ["--colorspace", "sRGB Encoded Rec.709 (sRGB)"]
    said = refused(*words)
    assert "ada: 8 usable faces are needed, 1 found; add takes" in said
    assert "--allow-single" in said
    assert not (shot / "facesets/ada_v002").exists()
    assert main([*words, "--allow-single"]) == 0
    assert len(FaceSet.load(shot / "facesets/ada_v002")) == 1
    assert main(["swap", str(shot), "--likeness", "ada", "--frames", "1001-1002"]) == 0
    assert swapped(shot) == [1001, 1002]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("[plate]", "speed = 1\n[plate]", "speed"), ("fps = 24.0", "fps = -1", "plate.fps")],
)
def test_a_shot_that_says_what_it_may_not(shot, refused, old, new, said):
    text = (shot / "shot.toml").read_text()
    (shot / "shot.toml").write_text(text.replace(old, new))
    for words in (["track", shot], ["faceset", shot, "--double"], ["look", shot]):
        assert said in refused(*words)


def test_the_same_version_again(shot, refused):
    once = ["--likeness", "ada", "--frames", "1001"]
    assert main(["swap", str(shot), *once]) == 0
    before = tree(shot)
    assert "ada_v001: this version is there" in refused("swap", shot, *once, "--version", "1")
    assert "double_v001" in refused("faceset", shot, "--double", "--version", "1")
    assert tree(shot) == before
    assert main(["swap", str(shot), *once, "--version", "1", "--overwrite"]) == 0
    assert tree(shot) != before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["track", "--version", "0"], "version: 0 is outside 1.."),
        (["faceset", "--double", "--version", "-1"], "version: -1 is outside 1.."),
        (["swap", "--likeness", "ada", "--version", "0"], "version: 0 is outside 1.."),
        (["look", "--swap-version", "0"], "version: 0 is outside 1.."),
        (["look", "--count", "0"], "count: 0 is outside 1.."),
    ],
)
def test_versions_and_pictures_count_from_one(shot, refused, words, said):
    assert main(["swap", str(shot), "--likeness", "ada", "--frames", "1001"]) == 0
    before = tree(shot)
    assert said in refused(words[0], shot, *words[1:])
    assert tree(shot) == before


def test_a_faceset_of_an_older_version(shot, refused):
    folder = Shot.load(shot).latest("facesets", "ada")
    for texture in folder.glob("texture.*.exr"):
        channels, header = exr.read_channels(texture)
        channels.pop("occluder.V")
        exr.write(texture, channels, header)
    said = refused("swap", shot, "--likeness", "ada")
    assert "the layer occluder.V is not there; make the faceset again" in said
    truncate(folder / INDEX)
    assert INDEX in refused("swap", shot, "--likeness", "ada")
    assert not (shot / "swaps").exists() or not list((shot / "swaps").iterdir())


def test_people_of_one_track_are_written_together(tmp_path, refused, monkeypatch):
    plate = FOOTAGE / "a4_stage/performer_b/beauty/beauty.####.exr"
    assert main(["shot", "new", str(tmp_path / "a"), "--plate", str(plate), "--fps", "24"]) == 0
    save = FaceTrack.save

    def full(track, path):
        if track.person == "p2":
            raise WriteError(f"{path}: cannot be written (the disk is full)")
        save(track, path)

    monkeypatch.setattr(FaceTrack, "save", full)
    assert "p2_v001" in refused("track", tmp_path / "a", "--samples", "2")
    assert list((tmp_path / "a/track").iterdir()) == []
