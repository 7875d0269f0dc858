"""The sidebar of the compositor: what a swap is set to, what it does, what it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import bpy

from ..common.declared import Button, buttons, commands, sections, settings, work_buttons
from . import icons
from .session import SESSION

if TYPE_CHECKING:
    from bpy.types import Context, NodeTree, UILayout

    from .swap_node import SwapNode

_CATEGORY = "Lifemask"
_SHOT = ("shot", "person", "likeness", "version")
_BLENDERS = ("colorspace",)  # what the scene says, and is not asked for
_WIDE = 46  # letters that fit into a line of the sidebar
_PICTURE = 9.0  # size of the preview, in icons


def seen(context: Context) -> NodeTree | None:
    """Return the swap that is looked at: the active node's group, or the group that is open."""
    editor = context.space_data
    node = getattr(context, "active_node", None)
    for tree in (getattr(node, "node_tree", None), getattr(editor, "edit_tree", None)):
        if tree and tree.bl_idname == "CompositorNodeTree" and tree.lifemask.is_swap:
            return tree
    return None


class _OfSwap(bpy.types.Panel):
    """A panel in the sidebar, where a swap is."""

    bl_space_type, bl_region_type, bl_category = "NODE_EDITOR", "UI", _CATEGORY

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where a swap is."""
        return seen(context) is not None


class Sidebar(_OfSwap):
    """The swap: who, the buttons, how far it is, and what to shoot more of."""

    bl_idname, bl_label = "LIFEMASK_PT_node", "Swap"

    def draw(self, context: Context) -> None:
        """Show all of it."""
        tree = seen(context)
        assert tree
        node, column = SESSION.node(tree), self.layout.column()
        shot = node.controller.shot
        _props(column, tree, _SHOT)
        _lines(column, shot.people, "USER")
        _lines(column, shot.consent, "CHECKMARK")
        _props(column, tree, [setting.name for setting in settings() if setting.at_hand])
        _chain(column, tree)
        _progress(column, tree, node)
        _lines(column, shot.advice, "INFO")


class Fixes(_OfSwap):
    """The fixes, and their way to the shot."""

    bl_idname, bl_label, bl_parent_id = "LIFEMASK_PT_fixes", "Fixes", Sidebar.bl_idname

    def draw(self, context: Context) -> None:
        """Show the frames and the button."""
        tree = seen(context)
        assert tree
        column = self.layout.column()
        _props(column, tree, ["fix_frames"])
        column.operator("lifemask.copy_fixes").swap = tree.name


def _command_panel(command: str) -> type[_OfSwap]:
    """Return the panel of one command: what it has to know, its knobs, and its button.

    The button of a command that makes something is beside the others'.
    """
    of_command = [s for s in settings() if s.command == command and not s.at_hand]
    shown = [s.name for s in of_command if s.name not in (*_SHOT, *_BLENDERS)]
    button = next(button for button in buttons() if button.command == command)

    def draw(self: Any, context: Context) -> None:  # noqa: ANN401
        tree = seen(context)
        assert tree
        column = self.layout.column()
        _props(column, tree, shown)
        if not button.makes:
            _button(column, tree, button)

    name = f"LIFEMASK_PT_{command.replace(' ', '_')}"
    names = {"bl_idname": name, "bl_label": commands()[command]["label"], "draw": draw}
    more = {"bl_parent_id": Sidebar.bl_idname, "bl_options": {"DEFAULT_CLOSED"}}
    return type(name, (_OfSwap,), {**names, **more})


def _props(layout: UILayout, tree: NodeTree, names: Iterable[str]) -> None:
    for name in names:
        if hasattr(tree.lifemask, name):
            layout.prop(tree.lifemask, name)


def _chain(layout: UILayout, tree: NodeTree) -> None:
    """The buttons, in the order in which they are pressed: a row for each section."""
    for section in sections(work_buttons()).values():
        row = layout.row(align=True)
        for button in section:
            if button.command:
                _button(row, tree, button)
            else:
                row.operator("lifemask.stop", icon="CANCEL").swap = tree.name


def _button(layout: UILayout, tree: NodeTree, button: Button) -> None:
    pressed = layout.operator("lifemask.press", text=button.label)
    pressed.button, pressed.swap = button.name, tree.name


def _progress(layout: UILayout, tree: NodeTree, node: SwapNode) -> None:
    """How far it is, the latest picture, and what there is to say."""
    now, controller = node.status, node.controller
    if now.running:
        layout.progress(factor=now.fraction, text=now.text)
    else:
        said = now.text, controller.shot.next, controller.result.frames.sentence
        _lines(layout, filter(None, said), "DOT")
    if now.preview:
        layout.template_icon(icon_value=icons.icon(now.preview), scale=_PICTURE)
    layout.operator("lifemask.refresh", icon="FILE_REFRESH").swap = tree.name


def _lines(layout: UILayout, lines: Iterable[str], icon: str) -> None:
    """Sentences, each wrapped, with an icon before its first line."""
    for line in lines:
        for index, part in enumerate(wrap(line, _WIDE)):
            layout.label(text=part, icon="BLANK1" if index else icon)


def menu(self: Any, context: Context) -> None:  # noqa: ANN401
    """Add > Lifemask, in the compositor."""
    if context.space_data.tree_type == "CompositorNodeTree":
        self.layout.menu(Menu.bl_idname)


class Menu(bpy.types.Menu):
    """The nodes of Lifemask."""

    bl_idname, bl_label = "LIFEMASK_MT_add", "Lifemask"

    def draw(self, _: Context) -> None:
        """Show them."""
        self.layout.operator("lifemask.add")


def classes() -> list[type[Any]]:
    """Return the classes to register."""
    return [Menu, Sidebar, Fixes, *map(_command_panel, commands())]
