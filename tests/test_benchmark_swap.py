"""The benchmark measures what it says: the command, the looped plate, the child's own memory."""

import json
import shutil
import sys

import numpy as np
import pytest

from lifemask.nodes.camera import Camera
from lifemask.nodes.errors import KnobError, LifemaskError, ShotError
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.progress import Progress, reporting
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media import exr
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.benchmarks import benchmark_swap, longer_shot, processes
from lifemask.plugin.commands import cli

FRAMES = 5


def picture(number):
    return {c: np.full((8, 12), number, np.float16) for c in "RGB"}


@pytest.fixture
def shot(tmp_path):
    """A shot of five flat frames, with a track and a faceset that is only a name."""
    for number in range(1, FRAMES + 1):
        exr.write(tmp_path / "plates" / f"p.{number:04d}.exr", picture(number), {})
    shot = Shot.new(tmp_path / "sh", str(tmp_path / "plates" / "p.####.exr"), "ACEScg", 24.0)
    values = np.arange(1, FRAMES + 1, dtype=np.float32)
    track = FaceTrack(
        person="a",
        camera=Camera.of(12, 8),
        frames=np.arange(1, FRAMES + 1),
        landmarks=np.repeat(values, 478 * 3).reshape(-1, 478, 3),
        confidence=values / 10,
        rotation=np.repeat(values, 9).reshape(-1, 3, 3),
        expression=np.repeat(values, 52).reshape(-1, 52),
    )
    track.save(shot.version("track", "a", 1))
    for name in ("facesets/ada_v001", "releases"):
        (shot.folder / name).mkdir(parents=True)
    return shot


def test_loop_goes_to_and_fro_and_its_track_with_it(shot):
    with longer_shot.looped(shot, 12) as looped:
        plate = looped.plate.sequence
        shown = [
            int(exr.read_channels(plate.file(number))[0]["R"][0, 0]) for number in plate.frames
        ]
        track = FaceTrack.load(looped.latest("track", "a"))
        assert (looped.folder / "facesets" / "ada_v001").is_dir()
        folder = looped.folder
    assert shown == [1, 2, 3, 4, 5, 4, 3, 2, 1, 2, 3, 4]
    assert track.frames.tolist() == list(plate.frames) == list(range(1001, 1013))
    assert track.landmarks[:, 7, 1].tolist() == shown
    assert track.expression[:, 3].tolist() == shown
    assert not folder.exists()


def test_an_enlarged_loop_has_its_landmarks_where_they_were_in_the_picture(shot):
    with longer_shot.looped(shot, 6, width=36) as looped:
        channels, _ = exr.read_channels(looped.plate.sequence.file(1006))
        track = FaceTrack.load(looped.latest("track", "a"))
    assert channels["G"].shape == (24, 36) == (track.camera.height, track.camera.width)
    assert (channels["G"] == 4).all()
    assert track.landmarks[:, 0, 0].tolist() == [3, 6, 9, 12, 15, 12]


def test_one_frame_can_be_looped(shot):
    one = Shot.load(shot.folder)
    assert longer_shot.to_and_fro(1, 3) == [0, 0, 0]
    assert benchmark_swap.only_likeness(one) == "ada"


def test_likeness_must_be_clear(shot):
    (shot.folder / "facesets" / "eve_v001").mkdir()
    with pytest.raises(ShotError, match="ada, eve"):
        benchmark_swap.only_likeness(shot)


def test_copying_reads_each_frame_and_leaves_nothing(shot, tmp_path):
    plate = shot.plate.sequence
    before = sorted(tmp_path.rglob("*"))
    assert benchmark_swap.copy_rate(plate, Sequence.find(plate.path)) > 0
    assert sorted(tmp_path.rglob("*")) == before


def progress(task, done, second):
    return second, {"event": "progress", "task": task, "done": done, "total": 8}


def test_rate_counts_the_work_before_the_task_and_not_the_start():
    events = [
        (5.0, {"event": "note"}),
        progress("choose", 0, 10.0),
        progress("choose", 2, 12.0),
        progress("swap", 0, 12.0),
        progress("swap", 4, 13.0),
        progress("swap", 8, 14.0),
        (20.0, {"event": "result"}),
    ]
    assert processes.steps_a_second("swap", events) == pytest.approx(2.0)
    with pytest.raises(LifemaskError, match="train"):
        processes.steps_a_second("train", events)


