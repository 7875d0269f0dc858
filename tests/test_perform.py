"""A shot's performances: tracked, recorded elsewhere, given to other programs, and swapped in."""

from dataclasses import replace

import numpy as np
import pytest
from test_performance import made_up

from lifemask.nodes.camera import Camera
from lifemask.nodes.head import live_link
from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.head.performed import tracked_performance
from lifemask.nodes.performance import Performance
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap.plan import load
from lifemask.plugin.commands.cli import main


@pytest.fixture
def recording(tmp_path):
    """A take of three seconds, with ever more open jaws."""
    performance = made_up(5, 180, 0)
    performance.coefficients[:] = 0
    performance.coefficients[:, NAMES.index("jawOpen")] = np.linspace(0, 0.9, 180)
    live_link.write(tmp_path / "dub.csv", performance, 60.0)
    return tmp_path / "dub.csv"


def test_a_track_gives_the_performance_of_its_person(pair):
    track = replace(pair.track, camera=Camera.of(640, 360, {}, 35))
    found = tracked_performance(track, "plate")
    seen = track.confidence > 0
    assert found.frame.tolist() == pair.track.frames[seen].tolist()
    assert (found.camera.source, found.camera.millimetres) == ("knob", pytest.approx(35))
    assert (found.coefficients >= 0).all()
    np.testing.assert_allclose(np.linalg.det(found.rotation), 1, atol=1e-4)
    assert (found.translation[:, 2] > 20).all()  # centimetres before the camera


def test_a_recording_becomes_a_version_in_the_plates_frames(shot, recording, capsys):
    assert main(["perform", str(shot), str(recording), "--delay", "2"]) == 0
    found = Performance.load(shot / "performances/dub_v001.safetensors")
    first = Shot.load(shot).plate.frames[0]
    assert found.frame.tolist() == list(range(first + 2, first + 2 + len(found)))
    assert len(found) == 72
    jaw = found.coefficients[:, NAMES.index("jawOpen")]
    np.testing.assert_allclose(np.diff(jaw), 0.9 / 179 * 60 / 24, atol=1e-4)
    assert main(["perform", str(shot), str(recording), "--title", "again"]) == 0
    assert (shot / "performances/again_v001.safetensors").exists()


def test_a_swap_plays_it_instead_of_the_doubles_own(shot, recording):
    words = ["swap", str(shot), "--likeness", "ada", "--no-model", "--frames", "1002"]
    assert main(words) == 0
    assert main(["perform", str(shot), str(recording)]) == 0
    assert main([*words, "--performance", "dub"]) == 0
    own, dub = (load(shot / f"swaps/ada_v00{n}/plan.safetensors")[0].frames for n in (1, 2))
    gaps = [np.linalg.norm(f.landmarks[13] - f.landmarks[14]) / f.scale for f in (own[1], dub[1])]
    assert gaps[1] < gaps[0] - 0.5  # centimetres: the recording begins with a closed mouth


def test_an_unknown_performance_is_named(shot, capsys):
    assert main(["swap", str(shot), "--likeness", "ada", "--performance", "song"]) == 1
    assert "song: nothing in performances/" in capsys.readouterr().err


def test_a_performance_is_given_to_other_programs(shot, tmp_path, capsys):
    made_up(6, 5).save(shot / "performances/p1_v001.safetensors")
    words = ["performance", "export", str(shot), str(tmp_path / "p1.csv")]
    assert main(words) == 0
    assert len((tmp_path / "p1.csv").read_text().splitlines()) == 6
    assert main(words) == 1
    assert "is there already" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
