"""`lifemask shot info`: what it says at each step on the way to a swap."""

import json
import shutil
import subprocess
import sys

from lifemask.nodes.shot.folder import Shot
from lifemask.plugin.commands.cli import main


def asked(folder, capsys, *words):
    capsys.readouterr()
    assert main(["shot", "info", str(folder), "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_names_what_is_there_and_the_next_step(shot, capsys):
    found = asked(shot, capsys)
    assert found["event"] == "result"
    assert (found["name"], found["project"], found["performers"]) == ("sh010", "demo", ["ada"])
    assert found["plate"]["frames"] == "1001-1008"
    assert found["people"] == {"p1": {"frames": 8, "seen": 7}}
    assert found["versions"]["facesets"] == {"ada": [1], "double": [1]}
    assert found["releases"] == {"ada": ""}
    assert found["next"] == "swap"
    assert "ada" in found["missing"]["swap"]
    (shot / "swaps/ada_v001").mkdir(parents=True)
    assert asked(shot, capsys)["next"] == ""


def test_it_loads_nothing_that_computes_pixels(shot):
    code = (
        "from lifemask.plugin.commands.cli import main; main(sys.argv[1:]);"
        " print('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", f"import sys; {code}", "shot", "info", str(shot)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "seen in 7 of 8 frames" in told
    assert told.endswith("False\n")


def test_each_step_that_is_missing_is_said(shot, capsys):
    shutil.rmtree(shot / "facesets/double_v001")
    found = asked(shot, capsys)
    assert found["next"] == "faceset"
    assert found["missing"]["faceset"] == "facesets/ has nothing of double yet"
    shutil.rmtree(shot / "track")
    found = asked(shot, capsys, "--likeness", "ada")
    assert (found["next"], found["people"]) == ("track", {})
    assert found["missing"]["track"] == "nobody has been tracked yet"
    (shot / "releases/ada.toml").unlink()
    found = asked(shot, capsys)
    assert found["next"] == "release add"
    assert "there is no release" in found["releases"]["ada"]


def test_a_likeness_that_nobody_knows_lacks_everything_of_its_own(shot, capsys):
    found = asked(shot, capsys, "--likeness", "eve")
    assert found["missing"]["faceset"] == "facesets/ has nothing of eve yet"
    assert "eve" in found["missing"]["release add"]
    assert found["missing"]["track"] == ""


def test_the_advice_is_the_faceset_s(shot, capsys):
    assert asked(shot, capsys)["advice"] == {}
    report = shot / "facesets/ada_v001/coverage.json"
    report.write_text(json.dumps({"advice": ["shoot closer"]}))
    assert asked(shot, capsys)["advice"] == {"ada": ["shoot closer"]}
    report.write_text("{half of it")
    assert asked(shot, capsys)["advice"] == {}


def test_a_person_reads_it_too(shot, capsys):
    capsys.readouterr()
    assert main(["shot", "info", str(shot)]) == 0
    said = capsys.readouterr().out
    assert "p1: seen in 7 of 8 frames" in said
    assert "next: lifemask swap, because swaps/ has nothing of ada yet" in said


def test_no_shot_is_refused(tmp_path, capsys):
    assert main(["shot", "info", str(tmp_path)]) == 1
    assert "there is no shot here" in capsys.readouterr().err


def test_who_is_only_the_double_needs_no_release(shot, capsys):
    ben = Shot.load(shot).with_performer("ben")
    (ben.folder / "facesets/ben_v001").mkdir()
    (shot / "swaps/ada_v001").mkdir(parents=True)
    found = asked(shot, capsys)
    assert "there is no release" in found["releases"]["ben"]
    assert found["next"] == ""
    assert asked(shot, capsys, "--likeness", "ben")["next"] == "release add"


def test_a_swap_of_two_is_one_of_each(shot, capsys):
    known = Shot.load(shot).with_performer("eve").with_performer("ada_young")
    (shot / "swaps/ada_young_v001").mkdir(parents=True)
    assert "ada" in asked(shot, capsys)["missing"]["swap"]
    (shot / "swaps/eve_ada_v001").mkdir()
    assert asked(shot, capsys)["next"] == ""
    assert known.performers == ("ada", "eve", "ada_young")
