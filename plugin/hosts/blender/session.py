"""The worker that all swaps of this Blender share, and the swaps that are at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ...worker.client import Client
from .preferences import own_variables, settings
from .swap_node import SwapNode

if TYPE_CHECKING:
    from bpy.types import NodeTree

    from ..common.job_status import Status


class Session:
    """One client, and the `SwapNode` of each swap; ``watched``: whether a timer calls `tick`."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.watched = False
        self._client: Client | None = None
        self._nodes: dict[int, SwapNode] = {}

    def node(self, tree: NodeTree) -> SwapNode:
        """Return what Lifemask has of a swap's node group; starts nothing."""
        if self._client is None:
            command, paths = settings()
            self._client = Client(command, paths, without=own_variables())
        if tree.session_uid not in self._nodes:
            self._nodes[tree.session_uid] = SwapNode(tree, self._client)
        return self._nodes[tree.session_uid]

    def tick(self) -> bool:
        """Go on with everything; return whether anything is still going on."""
        alive = {tree.session_uid for tree in bpy.data.node_groups}
        for uid in set(self._nodes) - alive:
            self._nodes.pop(uid).controller.close()
        if self._client:
            self._client.pump()
        for node in list(self._nodes.values()):
            node.poll()
        return any(status.running for status in self.statuses)

    @property
    def statuses(self) -> list[Status]:
        """What is to be drawn of all that is at work."""
        return [node.status for node in self._nodes.values()]

    def show(self) -> None:
        """Let every swap show what is on disk."""
        for tree in swaps():
            self.node(tree).controller.show()

    def leave(self) -> None:
        """Stop everything; the worker stays, for the next file."""
        for node in self._nodes.values():
            node.controller.close()
        self._nodes.clear()
        self.watched = False

    def close(self) -> None:
        """Stop everything and end the worker."""
        self.leave()
        if self._client:
            self._client.close()
        self._client = None


def swaps() -> list[NodeTree]:
    """Return the node groups of the file that are swaps."""
    return [tree for tree in bpy.data.node_groups if tree.lifemask.is_swap]


SESSION = Session()
