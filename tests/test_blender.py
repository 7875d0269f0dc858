"""Lifemask in Blender: the zip, installed into each release that is here, from a new shot on."""

import shutil
import subprocess
from pathlib import Path

import nk_reader
import numpy as np
import pytest
from blenders import BLENDERS, Blender
from conftest import SPACE, filled_in
from nk_graph import Evaluation, from_exr
from nuke_artist import nuke_buttons, nuke_effects

from lifemask.ocio.colour.transform import convert
from lifemask.ocio.media import exr
from lifemask.plugin.commands.cli import main
from lifemask.plugin.hosts.common.declared import work_buttons
from lifemask.plugin.packaging.gizmo import FILE

ROOT = Path(__file__).parents[1]
ZIP = ROOT / "build/lifemask_blender.zip"
SWAP = "sh010_ada_v001"
FIRST, LAST = 1001, 1007
MADE = [1002, 1005, 1006]
"""The frames that the journey swaps; the others show the plate."""


def test_a_release_that_is_not_tested_is_named_with_what_it_needs(tmp_path):
    (tmp_path / ".venv-blender-5.0").mkdir()
    (tmp_path / ".venv-blender-5.0/.made").touch()
    words = [ROOT / ".ci/blender", "tested"]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.startswith("Tested in Blender: 5.0; not tested")
    for version in ("4.5 (python3.11)", "5.1 (python3.13)", "5.2 (python3.13)"):
        assert version in said


@pytest.fixture(scope="module", params=BLENDERS, ids=lambda made: made.parent.name[14:])
def blender(request, tmp_path_factory):
    """Return a Blender that is here."""
    return Blender(request.param, tmp_path_factory.mktemp("blender é"))


@pytest.fixture(scope="module")
def journey(blender, pair):
    """Return a Blender, where its files are, and what it told of the journey."""
    folder = blender.folder
    plate = Path(pair.plate.sequence.path)
    shutil.copytree(plate.parent, folder / "source")
    given = {
        "zip": str(ZIP),
        "plate": str(folder / "source" / plate.name.replace("####", str(FIRST))),
        "size": [240, 180],
        "first": FIRST,
        "last": LAST,
        "range": "1005-1006",
        "blend": str(folder / "shot.blend"),
        "kill": str(folder / "kill"),
        **{
            name: str(folder / name)
            for name in ("plain", "left", "right", "remade", "own", "another")
        },
        "settings": {**filled_in(folder), "shot": f"{folder}/sh010/"},
    }
    return blender, given, blender.play("journey", **given)


def read(folder, frame, name="image"):
    channels, _ = exr.read_channels(Path(folder) / f"{name}.{frame}.exr")
    return channels


def bits(picture):
    """The pixels as a half EXR would hold them."""
    return np.stack([picture[name].astype(np.float16).view(np.uint16) for name in "RGBA"])


@pytest.fixture(scope="module")
def command_line(journey):
    """Return the folder of the same frames, swapped by the command line, and the names in it."""
    _, given, _ = journey
    shot = given["settings"]["shot"]
    words = ["swap", shot, "--likeness", "ada", "--frames", f"{FIRST}-{LAST}", "--version", "2"]
    assert main(words) == 0
    return Path(shot) / "swaps/ada_v002", "sh010_ada_v002"


def test_the_picture_has_the_command_lines_pixels(journey, command_line):
    _, given, _ = journey
    folder, name = command_line
    for frame in MADE:
        expected = read(folder, frame, name)
        assert (expected["swap.A"] > 0.9).any()
        assert np.array_equal(bits(read(given["plain"], frame)), bits(expected))


def test_a_frame_that_is_not_made_is_the_plate(journey):
    _, given, _ = journey
    plate = Path(given["settings"]["shot"]) / "plate"
    for frame in sorted({*range(FIRST, LAST + 1)} - {*MADE}):
        assert np.array_equal(bits(read(given["plain"], frame)), bits(read(plate, frame, "plate")))


