"""The reader of Nuke's scripts, on the rules that scripts rely on."""

import pytest
from nk_reader import ScriptError, read

TWO = "Input {\n name a\n}\nset N1 [stack 0]\nInput {\n name b\n number 1\n}\n"


def only(text):
    return read(text).children[-1]


def names(node):
    return [source and source.name for source in node.inputs]


def test_the_top_of_the_stack_is_the_first_input():
    assert names(only(f"{TWO}push $N1\nMerge2 {{\n inputs 2\n}}")) == ["a", "b"]
    assert names(only(f"{TWO}push 0\nMerge2 {{\n inputs 2\n}}")) == [None, "b"]


def test_a_node_without_inputs_takes_one_and_leaves_itself():
    script = read(f"{TWO}Grade {{\n name g\n}}\nInvert {{\n}}")
    assert names(script.children[-1]) == ["g"]
    assert names(script.children[-2]) == ["b"]


def test_a_group_has_a_stack_of_its_own():
    script = read(f"{TWO}Group {{\n name g\n}}\nBlur {{\n}}\nend_group\nGrade {{\n}}")
    assert names(script.children[-1]) == ["g"]
    assert names(script.child("g").children[0]) == [None]


def test_words_are_split_as_tcl_splits_them():
    node = only(
        'Text {\n message "a \\[b] \\"c\\"\\nd"\n which {{parent.x ? 1 : 0}}\n bare a\\ b\n}'
    )
    assert node.knobs == {
        "message": 'a [b] "c"\nd',
        "which": "{parent.x ? 1 : 0}",
        "bare": "a b",
    }


def test_a_knob_of_ones_own_has_its_words_and_flags():
    line = 'addUserKnob {7 size l "The size" t "How \\"big\\"." R -1 4.5 +STARTLINE}'
    (knob,) = only(f"Group {{\n {line}\n}}\nend_group").user
    assert (knob.kind, knob.name, knob.flags) == (7, "size", {"+STARTLINE"})
    assert knob.words == {"l": "The size", "t": 'How "big".', "R": "-1 4.5"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Group {\n", "line 1: } is missing"),
        ('Text {\n message "a\n}', "is missing"),
        ("push $N9\nBlur {\n}", "N9 was never set"),
        ("set N1 [stack 0]", "nothing on the stack"),
        ("Group {\n name g\n}\nBlur {\n}", "g: end_group is missing"),
        ("end_group", "end_group without a group"),
        ("Blur", "no node"),
    ],
)
def test_what_is_no_script_is_refused(text, said):
    with pytest.raises(ScriptError, match=said):
        read(text)
