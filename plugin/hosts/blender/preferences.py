"""The extension's settings: how the worker is started, and where it sees the storage."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

EXTENSION = __package__.rpartition(".plugin.")[0]
"""The name under which Blender knows the extension."""

_DEFAULT = "lifemask worker"


class Preferences(bpy.types.AddonPreferences):
    """Where the work is done."""

    bl_idname = EXTENSION

    command: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Worker",
        description="Command line that starts it, such as `ssh gpu01 lifemask worker`",
        default=_DEFAULT,
    )
    paths: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Paths",
        description="Folders here and where the worker runs: `P:/=/mnt/projects; X:/=/mnt/x`",
    )

    def draw(self, _: bpy.types.Context) -> None:
        """Show both."""
        self.layout.prop(self, "command")
        self.layout.prop(self, "paths")


def settings() -> tuple[str, list[tuple[str, str]]]:
    """Return the worker's command line, and pairs of folders: here, there.

    ``LIFEMASK_WORKER`` and ``LIFEMASK_PATHS`` come before what is set in Blender.
    """
    addon = bpy.context.preferences.addons.get(EXTENSION)
    own = addon.preferences if addon else None
    command = os.environ.get("LIFEMASK_WORKER") or (own.command if own else "")
    paths = os.environ.get("LIFEMASK_PATHS") or (own.paths if own else "")
    pairs = (pair.partition("=") for pair in paths.split(";") if "=" in pair)
    return command or _DEFAULT, [(here.strip(), there.strip()) for here, _, there in pairs]


def own_variables() -> list[str]:
    """Return the environment variables that Blender has set for itself, not the artist.

    Blender 5 names its own colour configuration in ``OCIO``: in that, the spaces are not called as
    in Lifemask's, and where the worker is it may not exist.
    """
    its = bpy.utils.system_resource("DATAFILES", path="colormanagement")
    return ["OCIO"] if its and Path(its) in Path(os.environ.get("OCIO", "")).parents else []
