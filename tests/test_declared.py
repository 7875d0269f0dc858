"""What a host's node offers: settings and buttons, from the declaration."""

from lifemask.nodes import Node
from lifemask.plugin.hosts.common.declared import buttons, settings


def test_every_node_of_a_shot_has_its_button_and_its_knobs():
    names = [button.name for button in buttons()]
    assert names[:4] == ["shot_new", "release_add", "track", "faceset"]
    assert names[-1] == "stop"
    assert names.index("swap_frame") + 1 == names.index("swap_range")
    labels = {button.name: button.label for button in buttons()}
    assert (labels["shot_new"], labels["swap_range"]) == ("New shot", "Swap range")
    known = {setting.name: setting for setting in settings()}
    for name in ("Track", "Faceset", "Swap"):
        for knob in Node.registry[name].knobs():
            setting = known[f"{name.lower()}_{knob.name}"]
            assert (setting.default, setting.doc) == (knob.default, knob.doc)
    assert {"shot", "likeness", "person", "takes", "takes_colorspace", "version"} <= known.keys()
