"""The nodes, found in this folder and in those that LIFEMASK_NODES names.

A node is a package: its ``__init__`` declares what it computes, its module ``on_shot`` how it runs
on a shot. Importing them all stays light: no torch, no NumPy, no host.
"""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.errors import LifemaskError

__all__ = ["ON_SHOT", "Knob", "Node"]

__path__ += [folder for folder in os.environ.get("LIFEMASK_NODES", "").split(os.pathsep) if folder]


def _found() -> Iterator[ModuleType]:
    for folder in __path__:
        for module in sorted(Path(folder).glob("*/on_shot.py")):
            yield _imported(module)


def _imported(module: Path) -> ModuleType:
    """Import a node; raises LifemaskError with the file of one that cannot be imported."""
    try:
        return import_module(f"{__name__}.{module.parent.name}.{module.stem}")
    except Exception as error:
        raise LifemaskError(
            f"{module.parent}: this node cannot be imported ({type(error).__name__}: {error})"
        ) from error


ON_SHOT = tuple(_found())
"""The modules with the commands that run the nodes on a shot."""
