"""The shot's folder: what it holds, what it refuses, which version comes next."""

import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes import Node
from lifemask.nodes.errors import (
    BrokenFileError,
    KnobError,
    LifemaskError,
    Remedy,
    ShotError,
    VersionExistsError,
)
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.knob_values import snake
from lifemask.plugin.commands.remedies import with_remedy


@pytest.fixture
def shot(tmp_path):
    return Shot.new(tmp_path / "sh010", str(tmp_path / "plates/p.####.exr"), "ACEScg", 24.0)


def edited(shot, old, new):
    text = shot.file.read_text()
    assert old in text
    shot.file.write_text(text.replace(old, new))
    return shot.folder


def test_a_shot_comes_back_as_it_was_saved(shot):
    assert Shot.load(shot.folder) == shot


def test_a_layer_is_written_only_when_it_was_named(shot, tmp_path):
    assert "layer" not in shot.file.read_text()
    assert Shot.load(edited(shot, "fps =", 'layer = "beauty"\nfps =')).layer == "beauty"
    named = Shot.new(tmp_path / "sh020", "p.####.exr", "ACEScg", 24.0, layer="C")
    assert Shot.load(named.folder) == named
    assert named.layer == "C"


def test_a_plate_beside_the_shot_can_be_moved_with_it(shot, tmp_path):
    assert not shot.path.startswith("/")
    assert (shot.folder / shot.path).resolve() == (tmp_path / "plates/p.####.exr").resolve()


def test_a_plate_elsewhere_keeps_its_place(tmp_path):
    shot = Shot.new(tmp_path / "shots/sh010", "/plates/p.####.exr", "ACEScg", 24.0)
    assert shot.path == "/plates/p.####.exr"


def test_a_shot_is_not_made_twice(shot):
    before = shot.file.read_text()
    with pytest.raises(VersionExistsError, match=r"shot\.toml"):
        Shot.new(shot.folder, "other.####.exr", "ACEScct", 25.0)
    assert shot.file.read_text() == before


def test_no_shot_there(tmp_path):
    with pytest.raises(ShotError, match="sh020: there is no shot here") as refused:
        Shot.load(tmp_path / "sh020")
    assert refused.value.remedy == Remedy("new_shot", {"shot": str(tmp_path / "sh020")})


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("fps =", "fbs =", "plate.fbs.*fps"),
        ("fps = 24.0", 'fps = "24"', "plate.fps"),
        ("fps = 24.0", "fps = 0", "plate.fps"),
        ("fps = 24.0", "fps = true", "plate.fps"),
        ("fps = 24.0", "fps = 24.0\nlayer = 1", "plate.layer"),
        ('colorspace = "ACEScg"', 'colorspace = ""', "plate.colorspace"),
        ("performers = []", "performers = [1]", "performers"),
        ('name = "sh010"', 'name = "../../x"', r"shot\.toml: name: '\.\./\.\./x' may hold"),
        ('name = "sh010"', 'name = "a/b"', "name: 'a/b' may hold"),
        ('name = "sh010"', 'name = ""', "name: '' may hold"),
        ('name = "sh010"', 'name = ".."', "name: '..' may hold"),
        ('name = "sh010"', r'name = "a\u0007"', "name: .* may hold"),
        ('name = "sh010"', f'name = "{"n" * 300}"', "name: .* 100"),
        ("performers = []", f'performers = ["{"n" * 300}"]', "performers: .* 100"),
        ("performers = []", 'performers = ["../ada"]', "performers"),
        ("[plate]", "[plates]", "plates"),
        ("[plate]", "speed = 1\n[plate]", "speed"),
        ("[plate]", "[knobs.trick]\n[plate]", "knobs.trick.*track"),
        ("[plate]", "[knobs.track]\nspeed = 1\n[plate]", "knobs.track.speed"),
        ("[plate]", "knobs = 3\n[plate]", "knobs"),
    ],
)
def test_refuses_by_name(shot, old, new, names):
    with pytest.raises(ShotError, match=names):
        Shot.load(edited(shot, old, new))


