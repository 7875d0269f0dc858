"""Several work on one shot at the same time: nobody's work is lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import sleep

import pytest

from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.release import Release
from lifemask.nodes.track.on_shot import TrackOnShot

RUNS = range(8)
DAY = date(2030, 1, 1)


@pytest.fixture
def shot(tmp_path):
    return Shot.new(tmp_path / "sh010", "plate.####.exr", "ACEScg", 24.0)


def at_once(work):
    with ThreadPoolExecutor(len(RUNS)) as pool:
        return list(pool.map(work, RUNS))


def test_everybody_who_is_added_is_in_the_shot(shot):
    at_once(lambda run: shot.with_performer(f"p{run}", f"project{run}"))
    there = Shot.load(shot.folder)
    assert sorted(there.performers) == [f"p{run}" for run in RUNS]
    assert there.project


def test_a_release_has_its_own_document(tmp_path):
    def add(run):
        document = tmp_path / f"{run}.pdf"
        document.write_text(f"signed {run}")
        with Release.adding(tmp_path / "releases", "ada", f"{run}", DAY, document, DAY):
            sleep(0.01)

    for _ in range(20):
        at_once(add)
        release = Release.load(tmp_path / "releases", "ada")
        signed = (tmp_path / "releases" / release.document).read_text()
        assert signed == f"signed {release.project}"
        assert len([*(tmp_path / "releases").iterdir()]) == 2


@dataclass
class Person:
    run: int

    def save(self, path: Path) -> None:
        sleep(0.01)
        path.write_text(f"{self.run}")


def test_the_people_of_each_run_have_a_version_of_their_own(shot):
    def save(run):
        people = {f"p{number}": Person(run) for number in range(1 + run % 2)}
        return TrackOnShot(shot=shot.folder)._save(shot, people)

    found = at_once(save)
    for run, paths in enumerate(found):
        assert [path.read_text() for path in paths] == [f"{run}"] * (1 + run % 2)
