"""Pictures and the page that show a swap."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from shlex import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes import progress
from lifemask.nodes.errors import BrokenFileError, ShotError
from lifemask.nodes.html.plots import histograms, timeline
from lifemask.nodes.shot.folder import Shot
from lifemask.ocio.media import exr
from lifemask.ocio.media import reader as reading
from lifemask.ocio.media.movie import Movie
from lifemask.ocio.media.movie_writer import write_movie
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.commands import look
from lifemask.plugin.commands.remedies import with_remedy
from lifemask.plugin.reports import contact_sheet, swap_report

RENDERS = Path(__file__).parent / "footage/a1_dialogue"
SPACE = "Linear Rec.709 (sRGB)"
FRAMES = (1015, 1016, 1017)
NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=40)


def beauty(who):
    return str(RENDERS / who / "beauty/beauty.####.exr")


def perfect(shot, number):
    """Write the perfect swap as Swap writes its own."""
    truth = read(Sequence.find(beauty("performer_a_on_b")), number).rgb
    mattes, _ = exr.read_channels(RENDERS / f"performer_b/mattes/mattes.{number}.exr")
    face = mattes["face"].astype(np.float16)
    layers = {"facematte.V": face, "occlusion.V": 0 * face, "confidence.V": 0.5 * face}
    for i, name in enumerate("RGB"):
        layers[name] = layers[f"raw.{name}"] = truth[..., i].astype(np.float16)
    path = shot.version("swaps", "ada", 1) / f"sh010_ada_v001.{number}.exr"
    exr.write(path, layers, {"lifemask/release": "<ada>"})


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shots") / "sh010"
    shot = Shot.new(folder, beauty("performer_b"), SPACE, 24.0, "1015-1017", "demo")
    shot = shot.with_performer("ada")
    for number in FRAMES:
        perfect(shot, number)
    faceset = shot.version("facesets", "ada", 1)
    faceset.mkdir(parents=True)
    axes = {"yaw": {"likeness": [1.0, 2.0], "plate": [3.0], "unit": "deg"}}
    report = {"axes": axes, "advice": ["Shoot <more>."], "dropped": {"tiny": 2}, "kept": 9}
    (faceset / "coverage.json").write_text(json.dumps(report))
    return shot


def run(shot, **more):
    return look.LookAtSwap(shot=shot.folder, **more).run()


@pytest.fixture(scope="module")
def made(shot):
    return run(shot)


@pytest.fixture(scope="module")
def frame(shot):
    with swap_report.Swapped.open(shot, shot.latest("swaps", "ada")) as swap:
        return swap.look(1016)


def test_the_page_asks_nobody_for_anything(made):
    page = made["page"].read_text(encoding="utf-8")
    assert all(link.startswith("data:") for link in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "http" not in page
    assert "url(" not in page


def test_the_page_tells_coverage_and_provenance_as_text(made):
    page = made["page"].read_text(encoding="utf-8")
    for text in (
        "Shoot &lt;more&gt;.",
        "9 faces kept",
        "2 tiny",
        "&lt;ada&gt;",
        "yaw (deg)",
        SPACE,
    ):
        assert text in page


def test_the_movie_has_every_frame(made):
    movie = Sequence.find(made["movie"])
    assert len(movie.frames) == len(FRAMES)
    assert movie.fps == 24


def test_a_plate_that_is_a_movie_is_opened_once_for_all_frames(shot, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(reading, "Movie", lambda path: opened.append(path) or Movie(path))
    greys = [np.full((32, 48, 3), 60 + 20 * number, np.uint8) for number in range(6)]
    write_movie(tmp_path / "plate.mp4", greys, 24)
    plain = dict.fromkeys("RGB", np.zeros((32, 48), np.float16))
    raw = {f"raw.{name}": layer for name, layer in plain.items()}
    flat = {f"{name}.V": plain["R"] for name in ("facematte", "occlusion", "confidence")}
    for number in range(1, 7):
        exr.write(tmp_path / f"swap/ada.{number}.exr", plain | raw | flat, {})
    moved = replace(shot, path=str(tmp_path / "plate.mp4"), colorspace="Camera Rec.709", frames="")
    with swap_report.Swapped.open(moved, tmp_path / "swap") as swap:
        found = [frame.before.mean() for frame in swap.looks()]
    assert np.diff(found).min() > 0.03
    assert len(opened) == 1


def test_the_sheet_has_a_column_for_each_frame(made):
    sheet = read(Sequence.find(made["sheet"]), 1).rgb
    height, width = sheet.shape[:2]
    assert width == contact_sheet.MARGIN + len(FRAMES) * (contact_sheet.TILE + contact_sheet.GAP)
    assert height == 2 * contact_sheet.HEAD + 4 * (contact_sheet.TILE + contact_sheet.GAP)


def test_every_look_is_a_new_version(shot, made):
    assert made["page"].parent.name == "ada_v001"
    assert shot.next_version("look", "ada").name == "ada_v002"


def test_an_older_look_is_replaced_as_a_whole(shot, tmp_path):
    older = [tmp_path / f"ada_v009{end}" for end in ("_before_after.mp4", "_sheet.png", ".html")]
    for file in (*older, tmp_path / "notes.txt"):
        file.touch()
    with swap_report.Swapped.open(shot, shot.latest("swaps", "ada")) as swap:
        made = swap_report.make(swap, tmp_path, 6)
    assert {*tmp_path.iterdir()} == {*made.values(), tmp_path / "notes.txt"}


def test_before_and_after_differ_in_the_face_alone(frame):
    change = np.abs(frame.before - frame.after).mean(-1)
    inside = frame.matte > 0.99
    assert change[inside].mean() > 5 * change[frame.matte == 0].mean()
    assert frame.before.min() >= 0
    assert frame.after.max() <= 1


def test_a_dark_face_is_shown_lighter(frame):
    dark = replace(frame, before=frame.before * 2 ** (-4 / 2.2))
    assert swap_report.exposure(frame) == 0
    assert swap_report.exposure(dark) == pytest.approx(4, abs=1)


def test_what_lies_in_front_is_red_in_the_mattes():
    empty, full = np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)
    black = np.zeros((2, 2, 3), np.float32)
    front = contact_sheet.Look(1, black, black, black, empty, full, empty, {}).mattes
    face = contact_sheet.Look(1, black, black, black, full, empty, empty, {}).mattes
    assert np.allclose(front, contact_sheet.OCCLUDER)
    assert np.allclose(face, 1)


def test_a_swap_without_faces_still_makes_a_sheet(frame):
    none = np.zeros_like(frame.matte)
    bare = contact_sheet.Look(1, frame.before, frame.after, frame.raw, none, none, none, {})
    assert np.isfinite(contact_sheet.contact_sheet([bare], "nobody")).all()


@given(st.integers(0, 59), st.integers(0, 99), st.integers(1, 60))
def test_the_square_about_a_face_lies_in_the_picture(row, column, side):
    matte = np.zeros((60, 100), np.float32)
    matte[row, column] = 1
    left, top = contact_sheet.box(matte, side)
    assert 0 <= left <= 100 - side
    assert 0 <= top <= 60 - side
    if side <= row < 60 - side and side <= column < 100 - side:
        assert left <= column < left + side
        assert top <= row < top + side


@given(NUMBERS, NUMBERS)
def test_plots_stay_in_their_frame(likeness, plate):
    svg = histograms("yaw", "deg", likeness, plate)
    places = re.findall(r"(-?[\d.]+),(-?[\d.]+)", svg)
    assert places
    assert all(0 <= float(x) <= 340 and 0 <= float(y) <= 150 for x, y in places)


def test_one_frame_makes_a_timeline():
    assert "1001" in timeline("by frame", [1001], [("area", [1.0])])


@given(st.integers(1, 300), st.integers(1, 12))
def test_chosen_frames_are_spread_from_first_to_last(total, count):
    frames = range(1001, 1001 + total)
    chosen = swap_report.spread(frames, count)
    assert len(chosen) == min(total, count)
    assert sorted(set(chosen)) == chosen
    assert chosen[0] == 1001
    assert count == 1 or chosen[-1] == frames[-1]


def test_a_shot_without_a_swap_says_how_to_make_one(shot):
    with pytest.raises(ShotError, match="nothing in swaps"):
        run(shot, likeness="ben")
    with pytest.raises(ShotError, match="ada_v009"):
        run(shot, swap_version=9)


@pytest.fixture
def moved(shot, tmp_path):
    """Return a copy of the shot, whose swap a test may change."""
    made = replace(shot, folder=tmp_path / "sh010")
    shutil.copytree(shot.folder, made.folder, ignore=shutil.ignore_patterns("look"))
    shutil.rmtree(made.folder / "swaps/ben_v001", ignore_errors=True)
    return made


def looked(shot):
    """Return how many frames the movie has, and what is said of others."""
    notes = []
    with progress.reporting(lambda said: notes.append(said.note)):
        made = run(shot)
    return len(Sequence.find(made["movie"]).frames), "; ".join(filter(None, notes))


def test_a_swap_of_chosen_frames_is_shown_and_the_others_are_told(moved):
    folder = moved.latest("swaps", "ada")
    (folder / "sh010_ada_v001.1016.exr").unlink()
    assert looked(moved) == (2, "frames 1016 are not swapped")


@pytest.mark.parametrize(
    "name",
    [
        "precomp.1015.exr",
        "sh010_ada_v001_denoised.1016.exr",
        "sh010_ada_v001.denoised.1016.exr",
        "sh010_ada_v001.01016.exr",
        "thumb_ada_v001.1016.exr",
        "sh010_ada_v001.exr",
        ".nfs0001.1015.exr",
    ],
)
def test_other_files_beside_the_frames_do_no_harm(moved, name):
    folder = moved.latest("swaps", "ada")
    (folder / name).write_bytes(b"something else")
    assert looked(moved) == (3, "")


def test_a_frame_that_the_plate_lacks_is_told(moved):
    folder = moved.latest("swaps", "ada")
    shutil.copy(folder / "sh010_ada_v001.1015.exr", folder / "sh010_ada_v001.0001.exr")
    assert looked(moved) == (3, "frames 1 are not the plate's")


def test_a_swap_under_another_name_of_the_shot_is_found(moved):
    folder = moved.latest("swaps", "ada")
    (folder / "precomp.1015.exr").touch()
    for file in folder.glob("sh010_*"):
        file.rename(file.with_name(file.name.replace("sh010", "sh011")))
    assert looked(moved)[0] == 3
    (folder / "x_ada_v001.1015.exr").touch()
    with pytest.raises(ShotError, match=r"which is the swap of sh011.*x_ada.*\?"):
        run(moved)


def test_a_look_without_a_swap_names_a_command_with_all_that_it_needs(moved):
    shutil.rmtree(moved.folder / "swaps")
    for performers, hint in (
        (("eve", "ada"), "lifemask swap {} --likeness eve`"),
        ((), "`lifemask shot info {}`"),
    ):
        replace(moved, performers=performers).save()
        with pytest.raises(ShotError) as refused:
            run(moved)
        said = with_remedy(str(refused.value), refused.value.remedy)
        assert hint.format(quote(str(moved.folder))) in said


def test_a_swap_that_lacks_a_layer_is_named(shot):
    folder = shot.version("swaps", "ben", 1)
    exr.write(folder / "ben.1015.exr", {"R": np.zeros((4, 4), np.float16)}, {})
    opened = swap_report.Swapped.open(shot, folder)
    with pytest.raises(BrokenFileError, match=r"ben\.1015\.exr"), opened:
        pass


@pytest.mark.parametrize("text", ["{half of it", "[]", "3"])
def test_a_coverage_that_cannot_be_read_is_left_out(shot, text, tmp_path):
    moved = replace(shot, folder=tmp_path / "sh010")
    shutil.copytree(shot.folder, moved.folder, ignore=shutil.ignore_patterns("look"))
    (moved.version("facesets", "ada", 1) / "coverage.json").write_text(text)
    page = run(moved, likeness="ada")["page"].read_text(encoding="utf-8")
    assert "Coverage of" not in page


def test_a_look_that_fails_leaves_nothing(shot, tmp_path, monkeypatch):
    moved = replace(shot, folder=tmp_path / "sh010")
    shutil.copytree(shot.folder, moved.folder, ignore=shutil.ignore_patterns("look"))
    monkeypatch.setattr(contact_sheet, "save", full)
    with pytest.raises(OSError, match="full"):
        run(moved, likeness="ada")
    assert not list((moved.folder / "look").iterdir())


def full(*_):
    raise OSError("the disk is full")