def test_a_knob_out_of_range_is_named_with_its_file(shot):
    name, knob = next((n, k) for n, c in Node.registry.items() for k in c.knobs() if k.max < 1e9)
    new = f"[knobs.{snake(name)}]\n{knob.name} = {knob.kind(knob.max + 1)!r}\n[plate]"
    with pytest.raises(KnobError, match=rf"shot\.toml.*{knob.name}"):
        Shot.load(edited(shot, "[plate]", new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("24.0", "9" * 400, "plate.fps is a whole number of more than 64 bits"),
        ("24.0", "9" * 5000, "too many digits"),
        ("24.0", "0x" + "f" * 5000, "plate.fps is a whole number of more than 64 bits"),
        ("sh010", r"a\u0000b", "name holds a character 0"),
        ("p.####", r"p\u0000.####", "plate.path holds a character 0"),
        ("[plate]", "x = " + "[" * 3000 + "]" * 3000 + "\n[plate]", "nested too deeply"),
        ("[plate]", "[" + ".".join("a" * 3000) + "]\n[plate]", "nested too deeply"),
        ("[plate]", "[plate", "at line"),
    ],
)
def test_what_is_no_shot_toml_is_named(shot, old, new, said):
    with pytest.raises(BrokenFileError, match=rf"sh010/shot\.toml: .*{said}"):
        Shot.load(edited(shot, old, new))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_shot_toml_that_an_editor_of_windows_saved_is_read(shot, ending):
    text = shot.file.read_text().replace("\n", ending)
    shot.file.write_bytes(text.encode("utf-8-sig"))
    assert Shot.load(shot.folder) == shot
    for encoding in ("utf-16", "utf-32", "latin-1"):
        shot.file.write_bytes((text + "# é").encode(encoding))
        with pytest.raises(BrokenFileError, match=r"shot\.toml: is not UTF-8 text; save it as"):
            Shot.load(shot.folder)


