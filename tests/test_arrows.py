"""The packages of nodes/ import each other one way, inside functions and for types, too."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

NODES = Path(__file__).parents[1] / "nodes"
PACKAGES = {folder.name for folder in NODES.iterdir() if (folder / "__init__.py").exists()}
LAYERS = ["faces", "hands", "render", "head", "faceset", "refiner", "swap", "learning", "train"]
"""From what knows nothing of the others to what builds on them."""


def names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def imported(package):
    """The other packages of nodes/ that any line of a ``package`` imports."""
    found = set()
    for file in (NODES / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            parts = [name.split(".") for name in names(node)]
            found |= {part[2] for part in parts if part[:2] == ["lifemask", "nodes"]}
    return found & PACKAGES - {package}


@pytest.mark.parametrize("package", LAYERS)
def test_a_layer_imports_nothing_of_those_above(package):
    above = set(LAYERS[LAYERS.index(package) :])
    assert not imported(package) & above


def test_no_packages_import_each_other():
    order = TopologicalSorter({package: imported(package) for package in PACKAGES})
    assert set(order.static_order()) == PACKAGES


def test_imports_are_found_wherever_they_are():
    assert {"learning", "swap", "refiner"} <= imported("train")
    assert "render" in imported("refiner")
