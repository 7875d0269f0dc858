"""Knobs that have a new name: the old one is accepted for one release, wherever it was written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from blenders import BLENDERS, Blender
from nuke_artist import GIZMO, SHOT, Artist

from lifemask.nodes import Node
from lifemask.nodes.declaration import Knob
from lifemask.nodes.errors import KnobError
from lifemask.nodes.progress import reporting
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.knob_values import snake
from lifemask.nodes.track import Track
from lifemask.plugin.commands.arguments import flag, typed
from lifemask.plugin.commands.catalog import nodes
from lifemask.plugin.commands.cli import parser
from lifemask.plugin.commands.parameters import requested
from lifemask.plugin.hosts.common.declared import settings
from lifemask.plugin.packaging.blender_folder import assemble

RENAMED = [(node, knob) for node in Node.registry.values() for knob in node.knobs() if knob.was]
every_old_name = pytest.mark.parametrize(
    ("node", "knob"), RENAMED, ids=[f"{node.__name__}-{knob.was}" for node, knob in RENAMED]
)
LEAST = 7  # frames


@contextmanager
def notes() -> Iterator[list[str]]:
    """Yield what is noted meanwhile."""
    found: list[str] = []
    with reporting(lambda said: found.append(said.note)):
        yield found


def another(knob: Knob) -> object:
    """Return a value that is allowed and not the default."""
    return not knob.default if knob.kind is bool else knob.kind(knob.max)


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    return Shot.new(tmp_path / "sh010", "p.####.exr", "ACEScg", 24.0)


def write(shot: Shot, text: str) -> None:
    shot.file.write_text(f"{shot.file.read_text()}\n{text}")


def test_names_that_knobs_had_are_no_other_knob_s() -> None:
    assert RENAMED
    for node, knob in RENAMED:
        assert knob.was not in {other.name for other in node.knobs()}


@every_old_name
def test_python_takes_an_old_name_and_warns(node: type[Node], knob: Knob) -> None:
    with pytest.warns(DeprecationWarning, match=f"{knob.was} is now {knob.name}"):
        made = node(**{knob.was: another(knob)})
    assert made == node(**{knob.name: another(knob)})


def test_nobody_gives_a_knob_under_both_names() -> None:
    with pytest.raises(KnobError, match="min_frames: is given twice"):
        Track(min_frames=2, least_frames=3)  # type: ignore[call-arg]


@every_old_name
def test_a_shot_is_read_with_an_old_name_and_saved_with_the_new_one(
    node: type[Node], knob: Knob, shot: Shot
) -> None:
    value = json.dumps(another(knob))  # as TOML writes it, too
    before = (
        f"[knobs.{snake(node.__name__)}]  # {knob.was} = 1\n# mine\n{knob.was} = {value}  # so\n"
    )
    write(shot, before)
    with notes() as noted:
        read = Shot.load(shot.folder)
    assert [note for note in noted if f"{knob.was} is now {knob.name}" in note]
    assert getattr(read.node(node), knob.name) == another(knob)
    read.save()
    after = (
        f"[knobs.{snake(node.__name__)}]  # {knob.was} = 1\n# mine\n{knob.name} = {value}  # so\n"
    )
    assert shot.file.read_text().endswith(after)
    with notes() as noted:
        assert Shot.load(shot.folder) == read
    assert not noted


def test_an_old_name_is_noted_once_though_the_file_is_read_again(shot: Shot) -> None:
    write(shot, "[knobs.track]\nleast_frames = 2\n")
    with notes() as noted:
        Shot.load(shot.folder).with_performer("ada")
    assert len(noted) == 1
    assert "min_frames = 2" in shot.file.read_text()


def test_a_shot_that_has_both_names_is_refused(shot: Shot) -> None:
    write(shot, "[knobs.track]\nleast_frames = 2\nmin_frames = 3\n")
    with pytest.raises(KnobError, match=r"shot.toml: knobs.track.min_frames: is given twice"):
        Shot.load(shot.folder)


def test_old_flags_are_taken_with_a_note_and_not_offered(
    shot: Shot, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["track", str(shot.folder), "--least-frames", str(LEAST)]
    with notes() as noted:
        node = shot.node(Track, **typed(parser().parse_args(words)).knobs)
    assert node.min_frames == LEAST
    assert noted == ["least_frames is now min_frames; the old name goes with the next release"]
    with pytest.raises(SystemExit):
        parser().parse_args(["track", "--help"])
    help = capsys.readouterr().out
    assert "--min-frames" in help
    assert "--least-frames" not in help


@every_old_name
def test_every_old_flag_is_a_flag(node: type[Node], knob: Knob) -> None:
    command = nodes()[node]
    words = [*command.example.splitlines()[0].split()[1:], flag(knob.was)]
    words += [] if knob.kind is bool else [f"{another(knob)}"]
    asked = typed(parser().parse_args(words))
    value = True if knob.kind is bool else another(knob)
    assert node.renamed(asked.knobs, str)[knob.name] == value


def test_a_request_takes_an_old_name(shot: Shot) -> None:
    command = nodes()[Track]
    asked = requested(command, {"shot": "a", "least_frames": LEAST})
    with notes() as noted:
        assert shot.node(Track, **asked.knobs).min_frames == LEAST
    assert len(noted) == 1
    with pytest.raises(KnobError, match="min_frames: 0 is outside"):
        requested(command, {"shot": "a", "least_frames": 0})


def test_hosts_know_the_names_that_settings_had() -> None:
    old = {setting.name: setting.was for setting in settings() if setting.was}
    assert old["track_min_frames"] == "track_least_frames"
    assert set(old.values()).isdisjoint({setting.name for setting in settings()})


def test_a_node_of_an_older_script_is_read_by_the_names_of_its_knobs(artist: Artist) -> None:
    text = GIZMO.replace("lifemask_nuke.hosts.nuke.session", "lifemask_nuke.in_nuke.session")
    for setting in settings():
        if setting.was:
            text = text.replace(f" {setting.name} ", f" {setting.was} ")
    assert "swap_turn" in text and "swap_rotate" not in text
    node = artist.fake.add(text, "Lifemask2")
    node.setInput(0, artist.node.input(0))
    for name, value in (("shot", artist.node["shot"].value()), ("likeness", "ada")):
        node[name].setValue(value)
    node["swap_turn"].setValue(5.0)
    artist.node, artist.client.info = node, SHOT
    artist.press("swap_frame")
    params = artist.client.jobs()[-1][1]
    assert params["rotate"] == 5.0
    assert "turn" not in params


def as_before(folder: Path) -> None:
    """Give the settings of an extension's ``folder`` the names that they had."""
    file = next(folder.rglob("nodes.json"))
    declared = json.loads(file.read_text())
    for node in declared["nodes"].values():
        for knob in node["knobs"]:
            knob.update(id=knob["was"] or knob["id"], was="")
    file.write_text(json.dumps(declared))


@pytest.mark.parametrize("made", BLENDERS, ids=lambda made: made.parent.name[14:])
def test_a_scene_that_the_last_release_saved_keeps_its_values(made: Path, tmp_path: Path) -> None:
    blender = Blender(made, tmp_path)
    zips = {}
    for name in ("before", "now"):
        folder = assemble(tmp_path / name)
        if name == "before":
            as_before(folder)
        zips[name] = str(blender.built(folder, tmp_path / f"{name}/lifemask_blender.zip"))
    renamed = [setting for setting in settings() if setting.was and setting.node]
    values = {s.name: True if s.kind == "bool" else s.max for s in renamed}
    old = {s.was: values[s.name] for s in renamed}
    given = {"blend": str(tmp_path / "shot.blend"), "old": [*old], "new": [*values]}
    blender.play("saved_before", "old", zip=zips["before"], values=old, **given)
    found = blender.play("saved_before", "new", zip=zips["now"], **given)
    assert found == {"values": values, "old": []}
