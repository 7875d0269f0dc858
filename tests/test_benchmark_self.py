"""A person on themself: the plate is the answer, and nobody else goes in without consent."""

import json
from datetime import date

import pytest
from conftest import FOOTAGE, SPACE

from lifemask.plugin.commands.cli import main

CLIP = str(FOOTAGE / "takes/ada_studio/ada_studio.####.exr")
OTHER = str(FOOTAGE / "a1_dialogue/performer_b/beauty/beauty.####.exr")
WORDS = ["benchmark", "self", CLIP, "--plate", "1001-1003", "--colorspace", SPACE]


def figures(capsys, *words):
    assert main([*WORDS, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]


def test_a_person_on_themself_is_scored_against_the_plate(capsys, tmp_path):
    found = figures(capsys, "--takes", "1004-1012", "--out", str(tmp_path / "self"))
    assert found["frames"] == 3
    assert found["aligned_ssim"] > 0.85
    assert 0 < found["aligned_l1"] < 0.05
    assert 0 < found["expression_error"] < 0.1
    assert (tmp_path / "self/sheet.png").stat().st_size > 10_000


def test_takes_and_plate_must_be_different_frames(capsys):
    assert main([*WORDS, "--takes", "1003-1012"]) == 1
    assert "frame 1003 is the plate's, too" in capsys.readouterr().err


def test_another_likeness_needs_a_release(capsys):
    assert main([*WORDS, "--takes", "1001-1010", "--likeness", OTHER]) == 1
    assert "needs their release" in capsys.readouterr().err


def test_with_a_release_another_likeness_has_no_figures_of_pictures(capsys, tmp_path):
    shot, release = tmp_path / "sh010", FOOTAGE / "releases/ben.md"
    made = ["shot", "new", str(shot), "--plate", OTHER, "--colorspace", SPACE, "--fps", "24"]
    assert main(made) == 0
    added = ["release", "add", str(shot), "--performer", "ben", "--document", str(release)]
    added += ["--project", "demo", "--expires", date.max.isoformat()]
    assert main(added) == 0
    capsys.readouterr()
    consent = ["--shot", str(shot), "--performer", "ben"]
    found = figures(capsys, "--takes", "1015-1026", "--likeness", OTHER, *consent)
    assert "aligned_ssim" not in found
    assert {"expression_error", "lip_opening", "occlusion"} <= found.keys()


@pytest.mark.parametrize("frames", ["1090-1099", "soon"])
def test_frames_that_are_not_there_are_named(capsys, frames):
    assert main([*WORDS, "--takes", frames]) == 1
    assert frames.split("-")[0] in capsys.readouterr().err
