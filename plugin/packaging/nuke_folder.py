"""The folder for Nuke's plug-in path: `python -m lifemask.plugin.packaging.nuke_folder FOLDER`.

Its package has what runs in Nuke and every module of ours that this imports, found by their
imports: nothing that needs the nodes, and no list to keep.
"""

import shutil
import sys
from pathlib import Path

from lifemask.nodes.errors import WriteError
from lifemask.plugin.packaging.declarations import FILE as DECLARATIONS
from lifemask.plugin.packaging.declarations import declaration, declared
from lifemask.plugin.packaging.gizmo import FILE as GIZMO
from lifemask.plugin.packaging.gizmo import gizmo
from lifemask.plugin.packaging.imports import PLUGIN, needed

PACKAGE = "lifemask_nuke"
TOP = ("init.py", "menu.py")
"""What Nuke runs when it starts; the rest of the folder is the package."""


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
    for place, text in generated().items():
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    return folder


def generated() -> dict[str, str]:
    """Return what is made from the nodes that are found now, by its place in the folder."""
    declarations = DECLARATIONS.relative_to(PLUGIN).as_posix()
    return {
        f"{PACKAGE}/{declarations}": declared(),
        f"gizmos/{GIZMO.name}": gizmo(declaration()),
    }


def contents() -> dict[Path, str]:
    """Return the files of the folder that are copied: where they come from, and their places."""
    host = PLUGIN / "hosts/nuke"
    modules = sorted(file for file in host.glob("*.py") if file.name not in TOP)
    package = {*modules, *needed(modules)}
    places = {file: f"{PACKAGE}/{file.relative_to(PLUGIN).as_posix()}" for file in package}
    return {
        **{host / name: name for name in TOP},
        **dict(sorted(places.items())),
    }


if __name__ == "__main__":
    print(assemble(Path(sys.argv[1])))
