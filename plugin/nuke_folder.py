"""The folder for Nuke's plug-in path: `python -m lifemask.plugin.nuke_folder FOLDER` puts it there.

Its package has what runs in Nuke and every module of ours that this imports, found by their
imports: nothing that needs the nodes, and no list to keep.
"""

import ast
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from lifemask.nodes.errors import WriteError
from lifemask.plugin.gizmo import FILE as GIZMO

PLUGIN = Path(__file__).parent
PACKAGE = "lifemask_nuke"
TOP = ("init.py", "menu.py")
"""What Nuke runs when it starts; the rest of in_nuke is the package."""


def assemble(folder: Path) -> Path:
    """Make ``folder`` anew and return it; raises WriteError when it holds something else."""
    if folder.exists():
        if not (folder / PACKAGE).is_dir():
            raise WriteError(f"{folder}: is there already, and is no folder of Lifemask's")
        shutil.rmtree(folder)
    for source, place in contents().items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return folder


def contents() -> dict[Path, str]:
    """Return the files of the folder: where they come from, and their places."""
    host = PLUGIN / "in_nuke"
    modules = sorted(file for file in host.glob("*.py") if file.name not in TOP)
    package = {*modules, *_needed(modules), PLUGIN / "__init__.py", PLUGIN / "nodes.json"}
    places = {file: f"{PACKAGE}/{file.relative_to(PLUGIN).as_posix()}" for file in package}
    return {
        **{host / name: name for name in TOP},
        GIZMO: f"gizmos/{GIZMO.name}",
        **dict(sorted(places.items())),
    }


def _needed(modules: list[Path]) -> set[Path]:
    """Everything beside in_nuke that these modules import, directly or not."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        new = {file for file in _imported(waiting.pop()) if file.parent == PLUGIN} - found
        found |= new
        waiting += new
    return found


def _imported(module: Path) -> Iterator[Path]:
    """Yield the files of a module's relative imports."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = module.parents[node.level - 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from (package / f"{name}.py" for name in names)


if __name__ == "__main__":
    print(assemble(Path(sys.argv[1])))