def test_a_shot_toml_that_is_no_file_is_not_waited_for(shot):
    shot.file.unlink()
    for make in (os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")):
        make(shot.file)
        with pytest.raises(BrokenFileError, match=r"shot\.toml: is not a file"):
            Shot.load(shot.folder)
        shot.file.rename(shot.folder / f"{make}")


def test_what_else_is_in_its_folders_counts_as_no_version(shot):
    (shot.folder / "track").mkdir()
    for name in ("my p1_v001", ".._v002", "p1_v000", "p1_v0004", "p1_v999999", f"{'n' * 120}_v005"):
        (shot.folder / f"track/{name}.safetensors").touch()
    assert shot.names("track") == []
    assert shot.next_version("track", "p1").name == "p1_v001.safetensors"


@given(data=st.data())
def test_no_mutation_is_more_than_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("shots") / "sh010"
    Shot.new(folder, "p.####.exr", "ACEScg", 24.0)
    text = bytearray((folder / "shot.toml").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    (folder / "shot.toml").write_bytes(text)
    try:
        Shot.load(folder)
    except LifemaskError as error:
        assert "sh010" in str(error)


def test_versions_count_up(shot):
    for number in (1, 2):
        path = shot.next_version("swaps", "ada")
        assert path.name == f"ada_v{number:03d}"
        path.mkdir(parents=True)
    (shot.folder / "swaps/ada_v012").mkdir()
    (shot.folder / "swaps/ada_b_v040").mkdir()
    (shot.folder / "swaps/.ada_v099.123.part").mkdir()
    assert shot.next_version("swaps", "ada").name == "ada_v013"
    assert shot.latest("swaps", "ada").name == "ada_v012"
    assert shot.names("swaps") == ["ada", "ada_b"]


def test_a_version_is_replaced_only_when_told(shot):
    path = shot.target("facesets", "ada", 3, overwrite=False)
    path.mkdir(parents=True)
    assert path.name == "ada_v003"
    with pytest.raises(VersionExistsError, match="ada_v003"):
        shot.target("facesets", "ada", 3, overwrite=False)
    assert shot.target("facesets", "ada", 3, overwrite=True) == path
    assert shot.target("facesets", "ada", None, overwrite=False).name == "ada_v004"


def test_what_is_not_there_says_how_to_make_it(shot):
    with pytest.raises(ShotError, match="nothing in facesets/ of sh010") as refused:
        shot.latest("facesets", "ada")
    fields = {"command": "faceset", "shot": str(shot.folder), "name": "ada"}
    assert refused.value.remedy == Remedy("make", fields)


def test_the_newest_track_is_that_of_all_people_of_one_run(shot):
    (shot.folder / "track").mkdir()
    for name in ("a_v001", "b_v001", "a_v002"):
        (shot.folder / f"track/{name}.safetensors").touch()
    assert list(shot.newest("track")) == ["a"]


def test_the_first_project_stays(shot):
    assert shot.with_performer("ada", "demo").project == "demo"
    again = Shot.load(shot.folder).with_performer("ben", "other")
    assert (again.project, again.performers) == ("demo", ("ada", "ben"))
    assert Shot.load(shot.folder) == again


def test_a_command_that_is_named_can_be_pasted(tmp_path):
    with pytest.raises(ShotError) as refused:
        Shot.load(tmp_path / "sh é 10")
    said = f"make it with `lifemask shot new '{tmp_path}/sh é 10' --plate ...`"
    assert with_remedy("", refused.value.remedy).endswith(said)


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("facesets", "ada", "lifemask faceset {} --performer ada ...`"),
        ("facesets", "double", "lifemask faceset {} --double`"),
        ("facesets", "double_p2", "lifemask faceset {} --double --person p2`"),
        ("swaps", "ada", "lifemask swap {} --likeness ada`"),
        ("models", "ada", "lifemask train {} --likeness ada`"),
        ("track", "p1", "lifemask track {}`"),
    ],
)
def test_the_command_that_makes_it_is_told_with_its_options(shot, kind, name, said):
    with pytest.raises(ShotError) as refused:
        shot.latest(kind, name)
    typed = with_remedy(str(refused.value), refused.value.remedy)
    assert said.format(shlex.quote(str(shot.folder))) in typed


@pytest.mark.parametrize("name", ["double", "double_p1", "double_"])
def test_nobody_is_called_as_the_double_s_faceset_is(shot, name):
    with pytest.raises(ShotError, match=f"performer: {name} is what"):
        shot.with_performer(name)
    assert shot.with_performer("doubleday").performers == ("doubleday",)


def test_a_version_is_claimed_by_one_alone(shot):
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda _: shot.claimed("swaps", "ada", None, False), range(24)))
    assert sorted(path.name for path in claimed) == [f"ada_v{n:03d}" for n in range(1, 25)]
    assert all(path.is_dir() for path in claimed)


@pytest.mark.parametrize("number", [0, 100_000, 10**20])
def test_a_version_has_a_number_that_others_can_follow(shot, number):
    with pytest.raises(KnobError, match=r"version: \d+ is outside 1\.\.99999"):
        shot.version("swaps", "ada", number)


def test_a_linked_folder_s_plate_is_named_so_that_it_is_found(tmp_path):
    (tmp_path / "real/deep").mkdir(parents=True)
    (tmp_path / "prj/plates").mkdir(parents=True)
    (tmp_path / "prj/sh010").symlink_to(tmp_path / "real/deep")
    plate = tmp_path / "prj/plates/p.####.exr"
    linked = Shot.new(tmp_path / "prj/sh010", str(plate), "ACEScg", 24.0)
    assert (linked.folder / linked.path).parent.samefile(plate.parent)
