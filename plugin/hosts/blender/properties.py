"""What a swap is set to: kept in its node group, so with the scene, extension or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable

import bpy

from ..common.declared import Setting, settings
from ..common.shot_state import ShotState
from . import colour_spaces

if TYPE_CHECKING:
    from bpy.types import Context, NodeTree, Property, PropertyGroup

    Update = Callable[[PropertyGroup, Context], None]
    Search = Callable[[PropertyGroup, Context, str], list[str]]

_KINDS = {
    "int": (bpy.props.IntProperty, 0),
    "float": (bpy.props.FloatProperty, 0.0),
    "bool": (bpy.props.BoolProperty, False),
    "str": (bpy.props.StringProperty, ""),
    "path": (bpy.props.StringProperty, ""),
}
_SEPARATOR = ";"


def group(update: Update, search: Mapping[str, Search]) -> type[PropertyGroup]:
    """Return the class of a swap's properties: those that hosts offer, by name.

    ``update`` is called when one of the shot's is set; ``search`` finds, by property, what there is
    to choose from. ``is_swap`` marks the tree of a swap.
    """
    properties = {s.name: _property(s, None if s.node else update) for s in settings()}
    for name, found in search.items():
        properties[name].keywords["search"] = found
    properties.update({s.was: _property(replace(s, name=s.was), None) for s in settings() if s.was})
    properties["is_swap"] = bpy.props.BoolProperty(options={"HIDDEN"})
    properties["known"] = bpy.props.StringProperty(options={"HIDDEN"})
    properties["fix_frames"] = bpy.props.StringProperty(
        name="Frames", description="Frames whose fixes are copied; else the current one"
    )
    space = {"__annotations__": properties}
    return type("LIFEMASK_PG_swap", (bpy.types.PropertyGroup,), space)


def values(tree: NodeTree) -> dict[str, Any]:
    """Return the settings of a swap: paths whole, the rate and the space of the scene.

    The plate is written as the compositor has it, so its colour space is Blender's working space.
    """
    found = {setting.name: _value(tree, setting) for setting in settings()}
    scene = bpy.context.scene
    found["colorspace"] = colour_spaces.lifemasks(colour_spaces.scene_linear())
    found["fps"] = found["fps"] or scene.render.fps / scene.render.fps_base
    return found


def move_old(tree: NodeTree) -> None:
    """Give settings the values that were saved under their names of the last release."""
    for setting in settings():
        if setting.was and tree.lifemask.is_property_set(setting.was):
            if not tree.lifemask.is_property_set(setting.name):
                setattr(tree.lifemask, setting.name, getattr(tree.lifemask, setting.was))
            tree.lifemask.property_unset(setting.was)


def remember(tree: NodeTree, shot: ShotState) -> None:
    """Keep what the shot has with the scene, which is opened where there is no worker, too."""
    known = json.dumps([tree.lifemask.shot, shot.info])
    same = shot.values["shot"] == bpy.path.abspath(tree.lifemask.shot)
    if shot.info and same and known != tree.lifemask.known:
        tree.lifemask.known = known


def remembered(tree: NodeTree) -> ShotState:
    """Return what was known of the shot when the scene was saved."""
    shot, info = json.loads(tree.lifemask.known or '["", null]')
    return ShotState({"shot": bpy.path.abspath(shot)}, info)


def _value(tree: NodeTree, setting: Setting) -> Any:  # noqa: ANN401
    value = getattr(tree.lifemask, setting.name)
    if setting.many:
        parts = (part.strip() for part in value.split(_SEPARATOR))
        return [bpy.path.abspath(part) for part in parts if part]
    return bpy.path.abspath(value) if setting.kind == "path" and value else value


def _property(setting: Setting, update: Update | None) -> Property:
    """Return the property of a setting: its label, help, range and default."""
    unit = f" ({setting.unit})" if setting.unit else ""
    words: dict[str, Any] = {
        "name": setting.label,
        "description": setting.doc.rstrip(".") + unit,
        "update": update,
    }
    if setting.choices:
        items = [(choice, choice.capitalize(), "") for choice in setting.choices]
        return bpy.props.EnumProperty(items=items, default=setting.default, **words)
    if setting.many:
        words["description"] += f"; several with {_SEPARATOR} between"
        return bpy.props.StringProperty(subtype="FILE_PATH", **words)
    make, nothing = _KINDS[setting.kind]
    limits = {name: getattr(setting, name) for name in ("min", "max")}
    words.update((name, limit) for name, limit in limits.items() if limit is not None)
    if setting.kind == "path":
        words["subtype"] = "DIR_PATH" if setting.name == "shot" else "FILE_PATH"
    return make(default=nothing if setting.default is None else setting.default, **words)