def test_the_progress_of_a_command_is_told(shot, tmp_path, monkeypatch):
    code = """
import json
print(json.dumps({"event": "note", "task": "t", "text": "well"}))
for done in range(4):
    print(json.dumps({"event": "progress", "task": "t", "done": done, "total": 3}))
"""
    (tmp_path / "fake.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = []
    with reporting(told.append):
        processes.run("t", module="fake")
        benchmark_swap.copy_rate(shot.plate.sequence, Sequence.find(shot.plate.sequence.path))
    assert told == [Progress("t", done, 3) for done in range(4)] + [
        Progress("copy", done, FRAMES) for done in range(FRAMES + 1)
    ]


def test_a_command_that_fails_says_its_own_sentence(tmp_path):
    with pytest.raises(LifemaskError, match="there is no shot here"):
        processes.run("track", "track", str(tmp_path / "none"))


def test_memory_is_that_of_the_child_whatever_its_parent_holds(tmp_path, monkeypatch):
    code = """
import json, sys
from lifemask.plugin.benchmarks.processes import peak
held = b"x" * (int(sys.argv[1]) << 20)
for done in (0, 1):
    print(json.dumps({"event": "progress", "task": "t", "done": done, "total": 1}))
print(json.dumps({"event": "memory", "peak": peak()}))
"""
    (tmp_path / "fake.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    held = b"x" * (300 << 20)
    little, much = (processes.run("t", size, module="fake").peak for size in ("1", "200"))
    assert little < 100
    assert 190 < much - little < 210
    del held


def test_identity_comes_from_the_judge(tmp_path):
    script = tmp_path / "judge.py"
    script.write_text(
        "import sys, json; print('hello'); print(json.dumps({'asked': sys.argv[1:]}))"
    )
    judged = benchmark_swap.identity((sys.executable, str(script)), "swap", "renders", ["t1", "t2"])
    assert judged == {"asked": ["swap", "--shot", "renders", "--takes", "t1", "t2"]}
    script.write_text("raise SystemExit('no such venv')")
    with pytest.raises(LifemaskError, match="no such venv"):
        benchmark_swap.identity((sys.executable, str(script)), "swap", "renders", ["t1"])


def test_a_judge_needs_renders(shot, capsys):
    words = ["benchmark", "swap", str(shot.folder), "--identity", "python", "judge.py", "--json"]
    assert cli.main(words) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["kind"] == KnobError.__name__
    assert "--renders" in last["text"]


def test_the_looped_double_has_a_face_wherever_its_track_has_one(pair, tmp_path):
    shot = Shot.new(tmp_path / "sh", pair.plate.sequence.path, pair.plate.colorspace, 24.0)
    pair.track.save(shot.version("track", "p1", 1))
    shutil.copytree(pair.double.folder, shot.folder / "facesets" / "double_v001")
    (shot.folder / "releases").mkdir()
    with longer_shot.looped(shot, 20, width=480) as looped:
        track = FaceTrack.load(looped.latest("track", "p1"))
        double = FaceSet.load(looped.latest("facesets", "double"))
        seen = track.confidence > 0
        assert 14 < seen.sum() < 20
        assert double.faces.frame.tolist() == track.frames[seen].tolist()
        assert np.allclose(double.faces.landmarks, track.landmarks[seen], atol=1e-3)
        last = pair.double.faces.frame.tolist().index(pair.track.frames[5])  # up 8, down 6, up 6
        assert np.array_equal(double.texture(len(double) - 1), pair.double.texture(last))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--lengths", "0", "0"], "lengths: 0 and 0"),
        (["--lengths", "4", "2"], "lengths: 4 and 2"),
        (["--width", "-5"], "width: -5"),
        (["--renders", "nowhere"], "renders: nowhere/performer_b is not there"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_the_work(shot, capsys, given, said):
    assert cli.main(["benchmark", "swap", str(shot.folder), *given]) == 1
    assert said in capsys.readouterr().err


def test_a_judge_that_is_no_program_is_refused_before_the_work(shot, tmp_path, capsys):
    for name in ("performer_b", "performer_a_on_b"):
        (tmp_path / "renders" / name).mkdir(parents=True)
    judge = [
        "--renders",
        str(tmp_path / "renders"),
        "--takes",
        "t",
        "--identity",
        "/no/python",
        "j",
    ]
    assert cli.main(["benchmark", "swap", str(shot.folder), *judge]) == 1
    assert "identity: /no/python is no program" in capsys.readouterr().err


def test_figures_that_have_no_names_are_no_figures(tmp_path):
    script = tmp_path / "judge.py"
    script.write_text("print([1])")
    with pytest.raises(LifemaskError, match="gave no figures"):
        benchmark_swap.identity((sys.executable, str(script)), "swap", "renders", ["t1"])


def test_the_loop_has_the_last_version_of_each_faceset(shot):
    for name in ("eve_v001", "eve_v007", "doubleday_v002"):
        (shot.folder / "facesets" / name).mkdir()
    with longer_shot.looped(shot, 3) as looped:
        links = {
            name: looped.latest("facesets", name).resolve().name
            for name in looped.names("facesets")
        }
    assert links == {"ada": "ada_v001", "eve": "eve_v007", "doubleday": "doubleday_v002"}
