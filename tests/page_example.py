"""The node that docs/architecture.md tells how to add, taken from the page itself."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/architecture.md"


def write(folder):
    """Write the files of the page's example into ``folder``, as a reader of the page would."""
    text = PAGE.read_text(encoding="utf-8")
    files = re.findall(r"<!-- (toy/\w+\.py) -->\n```python\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in files] == ["toy/__init__.py", "toy/on_shot.py"]
    for name, code in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(code, encoding="utf-8")
    return folder
