"""Remedies: nodes name them by id, and each front end words every one of them."""

import ast
import re
import string
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TypeGuard

import pytest

from lifemask.nodes.errors import LifemaskError, Remedy
from lifemask.plugin.commands import remedies as terminal
from lifemask.plugin.hosts.common import host_remedies as host
from lifemask.plugin.hosts.common.declared import buttons, settings
from lifemask.plugin.worker.job import Job

ROOT = Path(__file__).parents[1]
FLAG = re.compile(r"(?<![\w(-])--[a-z][a-z-]*\b(?![:-])")  # what CSS has is none
COMMAND = re.compile(r"`lifemask |\blifemask (shot|release|track|faceset|train|swap|look) ")


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for file in chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def is_program(tree: ast.Module) -> bool:
    """Whether a module is a command line itself, with flags of its own."""
    return any(True for _ in calls(tree, "ArgumentParser"))


def is_example(node: ast.AST) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "example"


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module, but for the example of a command, which is one to type."""
    examples = [ast.walk(node.value) for node in ast.walk(tree) if is_example(node)]
    typed = {*chain.from_iterable(examples)}
    for node in {*ast.walk(tree)} - typed:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def remedies() -> Iterator[tuple[str, set[str]]]:
    """Yield the id and the names of the fields of every remedy that is raised or noted."""
    for file, tree in sources("nodes", "ocio", "plugin"):
        for call in calls(tree, "Remedy"):
            first, *rest = call.args
            # The conditional is of two ids.
            ids = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            fields = rest[0] if rest else ast.Dict(keys=[], values=[])
            assert isinstance(fields, ast.Dict), file
            for one in ids:
                assert isinstance(one, ast.Constant), file
                keys = {key.value for key in fields.keys if isinstance(key, ast.Constant)}
                yield str(one.value), {str(key) for key in keys}


def raised() -> dict[str, set[str]]:
    """Return the fields that every remedy of an id has."""
    found: dict[str, set[str]] = {}
    for id, fields in remedies():
        found[id] = found.get(id, fields) & fields
    return found


RAISED = raised()


def named(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_no_text_of_a_node_names_a_flag_or_a_command() -> None:
    looked_at = [(file, tree) for file, tree in sources("nodes", "ocio") if not is_program(tree)]
    found = [
        f"{file.relative_to(ROOT)}: {text}"
        for file, tree in looked_at
        for text in texts(tree)
        if FLAG.search(text) or COMMAND.search(text)
    ]
    assert not found
    assert len(looked_at) > 80


@pytest.mark.parametrize(
    "text", ["use --allow-single", "run `lifemask track`", "lifemask swap sh010"]
)
def test_the_check_of_texts_finds_flags_and_commands(text: str) -> None:
    assert FLAG.search(text) or COMMAND.search(text)


def test_every_remedy_is_worded_for_a_terminal_and_for_a_host() -> None:
    assert set(terminal.WORDS) == set(host.WORDS) == set(RAISED)


@pytest.mark.parametrize("id", sorted(RAISED))
def test_words_ask_for_no_field_that_the_remedy_lacks(id: str) -> None:
    labels = {button.command for button in buttons()} | {setting.name for setting in settings()}
    assert named(terminal.WORDS[id]) <= RAISED[id] | ({"options"} if id == "make" else set())
    assert named(host.WORDS[id]) <= RAISED[id] | labels


@pytest.mark.parametrize("id", sorted(RAISED))
def test_words_of_a_host_name_no_flag_and_no_command(id: str) -> None:
    assert not FLAG.search(host.WORDS[id])
    assert not COMMAND.search(host.WORDS[id])


@pytest.mark.parametrize(
    ("command", "name", "typed"),
    [
        ("track", "p1", "lifemask track 'a b'"),
        ("faceset", "ada", "lifemask faceset 'a b' --performer ada ..."),
        ("faceset", "double", "lifemask faceset 'a b' --double"),
        ("faceset", "double_p2", "lifemask faceset 'a b' --double --person p2"),
        ("swap", "ada", "lifemask swap 'a b' --likeness ada"),
    ],
)
def test_a_terminal_says_what_to_type(command: str, name: str, typed: str) -> None:
    remedy = Remedy("make", {"command": command, "shot": "a b", "name": name})
    assert terminal.with_remedy("nothing", remedy) == f"nothing; run `{typed}`"


def test_a_host_names_the_button() -> None:
    fields = {"command": "shot new", "shot": "a", "name": "p1"}
    assert (
        host.with_remedy("nothing", {"id": "make", "fields": fields}) == "nothing; press New shot"
    )
    assert host.with_remedy("none", {"id": "fewer_frames", "fields": {}}) == (
        "none; lower Min frames"
    )


def test_a_job_in_a_host_says_problem_and_remedy_in_one_sentence() -> None:
    job = Job(1, "faceset", {})
    job.note(
        {
            "method": "log",
            "params": {"text": "3 people", "remedy": {"id": "name_person", "fields": {}}},
        }
    )
    assert job.message == "3 people; fill in Person for another"
    remedy = {"id": "new_shot", "fields": {"shot": "sh010"}}
    data = {"kind": "NoShotError", "remedy": remedy}
    job.end({"error": {"code": -32000, "message": "sh010: there is no shot here", "data": data}})
    assert job.message == "sh010: there is no shot here; press New shot"
    assert job.kind == "NoShotError"


def test_a_problem_without_a_remedy_stands_alone() -> None:
    assert terminal.with_remedy("broken", None) == "broken"
    assert host.with_remedy("broken", None) == "broken"
    assert host.with_remedy("broken", {"id": "of a newer worker", "fields": {}}) == "broken"


def test_an_error_holds_its_problem_and_its_remedy() -> None:
    error = LifemaskError("sh010: broken", Remedy("track_again"))
    assert str(error) == "sh010: broken"
    assert error.remedy == Remedy("track_again")
