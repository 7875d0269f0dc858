"""What is true of every host: it has the declared buttons, which do what is declared."""

import ast
from pathlib import Path

import pytest
from nuke_artist import nuke_buttons, nuke_effects

from lifemask.plugin.hosts.common.declared import buttons

HOSTS = Path(__file__).parents[1] / "plugin/hosts"
DRAWING = {"panel.py", "panel_state.py"}
FILES = [file for host in ("nuke", "blender") for file in sorted((HOSTS / host).glob("*.py"))]
NAMES = [button.name for button in buttons() if button.command]


def test_nuke_has_every_button_and_the_copying_of_fixes():
    assert sorted(nuke_buttons()) == sorted([*NAMES, "stop", "copy_fixes"])


def test_a_button_renders_the_plate_and_submits_what_is_declared(artist):
    found = nuke_effects(artist, NAMES)
    for button in buttons()[:-1]:
        rendered, submitted = found[button.name]
        frames = [1002] if button.frames == "frame" else list(range(1001, 1008))
        assert rendered == ([[["plate"], frames]] if button.plate else []), button.name
        assert {method for method, _ in submitted} == {button.command}


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.name not in DRAWING],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_a_host_knows_no_button_by_its_name(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not texts & {*NAMES}
