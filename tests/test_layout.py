"""Rules for the source tree itself: small files, small functions, one name for one module."""

import ast
from collections import Counter
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[1]
FILES = [
    file for part in ("plugin", "nodes", "ocio", "gizmos") for file in (ROOT / part).rglob("*.py")
]
HOSTS = {"nuke", "blender"}
"""Their packages are counterparts: the same name there is the same job."""
ON_SHOT = "on_shot"
"""The module of this name in a node's package runs the node on a shot."""
LONGEST_FILE = 300  # lines
MEDIAN_FUNCTION, LONG_FUNCTION = 8, 20  # lines: half are shorter, and nine in ten


def functions(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_a_file_is_read_in_one_sitting():
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert not {str(file): count for file, count in lines.items() if count > LONGEST_FILE}


def test_functions_are_small():
    lengths = [node.end_lineno - node.lineno + 1 for file in FILES for node in functions(file)]
    assert median(lengths) <= MEDIAN_FUNCTION
    assert quantiles(lengths, n=10)[-1] <= LONG_FUNCTION


def test_no_two_modules_have_one_name():
    shared = [file.stem for file in FILES if not HOSTS & {*file.parts} and "__" not in file.stem]
    hosts = {file.stem for file in FILES if HOSTS & {*file.parts} and "__" not in file.stem}
    counted = Counter([*shared, *hosts])
    assert not [name for name, count in counted.items() if count > 1 and name != ON_SHOT]
