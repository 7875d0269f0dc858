"""Commands that were made up for tests."""

from pathlib import Path
from typing import Annotated

from lifemask.nodes.command import Command, Option


def made(name, run, query=False):
    """Return a command that does what ``run`` does with it, with one option."""

    def do(self):
        return run(self)

    about = {"name": name, "example": f"lifemask {name}", "query": query, "run": do}
    typed = {"file": Annotated[Path | None, Option("A file.", "FILE")]}
    space = {**about, "__doc__": f"{name.capitalize()}.", "__module__": __name__, "file": None}
    return type(name.title().replace(" ", ""), (Command,), {**space, "__annotations__": typed})
