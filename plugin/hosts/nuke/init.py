"""Nuke's start, with a window or without: loads Lifemask's package and shows Nuke its gizmos.

The package is loaded from where it lies, under a name that nobody else has: ``sys.path`` stays as
it is, so nothing of ours can come before a module of Nuke's or of another tool.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import nuke

LIFEMASK = Path(__file__).resolve().parent


def load(name: str, folder: Path) -> None:
    """Make the package in ``folder`` known as ``name``, unless it is."""
    if name in sys.modules:
        return
    init = folder / "__init__.py"
    spec = spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


load("lifemask_nuke", LIFEMASK / "lifemask_nuke")
import_module("lifemask_nuke.hosts.nuke.session").register()
# The buttons of scripts that were saved with the last release import the session by this name.
for part in ("", ".session"):
    sys.modules[f"lifemask_nuke.in_nuke{part}"] = sys.modules[f"lifemask_nuke.hosts.nuke{part}"]
nuke.pluginAddPath((LIFEMASK / "gizmos").as_posix(), addToSysPath=False)
