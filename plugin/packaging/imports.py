"""Find the modules of lifemask.plugin that a host needs, by their imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

PLUGIN = Path(__file__).parents[1]


def needed(modules: list[Path]) -> set[Path]:
    """Return everything that a host's modules import, directly or not, and its packages."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        new = set(_imported(waiting.pop())) - found
        found |= new
        waiting += new
    return found | {package for file in (*modules, *found) for package in _packages(file)}


def _imported(module: Path) -> Iterator[Path]:
    """Yield the files of a module's relative imports."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            files = [package.with_suffix(".py"), *(package / f"{a.name}.py" for a in node.names)]
            yield from (file for file in files if file.is_file())


def _packages(module: Path) -> Iterator[Path]:
    """Yield the ``__init__.py`` of the packages around a module."""
    for folder in module.parents:
        if not folder.is_relative_to(PLUGIN):
            return
        yield folder / "__init__.py"
