"""The shares that are printed are those of the rates and the peaks that were measured."""

import json

import pytest

from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.refiner.versions import BASE
from lifemask.plugin.benchmarks import flops
from lifemask.plugin.benchmarks.benchmark_faces import PEAKS, batch_of
from lifemask.plugin.commands import cli

WORDS = ["benchmark", "faces", "--seconds", "0", "--sizes", "32", "64"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(flops, "_SIDE", dict.fromkeys(flops._SIDE, 128))
    monkeypatch.setattr(flops, "_PICTURES", dict.fromkeys(flops._PICTURES, (1, 8, 8)))


def test_shares_are_of_the_peaks_of_the_same_run(capsys):
    assert cli.main([*WORDS, "--json"]) == 0
    network = RefinerModel.load(BASE.path).network
    faces = json.loads(capsys.readouterr().out.splitlines()[-1])["faces"]
    assert list(faces["sizes"]) == ["32", "64"]
    for size, one in faces["sizes"].items():
        looked = one["frames"] * flops.looking(network, int(size))
        learned = one["steps"] * flops.learning(network, one["batch"], int(size))
        for name in PEAKS:
            assert one["frame_shares"][name] == pytest.approx(looked / faces["peaks"][name])
            assert one["step_shares"][name] == pytest.approx(learned / faces["peaks"][name])


def test_the_table_has_a_row_for_each_size(capsys):
    assert cli.main(WORDS) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if " px" in line]
    assert [row[0] for row in rows] == ["32", "64"]
    assert all(float(number) > 0 for row in rows for number in (row[2], row[5]))


def test_batches_are_those_of_the_presets():
    assert [batch_of(size) for size in (64, 128, 256, 288, 512, 1024)] == [8, 8, 8, 4, 4, 4]


@pytest.mark.parametrize("size", ["0", "100"])
def test_a_size_that_the_refiner_cannot_see_is_refused(size, capsys):
    assert cli.main([*WORDS[:-2], size]) == 1
    assert f"sizes: {size} is not a multiple of 32" in capsys.readouterr().err
