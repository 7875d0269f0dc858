"""What the buttons send, and where a node's files are."""

import pytest

from lifemask.plugin.commands.catalog import commands
from lifemask.plugin.commands.parameters import requested
from lifemask.plugin.hosts.common import requests
from lifemask.plugin.hosts.common.declared import buttons

BY_NAME = {command.name: command for command in commands()}
FULL = {
    "shot": "/shots/sh 010",
    "likeness": "ada",
    "person": "p1",
    "project": "demo",
    "document": "/docs/ada.pdf",
    "expires": "2099-12-31",
    "colorspace": "ACEScg",
    "takes_colorspace": "sRGB",
    "takes_layer": "beauty",
    "fps": 24.0,
    "takes": ["/takes/ada"],
    "recording": "/takes/dub.csv",
    "version": 3,
    "track_samples": 16,
    "swap_exposure": 0.5,
}


@pytest.mark.parametrize("button", buttons()[:-1], ids=lambda button: button.name)
def test_what_a_button_sends_is_what_its_command_takes(button):
    sent = requests.requests(button.name, FULL, "1001")
    assert {method for method, _ in sent} == {button.command}
    for method, params in sent:
        requested(BY_NAME[method], params)
        assert params["shot"] == "/shots/sh 010"


def test_a_swap_replaces_its_frames_in_one_version():
    (swap,) = requests.requests("swap_frame", FULL, "1001")
    assert swap == (
        "swap",
        {
            "shot": "/shots/sh 010",
            "likeness": ["ada=p1"],
            "frames": "1001",
            "version": 3,
            "overwrite": True,
            "exposure": 0.5,
        },
    )
    assert requests.requests("swap_range", {**FULL, "frames": "1-9"})[0][1]["frames"] == "1-9"
    assert (
        "exposure" not in requests.requests("swap_frame", {**FULL, "swap_exposure": 0.0}, "1")[0][1]
    )


def test_a_faceset_is_the_likeness_s_from_takes_then_the_double_s():
    likeness, double = requests.requests("faceset", FULL)
    assert likeness[1]["takes"] == ["/takes/ada"]
    assert (likeness[1]["performer"], likeness[1]["colorspace"]) == ("ada", "sRGB")
    assert likeness[1]["layer"] == "beauty"
    assert double[1] == {"shot": "/shots/sh 010", "double": True, "person": "p1"}
    assert requests.requests("faceset", {**FULL, "takes": []}) == [double]
    assert requests.requests("faceset", {**FULL, "double_is": "ben"}) == [
        likeness,
        ("faceset", {**double[1], "double_is": "ben"}),
    ]


def test_files_are_in_the_shot_s_folder_with_forward_slashes():
    values = {**FULL, "shot": "P:\\shots\\sh é 010\\"}
    assert requests.plate(values).hashes == "P:/shots/sh é 010/plate/plate.####.exr"
    assert requests.fix(values, "add").file(7) == "P:/shots/sh é 010/fixes/add.0007.exr"
    assert requests.result(values).hashes.endswith("/swaps/ada_v003/sh é 010_ada_v003.####.exr")
    assert "/moved_ada_v003." in requests.result(values, "moved").hashes
    with pytest.raises(ValueError, match="add, remove, paint"):
        requests.fix(values, "blur")
