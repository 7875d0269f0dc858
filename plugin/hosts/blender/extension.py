"""What Blender calls when the extension is switched on and off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from . import icons, operators, panel, preferences, properties
from .session import SESSION, swaps

if TYPE_CHECKING:
    from bpy.types import Context, PropertyGroup

_CLASSES: list[type[Any]] = []


def register() -> None:
    """Make nodes, panels and buttons known; nothing is started."""
    group = properties.group(_updated, {"person": _people, "likeness": _performers})
    _CLASSES[:] = [preferences.Preferences, group, *operators.CLASSES, *panel.classes()]
    for one in _CLASSES:
        bpy.utils.register_class(one)
    bpy.types.NodeTree.lifemask = bpy.props.PointerProperty(type=group)
    bpy.types.NODE_MT_add.append(panel.menu)
    bpy.app.handlers.load_pre.append(_leave)
    bpy.app.handlers.load_post.append(_show)


def unregister() -> None:
    """Undo `register`, and end the worker."""
    SESSION.close()
    icons.close()
    bpy.app.handlers.load_pre.remove(_leave)
    bpy.app.handlers.load_post.remove(_show)
    bpy.types.NODE_MT_add.remove(panel.menu)
    del bpy.types.NodeTree.lifemask
    for one in reversed(_CLASSES):
        bpy.utils.unregister_class(one)


@persistent
def _leave(*_: object) -> None:
    """Stop what the swaps of the file that is left have asked for."""
    SESSION.leave()


@persistent
def _show(*_: object) -> None:
    """Show what is on disk now: a farm may have gone on since the file was saved."""
    for tree in swaps():
        properties.move_old(tree)
    SESSION.show()


def _people(group: PropertyGroup, _: Context, text: str) -> list[str]:
    """The people who were found in the plate."""
    return _starting(text, _known(group).get("people", {}))


def _performers(group: PropertyGroup, _: Context, text: str) -> list[str]:
    """The performers who have a release."""
    return _starting(text, _known(group).get("performers", []))


def _known(group: PropertyGroup) -> dict[str, Any]:
    """What is known of a swap's shot."""
    return SESSION.node(group.id_data).controller.shot.info or {}


def _starting(text: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(text)]


def _updated(group: PropertyGroup, _: Context) -> None:
    """Show another shot's result, or another likeness's, as soon as it is named."""
    if group.is_swap:
        controller = SESSION.node(group.id_data).controller
        controller.show()
        if not bpy.app.background:
            controller.refresh()
            operators.watch()
