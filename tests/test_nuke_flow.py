"""From a new shot to a swapped frame in Nuke, by its buttons, with a real worker."""

import os
import shlex
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import SPACE, filled_in
from fake_nuke import running
from limit import LONG
from nk_graph import Evaluation, from_exr
from nk_reader import read
from nuke_artist import GIZMO, READ

from lifemask.ocio.media import exr

FRAME = 1002
"""The frame at which the strict Nuke stands."""


@pytest.fixture(scope="module")
def worked(pair, nuke_folder, tmp_path_factory):
    """Return a Nuke, its Lifemask node and the words of each button, pressed in order."""
    folder = tmp_path_factory.mktemp("nuke é")
    here = dict(os.environ)
    worker = [sys.executable, "-m", "lifemask.plugin.commands.cli", "worker"]
    os.environ["LIFEMASK_WORKER"] = shlex.join(worker)
    os.environ["XDG_STATE_HOME"] = str(folder)
    with running(nuke_folder) as start:
        fake = start()
        fake.last = 1006
        fake.footage = pair.plate.sequence.path
        node = fake.add(GIZMO, "Lifemask1")
        node.setInput(0, fake.add(READ.format(fake.footage), "plate"))
        given = filled_in(folder)
        given |= {"colorspace": SPACE, "takes": given["takes"] + "\n"}
        for name, value in given.items():
            node[name].setValue(value)
        session = sys.modules["lifemask_nuke.hosts.nuke.session"]
        session.Client = partial(session.Client, patience=LONG)
        yield fake, node, session.of(node)
    os.environ.clear()
    os.environ.update(here)


def pressed(worked, button):
    """Press a button and wait; return what the node then says."""
    fake, node, swap_node = worked
    fake.press(node, button)
    fake.pump(lambda: swap_node.controller.state == "idle")
    assert fake.messages == []
    return node["status"].value()


def test_from_a_new_shot_to_a_swapped_frame(worked):
    fake, node, _ = worked
    for button, said in (
        ("shot_new", "New shot: done."),
        ("release_add", "Add release: done."),
        ("track", "Track: done."),
        ("faceset", "Faceset: done."),
        ("swap_frame", "Swap: done."),
    ):
        assert pressed(worked, button) == said
    assert len(fake.renders) == 1
    shown(fake, node)


def shown(fake, node):
    """The node shows the frame that was made, with the command line's pixels."""
    file = Path(node.node("result")["file"].value().replace("####", str(FRAME)))
    assert node["made"].value() == 1
    assert [path.name for path in file.parent.glob("*.exr")] == [file.name]
    assert node["result_state"].value() == f"{FRAME} made"
    plate, _ = exr.read_channels(Path(fake.footage.replace("####", str(FRAME))))
    result, _ = exr.read_channels(file)
    assert (result["swap.A"] > 0.9).any()
    sources = {"plate": from_exr(plate), "result": from_exr(result)}
    group = read(GIZMO).children[0]
    picture = Evaluation(group, sources, plate["R"].shape, {"made": 1}).picture()
    for name, plane in from_exr(result).items():
        assert np.array_equal(picture[name], plane), name
