"""The releases of Blender that are here, each as a Python module in an environment of its own."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from limit import LONG

ROOT = Path(__file__).parents[1]
BLENDERS = sorted(ROOT.glob(".venv-blender-*/.made"))
"""Those that `make test` has set up."""


class Blender:
    """One release, with a folder for what a user of it keeps."""

    def __init__(self, made, folder):
        self.python = made.parent / "bin/python"
        self.folder = folder

    def play(self, script, user="user", **given):
        told = self.folder / f"{script}.json"
        worker = [sys.executable, str(ROOT / "tests/signalled.py"), given.get("kill", ""), "worker"]
        environment = {
            **os.environ,
            "BLENDER_USER_RESOURCES": str(self.folder / user),
            "LIFEMASK_WORKER": shlex.join(worker),
            "XDG_STATE_HOME": str(self.folder),
            "PATIENCE": str(LONG),
        }
        words = [self.python, ROOT / f"tests/blender/{script}.py", json.dumps(given), told]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=LONG)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(told.read_text())

    def built(self, folder, file):
        """Make the extension of a ``folder`` with Blender's own tool, and return the ``file``."""
        pattern = "lib/python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
        (tool,) = self.python.parents[1].glob(pattern)
        words = [self.python, tool, "build", "--source-dir", folder, "--output-filepath", file]
        subprocess.run(words, check=True, capture_output=True)
        return file
