"""The figures of the benchmark of training are those of swaps made at the times asked for."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from made_up_training import minutes

from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap import Swap
from lifemask.nodes.train import tune
from lifemask.nodes.truth import Truth
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.benchmarks.benchmark_swap import ground_of
from lifemask.plugin.benchmarks.benchmark_train import score
from lifemask.plugin.commands import cli

RENDERS = Path(__file__).parent / "footage" / "a1_dialogue"
FRAMES = {1002: 1016}
"""A frame of the small plate, and the renders' that it is cut out of."""

pytestmark = pytest.mark.usefixtures("clock")

STEPS = 2
TIMES = (0, minutes(STEPS))


def cut(source, target):
    channels, header = exr.read_channels(source)
    cropped = {n: np.ascontiguousarray(c[90:270, 200:440]) for n, c in channels.items()}
    exr.write(target, cropped, {n: header[n] for n in ("chromaticities",) if n in header})


@pytest.fixture
def renders(tmp_path):
    """The renders of the small plate, cut as it is."""
    for performer in ("performer_b", "performer_a_on_b"):
        for ours, theirs in FRAMES.items():
            for kind in ("beauty", "mattes"):
                name = f"{performer}/{kind}/{kind}"
                cut(RENDERS / f"{name}.{theirs}.exr", tmp_path / f"renders/{name}.{ours}.exr")
            about = json.loads((RENDERS / f"{performer}/gt/gt.{theirs}.json").read_text())
            points = np.array(about["people"][0]["landmarks68"]).reshape(68, 2) - [200, 90]
            gt = tmp_path / f"renders/{performer}/gt/gt.{ours}.json"
            gt.parent.mkdir(exist_ok=True)
            gt.write_text(json.dumps({"people": [{"landmarks68": points.tolist()}]}))
    return tmp_path / "renders"


def quick(shot):
    """The shot's words, its knobs set so that training takes no time."""
    settings = Shot.load(shot)
    replace(settings, knobs={"train": {"size": 64, "batch": 2, "max_examples": 8}}).save()
    return ["benchmark", "train", str(shot), "--likeness", "ada", "--frames", "1002"]


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_every_contender_is_scored_at_every_time(
    shot, renders, tmp_path, pair, cycle_examples, monkeypatch, capsys
):
    monkeypatch.setattr(tune, "_examples", lambda *_: cycle_examples)
    before = files(shot)
    words = [*quick(shot), "--renders", str(renders), "--out", str(tmp_path / "out")]
    assert cli.main([*words, "--times", *map(str, reversed(TIMES)), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    report = result["training"]
    assert report == json.loads(Path(result["figures"]).read_text())
    assert files(shot) == before
    for contender in report["contenders"].values():
        first, last = contender["points"]
        assert (first["minutes"], last["minutes"]) == TIMES
        assert (first["steps"], first["seconds"]) == (0, 0)
        assert (last["steps"], last["seconds"]) == (STEPS, STEPS)
        assert first["figures"] != last["figures"]
    plate = Footage(Sequence.find(pair.plate.sequence.path, "1002"), pair.plate.colorspace)
    shipped = score(Swap()(plate, [pair.role], BASE), ground_of(renders), tmp_path)
    ours = report["contenders"]["lifemask"]["points"][0]["figures"]
    assert ours["aligned_ssim"] == pytest.approx(shipped.aligned_ssim)
    assert ours["relative_l1"] == pytest.approx(shipped.relative_l1)
    drawn = ElementTree.parse(result["plot"]).getroot()
    assert len(drawn.findall(".//{*}polyline")) == 4


def test_the_table_shows_what_was_measured_of_plate_and_contenders(shot, renders, tmp_path, capsys):
    assert cli.main([*quick(shot), "--renders", str(renders), "--times", "0"]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    ground = ground_of(renders)
    untouched = Footage(Sequence.find(ground.plate / "beauty/beauty.####.exr"), ground.colorspace)
    plate = asdict(Truth(landmarks=0, expression=False)(untouched, ground))
    named = dict(zip(rows["minutes"][1:], rows["plate"], strict=True))
    assert {name: f"{plate[name]:.3f}" for name in named} == named
    assert {"relative_l1", "aligned_ssim"} <= set(named)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--times", "0", "-1"], "times: -1 is below 0 minutes"),
        (["--out", str(Path(__file__))], "is a file; it takes a folder"),
        (["--out", "/proc/figures"], "/proc/figures: cannot be written"),
        (["--times", "20000"], "20000"),
        (["--times", "nan"], "nan"),
        (["--times", "0"], "performer_b is not there"),
    ],
)
def test_what_would_fail_at_the_end_is_refused_at_once(more, said, tmp_path, capsys):
    words = ["benchmark", "train", str(tmp_path), "--likeness", "ada", "--renders", str(tmp_path)]
    assert cli.main([*words, *more]) == 1
    assert said in capsys.readouterr().err


def test_figures_that_are_there_are_replaced_only_when_told(tmp_path, capsys):
    (tmp_path / "training.json").write_text("{}")
    words = ["benchmark", "train", str(tmp_path), "--likeness", "ada", "--renders", "nowhere"]
    assert cli.main([*words, "--out", str(tmp_path)]) == 1
    assert "training.json: is there already; --overwrite replaces it" in capsys.readouterr().err
    assert cli.main([*words, "--out", str(tmp_path), "--overwrite"]) == 1
    assert "nowhere/performer_b is not there" in capsys.readouterr().err
