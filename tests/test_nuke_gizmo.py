"""The committed gizmo: generated, wired rightly, and every line of Python in it runs something."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nk_reader import read

from lifemask.plugin.hosts.common.declared import Button, buttons, settings
from lifemask.plugin.packaging.declarations import declaration
from lifemask.plugin.packaging.gizmo import FILE, GRADE, KINDS, OWN, TEXTS, gizmo
from lifemask.plugin.packaging.gizmo_graph import GRAPH, INPUTS, LAYERS, quoted

GROUP = read(FILE.read_text(encoding="utf-8")).children[0]
OFFERED = {
    "bbox": {"union", "intersection", "A", "B"},
    "operation": {"from", "minus", "over", "plus"},
    "metainput": {"A", "B", "All"},
    "on_error": {"error", "black", "checkerboard", "nearest frame"},
    "before": {"hold", "loop", "bounce", "black"},
    "after": {"hold", "loop", "bounce", "black"},
    "localizationPolicy": {"on", "fromAutoLocalizePath", "onDemand", "off"},
    "datatype": {"16 bit half", "32 bit float"},
    "metadata": {"no metadata", "default metadata", "all metadata"},
}
"""What Nuke's pulldowns hold, as its reference says."""

BUILT_IN = {
    *("name", "help", "label", "disable", "selected", "panel", "cached", "icon", "bookmark"),
    *("action", "indicators", "hide_input", "tile_color", "gl_color", "note_font", "autolabel"),
    *("onCreate", "onDestroy", "knobChanged", "updateUI", "xpos", "ypos", "dope_sheet"),
    *("lifetimeStart", "lifetimeEnd", "useLifetime", "postage_stamp", "lock_connections"),
}
"""Knobs that every Group has."""

ASKED = {item.name for item in (*settings(), *buttons(), *OWN)}


def names(node):
    return [source.name for source in node.inputs]


def test_it_is_what_the_declaration_says():
    written = FILE.read_text(encoding="utf-8")
    assert gizmo(declaration()) == written, "run: make generated"


def test_it_is_one_group_of_nukes_own_nodes():
    assert (GROUP.kind, GROUP.name) == ("Group", "LifemaskSwap1")
    assert FILE.stem == "LifemaskSwap"
    assert {node.kind for node in GROUP.children} == {
        *("Copy", "Expression", "Grade", "Input", "Keymix", "Merge2", "Output", "Premult"),
        *("Read", "Remove", "Switch", "Write"),
    }
    assert GROUP.layers == {
        name: [f"{name}.{channel}" for channel in channels] for name, channels in LAYERS.items()
    }


def test_every_wire_leads_where_the_graph_says():
    assert len({node.name for node in GROUP.children}) == len(GROUP.children) == len(GRAPH)
    for node in GRAPH:
        assert names(GROUP.child(node.name)) == list(node.inputs), node.name


def test_b_is_the_plate_and_a_the_face_and_the_mask_a_matte():
    assert names(GROUP.child("kept")) == ["plate", "result", "mattes"]
    assert names(GROUP.child("uncovered")) == ["kept", "generated", "mattes"]
    assert names(GROUP.child("painted")) == ["graded", "paint"]
    assert names(GROUP.child("added")) == ["result", "add_occlusion"]
    assert names(GROUP.child("removed")) == ["added", "remove_occlusion"]
    assert GROUP.child("kept").knobs["maskChannel"] == "rgba.red"


def test_the_inputs_are_numbered_in_order():
    numbers = {
        node.name: int(node.knobs.get("number", 0))
        for node in GROUP.children
        if node.kind == "Input"
    }
    assert numbers == {name: index for index, name in enumerate(INPUTS)}


def test_the_result_is_read_as_it_is_and_a_missing_frame_is_black():
    knobs = GROUP.child("result").knobs
    wanted = {"raw": "true", "localizationPolicy": "off", "before": "black", "after": "black"}
    assert {**knobs, **wanted, "on_error": "black"} == knobs


def test_what_is_written_keeps_all_metadata_and_is_left_out_of_a_render_of_the_script():
    writes = [node for node in GROUP.children if node.kind == "Write"]
    assert len(writes) == len(INPUTS)
    for node in writes:
        assert node.knobs["metadata"] == "all metadata"
        assert (node.knobs["disable"], node.knobs["raw"]) == ("true", "true")


def test_every_setting_and_button_is_there_once_with_its_help():
    found = [knob.name for knob in GROUP.user]
    assert len(set(found)) == len(found)
    assert set(found) >= ASKED | set(TEXTS)
    for item in (*settings(), *buttons(), *OWN):
        knob = GROUP.user_knob(item.name)
        assert knob.words["t"].startswith(item.doc)
        assert knob.words["l"] == item.label


def test_knobs_have_the_kind_the_range_and_the_default_of_the_declaration():
    read_back = {"bool": lambda text: text == "true", "int": int, "float": float}
    for setting in settings():
        knob = GROUP.user_knob(setting.name)
        if setting.many or setting.name == "person":
            continue
        assert knob.kind == (4 if setting.choices else KINDS[setting.kind])
        assert knob.words.get("M", "").split() == list(setting.choices)
        if setting.kind == "float" and setting.max is not None:
            assert [float(end) for end in knob.words["R"].split()] == [setting.min, setting.max]
        if setting.default is not None:
            convert = read_back.get(setting.kind, str)
            assert convert(GROUP.knobs[setting.name]) == setting.default


@pytest.mark.parametrize(
    "button", [*buttons(), *(item for item in OWN if isinstance(item, Button))]
)
def test_a_button_is_one_line_that_calls_the_package(button):
    code = GROUP.user_knob(button.name).words["T"]
    assert "\n" not in code
    imported, called = ast.parse(code).body
    assert imported.names[0].name == "lifemask_nuke.hosts.nuke.session"
    assert ast.unparse(called.value.args[0]) == repr(button.name)


def test_pulldowns_are_set_to_what_nuke_has_in_them():
    chosen = {
        (name, value)
        for node in GROUP.children
        for name, value in node.knobs.items()
        if name in OFFERED
    }
    assert {name for name, _ in chosen} == set(OFFERED)
    assert all(value in OFFERED[name] for name, value in chosen)


def test_no_knob_has_the_name_of_one_of_nukes_own():
    assert not {knob.name for knob in GROUP.user} & BUILT_IN


def test_nothing_runs_when_a_script_opens_so_it_opens_without_the_plug_in():
    for node in (GROUP, *GROUP.children):
        assert not {"knobChanged", "onCreate", "onDestroy", "updateUI", "autolabel"} & set(
            node.knobs
        )


def test_links_lead_to_knobs_of_the_grade():
    for knob in GRADE:
        target = GROUP.user_knob(f"face_{knob}").words["T"]
        assert target == f"face_grade.{knob}"
        assert GROUP.child(target.split(".")[0]).kind == "Grade"


@given(st.text(st.characters(exclude_categories=["C"], include_characters="\n")))
def test_any_text_can_be_a_word_of_a_script(text):
    inside = f"Group {{\n addUserKnob {{26 line l {quoted(text)}}}\n message {quoted(text)}\n}}"
    group = read(f"{inside}\nend_group").children[0]
    assert group.user_knob("line").words["l"] == text
    assert group.knobs["message"] == text
