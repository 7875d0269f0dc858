"""Every ``>>>`` in a docstring runs, under the one true module name."""

import doctest
import importlib
import pkgutil

import pytest

import lifemask.nodes
import lifemask.ocio
import lifemask.plugin

PARTS = (lifemask.ocio, lifemask.nodes, lifemask.plugin)
MODULES = [
    module.name
    for part in PARTS
    for module in pkgutil.walk_packages(part.__path__, part.__name__ + ".")
    if not {"nuke", "blender"} & {*module.name.split(".")}  # those run in their hosts only
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed
