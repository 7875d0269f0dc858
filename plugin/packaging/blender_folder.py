"""The extension's folder: `python -m lifemask.plugin.packaging.blender_folder FOLDER`.

The package in it has the shape that it has here, so that imports read the same.
"""

import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from lifemask.nodes.errors import WriteError
from lifemask.plugin.packaging.declarations import FILE as DECLARATIONS
from lifemask.plugin.packaging.declarations import declared
from lifemask.plugin.packaging.imports import PLUGIN, needed

HOST = PLUGIN / "hosts/blender"
MANIFEST = "blender_manifest.toml"
INIT = "from .plugin.hosts.blender.extension import register, unregister\n"
"""What Blender imports."""


def assemble(folder: Path) -> Path:
    """Make ``folder`` anew and return it; raises WriteError when it holds something else."""
    if folder.exists():
        if not (folder / MANIFEST).is_file():
            raise WriteError(f"{folder}: is there already, and is no folder of Lifemask's")
        shutil.rmtree(folder)
    modules = sorted(HOST.glob("*.py"))
    for file in {*modules, *needed(modules)}:
        target = folder / "plugin" / file.relative_to(PLUGIN)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    declarations = folder / "plugin" / DECLARATIONS.relative_to(PLUGIN)
    declarations.write_text(declared(), encoding="utf-8")
    shutil.copyfile(PLUGIN.parent / "LICENSE", folder / "LICENSE")
    (folder / "__init__.py").write_text(INIT, encoding="utf-8")
    (folder / MANIFEST).write_text(_manifest(), encoding="utf-8")
    return folder


def _manifest() -> str:
    """What Blender wants to know of the extension, with the version of this package."""
    text = (HOST / MANIFEST).read_text(encoding="utf-8")
    return text.replace("VERSION", version("lifemask"))


if __name__ == "__main__":
    print(assemble(Path(sys.argv[1])))
