"""What an artist and a farm can do: add a swap, press its buttons, copy fixes, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..common.declared import buttons
from . import tree as swap_tree
from .session import SESSION, swaps

if TYPE_CHECKING:
    from bpy.types import Context, Event, Node, NodeTree

    from ..common.controller import NodeController
    from .swap_node import SwapNode

    Outcome = set[str]

_EVERY = 0.03  # seconds between two looks at the worker's messages


def add(tree: NodeTree) -> Node:
    """Return a new swap node in a compositor's tree."""
    node = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = swap_tree.new()
    node.node_tree.lifemask.is_swap = True
    node.label, node.width = "Lifemask", 220
    return node


class Add(bpy.types.Operator):
    """Add a node that replaces a face."""

    bl_idname, bl_label = "lifemask.add", "Swap"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only in the compositor, where there is a tree."""
        tree = getattr(context.space_data, "edit_tree", None)
        return bool(tree and tree.bl_idname == "CompositorNodeTree")

    def execute(self, context: Context) -> Outcome:
        """Add it where the mouse is, selected alone."""
        tree = context.space_data.edit_tree
        for other in tree.nodes:
            other.select = False
        node = add(tree)
        node.location = context.space_data.cursor_location
        tree.nodes.active = node
        return {"FINISHED"}

    def invoke(self, context: Context, event: Event) -> Outcome:
        """Add it, and let it follow the mouse as other nodes do."""
        context.space_data.cursor_location_from_region(event.mouse_region_x, event.mouse_region_y)
        result = self.execute(context)
        bpy.ops.node.translate_attach_remove_on_cancel("INVOKE_DEFAULT")
        return result


class _OfSwap(bpy.types.Operator):
    """An operator on one swap: of the group with the name ``swap``, else of the only one."""

    swap: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Swap", description="Name of its node group, when there are several"
    )
    frames: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Frames", description="Such as 1001-1040; else those of the swap"
    )

    def node(self) -> SwapNode:
        """Return the swap; raises RuntimeError when it is not clear which is meant."""
        found = [tree for tree in swaps() if self.swap in ("", tree.name)]
        if len(found) == 1:
            return SESSION.node(found[0])
        names = ", ".join(tree.name for tree in swaps()) or "none"
        raise RuntimeError(f"swap: {self.swap or 'nothing'} names no swap (there: {names})")

    def act(self, controller: NodeController) -> None:
        """Begin what the operator is for."""

    def execute(self, _: Context) -> Outcome:
        """Act and wait; a script gets a RuntimeError with the sentence when it cannot be done."""
        try:
            self.node().run(self.act, SESSION.tick)
        except RuntimeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, _: Context, __: Event) -> Outcome:
        """Act for an artist, who goes on meanwhile."""
        controller = self.node().controller
        self.act(controller)
        if controller.problem:
            self.report({"WARNING"}, controller.problem)
        return watch()


class Press(_OfSwap):
    """Press a button of a swap: from a script, this returns when its work is done."""

    bl_idname, bl_label = "lifemask.press", "Press"

    button: bpy.props.StringProperty(name="Button")  # type: ignore[valid-type]

    @classmethod
    def description(cls, _: Context, properties: Press) -> str:
        """What the artist reads over the button."""
        return next(b.doc for b in buttons() if b.name == properties.button)

    def act(self, controller: NodeController) -> None:
        """Press it."""
        controller.press(self.button, self.frames)


class Stop(_OfSwap):
    """Stop what this swap has asked for."""

    bl_idname, bl_label = "lifemask.stop", "Stop"

    def act(self, controller: NodeController) -> None:
        """Stop it."""
        controller.stop()

    def execute(self, _: Context) -> Outcome:
        """Stop it; what has to end does so later."""
        self.act(self.node().controller)
        return {"FINISHED"}


class CopyFixes(_OfSwap):
    """Write what is connected to Add Occlusion, Remove Occlusion and Paint to the shot."""

    bl_idname, bl_label = "lifemask.copy_fixes", "Copy of the fixes to the shot"

    def act(self, controller: NodeController) -> None:
        """Write it."""
        controller.copy_fixes(self.frames or self.node().tree.lifemask.fix_frames)


class Refresh(_OfSwap):
    """Look again at what the shot has."""

    bl_idname, bl_label = "lifemask.refresh", "Refresh"

    def act(self, controller: NodeController) -> None:
        """Ask the worker."""
        controller.refresh()


class Watch(bpy.types.Operator):
    """Take the worker's messages, while there is work."""

    bl_idname, bl_label = "lifemask.watch", "Watch the worker"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def invoke(self, context: Context, _: Event) -> Outcome:
        """Look from now on, unless somebody does."""
        if SESSION.watched:
            return {"CANCELLED"}
        SESSION.watched, self._drawn = True, SESSION.statuses
        window = context.window_manager
        self._timer = window.event_timer_add(_EVERY, window=context.window)
        window.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> Outcome:
        """Look once; everything that the artist does goes on to Blender."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        goes_on = False
        try:
            goes_on = SESSION.tick()
        finally:
            if not goes_on:
                self.cancel(context)
        if SESSION.statuses != self._drawn:
            self._drawn = SESSION.statuses
            redraw(context)
        return {"PASS_THROUGH"} if goes_on else {"FINISHED"}

    def cancel(self, context: Context) -> None:
        """Look no more."""
        SESSION.watched = False
        context.window_manager.event_timer_remove(self._timer)


def watch() -> Outcome:
    """Have a timer take the worker's messages; where there is no window, there is none."""
    if not bpy.app.background:
        bpy.ops.lifemask.watch("INVOKE_DEFAULT")
    return {"FINISHED"}


def redraw(context: Context) -> None:
    """Draw the node editors anew."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "NODE_EDITOR":
                area.tag_redraw()


CLASSES = (Add, Press, Stop, CopyFixes, Refresh, Watch)
