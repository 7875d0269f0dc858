"""The Lifemask nodes of the script that is open, and the one worker they share."""

from __future__ import annotations

from typing import Callable

import nuke

from ...worker.client import Client
from . import input_render, knobs, settings
from .swap_node import SwapNode

_nodes: dict[nuke.Node, SwapNode] = {}
_clients: dict[str, Client] = {}
listeners: list[Callable[[], None]] = []
"""Called on the main thread when there is something new to draw: the panel."""


def register() -> None:
    """Hear from Nuke: nodes that come and go, knobs, and background renders that end."""
    nuke.addOnCreate(_created, nodeClass="Group")
    nuke.addOnDestroy(_destroyed, nodeClass="Group")
    nuke.addOnScriptClose(close)
    nuke.addKnobChanged(_knob_changed, nodeClass="Group")
    nuke.addAfterBackgroundRender(input_render.ended)


def press(button: str) -> None:
    """Do what a button of the node it is on is for: what the gizmo's buttons call.

    Without a window, on a farm, this returns when the work has ended, and raises RuntimeError with
    the sentence when it was refused or has failed.
    """
    node = nuke.thisNode()
    controller = of(node).controller
    if button == "copy_fixes":
        controller.copy_fixes(str(node["fix_frames"].value()))
    else:
        controller.press(button)
    if not nuke.GUI:
        controller.finish(client().pump)


def of(node: nuke.Node) -> SwapNode:
    """Return what Lifemask has of one of its nodes."""
    if node not in _nodes:
        _nodes[node] = SwapNode(node, client(), _draw)
    return _nodes[node]


def nodes() -> list[nuke.Node]:
    """Return the Lifemask nodes of the script."""
    groups = nuke.allNodes("Group", nuke.root())  # a button of a group looks inside of it
    return [node for node in groups if knobs.is_ours(node)]


def client() -> Client:
    """Return the worker's client, whose messages arrive on Nuke's main thread."""
    if "" not in _clients:
        deliver = nuke.executeInMainThread if nuke.GUI else None
        _clients[""] = Client(settings.command(), settings.paths(), deliver)
    return _clients[""]


def close() -> None:
    """Stop everything that the script has asked for, and let the worker go."""
    for node in _nodes.values():
        node.close()
    _nodes.clear()
    for known in _clients.values():
        known.close()
    _clients.clear()


def ask_for_worker() -> None:
    """Let the artist say how the worker is started; the next job uses it."""
    command = nuke.getInput("Command that starts the worker:", settings.command())
    if command:
        settings.keep(command)
        close()


def _draw() -> None:
    for listener in listeners:
        listener()


def _created() -> None:
    node = nuke.thisNode()
    if knobs.is_ours(node):
        knobs.begin(node)
        _draw()


def _destroyed() -> None:
    gone = _nodes.pop(nuke.thisNode(), None)
    if gone:
        gone.close()


def _knob_changed() -> None:
    """Look at the shot again when another one, or somebody else, was chosen."""
    node, name = nuke.thisNode(), nuke.thisKnob().name()
    if name in ("shot", "likeness", "person", "version") and knobs.is_ours(node):
        of(node).controller.refresh()