def test_the_plate_is_what_the_graph_gives(journey, pair):
    _, given, _ = journey
    written = read(Path(given["settings"]["shot"]) / "plate", FIRST, "plate")
    source, _ = exr.read_channels(Path(pair.plate.sequence.path.replace("####", str(FIRST))))
    assert written["G"].dtype == np.float32
    assert np.allclose(written["G"], source["G"].astype(np.float32) * 2**0.25, rtol=1e-5)


def test_roto_changes_the_picture_and_asks_the_worker_nothing(journey):
    _, given, told = journey
    frame = FIRST + 1
    plate = read(Path(given["settings"]["shot"]) / "plate", frame, "plate")
    whole = bits(read(given["plain"], frame))
    left, right = (bits(read(given[side], frame)) for side in ("left", "right"))
    before, half = bits(plate), whole.shape[-1] // 2
    assert not np.array_equal(left, right)
    assert np.array_equal(left[..., : half - 2], before[..., : half - 2])
    assert np.array_equal(left[..., half + 2 :], whole[..., half + 2 :])
    assert np.array_equal(right[..., : half - 2], whole[..., : half - 2])
    assert np.array_equal(right[..., half + 2 :], before[..., half + 2 :])
    assert told["fixed"]["jobs"] == 0


@pytest.mark.parametrize("fixed", [True, False], ids=["with a fix", "without"])
def test_the_graph_of_nukes_gizmo_gives_the_same_pixels(journey, fixed):
    _, given, _ = journey
    frame, shot = FIRST + 1, Path(given["settings"]["shot"])
    plate = from_exr(read(shot / "plate", frame, "plate"))
    sources = {"plate": plate, "result": from_exr(read(shot / "swaps/ada_v001", frame, SWAP))}
    if fixed:
        sources["add_occlusion"] = {"rgba.alpha": read(shot / "fixes", frame, "add")["R"]}
    group = nk_reader.read(FILE.read_text(encoding="utf-8")).children[0]
    picture = Evaluation(group, sources, plate["rgba.red"].shape, {"made": 1}).picture()
    nuke = {name[0].upper(): picture[f"rgba.{name}"] for name in ("red", "green", "blue", "alpha")}
    assert np.array_equal(bits(nuke), bits(read(given["right" if fixed else "plain"], frame)))


def test_fixes_are_copied_to_the_shot(journey):
    _, given, told = journey
    copied = read(Path(given["settings"]["shot"]) / "fixes", FIRST + 1, "add")
    half = copied["R"].shape[1] // 2
    assert copied["R"][:, : half - 2].max() == 0
    assert copied["R"][:, half + 2 :].min() == 1
    assert told["fixed"]["text"] == "Copied to fixes/: add, frame 1002."


def test_a_button_says_what_to_press_first(journey):
    said = [text.strip() for text in journey[2]["refused"]]
    assert said[0].endswith("Fill in shot first.")
    assert said[1].endswith("Press New shot first: there is no shot in this folder.")
    assert said[2].endswith("nobody names no swap (there: Lifemask Swap)")
    assert "Connect one of Add Occlusion, Remove Occlusion, Paint first" in said[3]
    assert "button: 'nope' is none (there: " in said[4]


def test_a_copy_of_a_swap_has_keys_of_its_own(journey):
    told = journey[2]["duplicated"]
    assert told["keys"] > 4
    assert told["same"] and not told["shown"]


def test_goes_on_after_the_worker_was_killed(journey):
    told = journey[2]["killed"]
    assert "the worker ended with signal 9" in told["text"]
    assert told["made"] == MADE[:1]
    assert told["then"] == MADE
    assert told["said"] == "Swap: done."


def test_stopping_leaves_nothing_of_the_plates_rendering(journey):
    assert journey[2]["stopped"] == {"left": [], "text": "Stopped."}


def test_a_frame_of_the_plate_that_was_written_over_is_rendered_anew(journey):
    assert journey[2]["restored"] is True


