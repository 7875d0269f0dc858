"""A layer that is named reaches everything that reads the plate or a take."""

import shutil

import numpy as np
import pytest
from conftest import FOOTAGE, SPACE

from lifemask.nodes.shot.folder import Shot
from lifemask.ocio.media import exr
from lifemask.plugin.benchmarks.longer_shot import looped
from lifemask.plugin.commands.cli import main


def hidden(file):
    """Make the picture of an EXR its layer ``mine``, beside two that are flat."""
    channels, header = exr.read_channels(file)
    flat = {f"{name}.{c}": np.full_like(channels["R"], 0.2) for name in ("a", "z") for c in "RGBA"}
    mine = {f"mine.{name}": plane for name, plane in channels.items()}
    exr.write(file, {**flat, **mine}, header)


@pytest.fixture
def layered(shot):
    """Return a shot whose plate has three layers, none called as a picture is."""
    for file in (shot.parent / "plate").iterdir():
        hidden(file)
    return shot


@pytest.fixture
def take(tmp_path):
    """Return a take of nine such frames."""
    folder = tmp_path / "take"
    shutil.copytree(FOOTAGE / "takes/ada_studio", folder)
    for file in sorted(folder.iterdir())[9:]:
        file.unlink()
    for file in folder.iterdir():
        hidden(file)
    return folder


def name(folder, layer):
    text = (folder / "shot.toml").read_text()
    (folder / "shot.toml").write_text(text.replace("[plate]\n", f'[plate]\nlayer = "{layer}"\n'))


def refused(capsys, *words):
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_plate_s_layer_is_kept_with_the_shot(layered, tmp_path, capsys):
    plate = f"{layered.parent}/plate/plate.####.exr"
    new = ["shot", "new", tmp_path / "new", "--plate", plate, "--colorspace", SPACE, "--fps", "24"]
    said = "which layer is the picture: a, mine, z; name one with --layer, or as plate.layer"
    assert said in refused(capsys, *new)
    assert "no layer 'yours' with R G B or Y; there: a, mine, z" in refused(
        capsys, *new, "--layer", "yours"
    )
    assert not (tmp_path / "new").exists()
    assert main([*map(str, new), "--layer", "MINE"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("plate.1001.exr: the picture is mine, not a, z; --layer") == 1
    assert Shot.load(tmp_path / "new").plate.sequence.layer == "MINE"


def test_a_plain_plate_needs_no_words(shot, tmp_path, capsys):
    plate = f"{shot.parent}/plate/plate.####.exr"
    words = ["--plate", plate, "--colorspace", SPACE, "--fps", "24"]
    capsys.readouterr()
    assert main(["shot", "new", str(tmp_path / "new"), *words]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["track"], ["faceset", "--double"], ["swap", "--likeness", "ada"]]
)
def test_a_shot_that_does_not_say_its_layer_is_asked_for_it(layered, capsys, words):
    command, *rest = words
    assert "plate.1001.exr: its names do not tell" in refused(capsys, command, layered, *rest)
    assert not list((layered / "swaps").glob("*"))


def test_the_layer_is_tracked_swapped_and_looked_at(layered, capsys):
    name(layered, "mine")
    for words in (["track", "--samples", "2"], ["faceset", "--double"]):
        assert main([words[0], str(layered), *words[1:]]) == 0
    assert main(["swap", str(layered), "--likeness", "ada", "--frames", "1001"]) == 0
    before, _ = exr.read_channels(layered.parent / "plate/plate.1001.exr")
    result = layered / "swaps/ada_v001/sh010_ada_v001.1001.exr"
    after, header = exr.read_channels(result)
    outside = after["swap.A"] == 0
    assert outside.any() and not outside.all()
    assert np.array_equal(after["A"], before["mine.A"])
    for c in "RGB":
        assert np.array_equal(after[c][outside], before[f"mine.{c}"][outside])
    assert header["lifemask/plate"].endswith(" mine")
    assert main(["look", str(layered)]) == 0
    assert main(["shot", "info", str(layered)]) == 0
    assert "layer: mine" in capsys.readouterr().out


def test_a_longer_shot_of_it_reads_the_same_layer(layered):
    name(layered, "mine")
    for width in (0, 480):
        with looped(Shot.load(layered), 3, width) as loop:
            sequence = loop.plate.sequence
            assert sequence.layer == ("" if width else "mine")
            channels, _ = exr.read_channels(sequence.file(1001))
            assert ("R" in channels) is bool(width)


def test_a_take_s_layer_is_read(shot, take, capsys):
    words = ["faceset", shot, take, "--performer", "eve", "--colorspace", SPACE]
    assert "a, mine, z" in refused(capsys, *words)
    assert not list((shot / "facesets").glob("eve*"))
    text = (shot / "shot.toml").read_text()
    (shot / "shot.toml").write_text(f"{text}\n[knobs.track]\nsamples = 2\n")
    assert main([*map(str, words), "--layer", "mine", "--every-frame"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert told.count(".1001.exr: the picture is mine, not a, z; --layer") == 1
    assert list((shot / "facesets").glob("eve_v001/face.*.exr"))


def test_the_double_s_layer_is_the_plate_s(shot, capsys):
    said = refused(capsys, "faceset", shot, "--double", "--layer", "mine")
    assert "layer: is for takes; that of the plate is plate.layer in shot.toml" in said
