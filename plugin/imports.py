"""What of this folder goes along into a host: found by imports, so that nobody keeps a list."""

import ast
from collections.abc import Iterator
from pathlib import Path

PLUGIN = Path(__file__).parent


def needed(modules: list[Path]) -> set[Path]:
    """Return everything of this folder that a host's modules import, directly or not."""
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