def test_a_frame_of_the_plate_is_rendered_when_what_it_is_made_of_has_changed(journey):
    assert journey[2]["rendered"] == {
        "nothing": "kept",
        "node moved": "kept",
        "graded": "changed",
        "graded back": "changed",
        "node added": "the same",
        "wire moved": "changed",
        "node taken out": "changed",
        "smaller": "the same",
        "as large": "the same",
        "another file": "changed",
        "its file": "changed",
        "animated": "the same",
        "still animated": "the same",
        "no longer": "kept",
        "rendered": "changed",
        "still rendered": "the same",
        "back": "changed",
    }


def test_a_frame_that_is_made_again_is_shown_at_once(journey):
    _, given, _ = journey
    frame = MADE[0]
    first, brighter = (read(given["remade"] + exposure, frame) for exposure in "01")
    assert np.array_equal(bits(first), bits(read(given["plain"], frame)))
    result = Path(given["settings"]["shot"]) / "swaps/ada_v003"
    made = read(result, frame, "sh010_ada_v003")
    assert np.array_equal(bits(brighter), bits(made))
    assert not np.array_equal(bits(brighter), bits(first))


def test_the_sidebar_shows_people_release_and_advice(journey):
    drawn = journey[2]["panel"]
    assert "p1: seen in 6 of 7 frames" in drawn
    assert "ada consents to this project" in drawn
    shown = [button.label for button in work_buttons()]
    assert sorted(label for label in drawn if label in shown) == sorted(shown)
    for word in ("shot", "likeness", "Track", "Faceset", "Swap frame", "Swap range", "Stop"):
        assert word in drawn


def test_its_buttons_are_nukes_and_do_the_same(journey, artist):
    told = journey[2]
    assert sorted(told["buttons"]) == sorted([*nuke_buttons(), "refresh"])
    assert told["effects"] == nuke_effects(artist, list(told["effects"]))


def test_leaves_the_scene_and_blender_as_they_were(journey):
    _, _, told = journey
    assert told["scenes"] == ["Scene"]
    assert told["own"] is False
    assert told["heavy"] == []


@pytest.mark.parametrize("zip_file", [str(ZIP), ""], ids=["with", "without"])
def test_a_saved_scene_renders_the_same(journey, tmp_path, zip_file):
    blender, given, _ = journey
    again = {"first": FIRST, "last": LAST, "plain": str(tmp_path), "blend": given["blend"]}
    user = "user" if zip_file else "nobody"
    assert blender.play("reopen", user, zip=zip_file, **again) == {"known": bool(zip_file)}
    for frame in range(FIRST, LAST + 1):
        assert np.array_equal(bits(read(tmp_path, frame)), bits(read(given["plain"], frame)))


def test_a_shot_of_the_command_line_keeps_its_plate_and_its_space(blender, shot, tmp_path):
    toml = shot / "shot.toml"
    toml.write_text(toml.read_text().replace(SPACE, "ACEScg"))
    frame = 1002
    assert main(["swap", str(shot), "--likeness", "ada", "--frames", str(frame)]) == 0
    given = {
        "zip": str(ZIP),
        "shot": str(shot),
        "frame": frame,
        "space": "ACEScg",
        "plate": str(tmp_path / "plate/plate.1001.exr"),
        "first": 1001,
        "last": 1008,
        **{name: str(tmp_path / name) for name in ("before", "after")},
    }
    assert blender.play("other_plate", "user", **given) == ["", ""]
    assert not (shot / "plate").exists()
    made = read(shot / "swaps/ada_v001", frame, "sh010_ada_v001")
    before, after = (read(given[name], frame) for name in ("before", "after"))
    face = made["swap.A"] > 0
    assert np.array_equal(bits(before)[:, ~face], bits(after)[:, ~face])
    pixels = np.stack([made[name].astype(np.float32) for name in "RGB"], -1)
    expected = convert(pixels, "ACEScg", SPACE)
    shown = np.stack([after[name] for name in "RGB"], -1)
    assert np.allclose(shown[face], expected[face], rtol=2e-3, atol=2e-4)
    assert (shot / f"swaps/ada_v001/sh010_ada_v001.{frame + 1}.exr").is_file()
