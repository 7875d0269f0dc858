"""The worker that all swaps of this Blender share, and which of them are at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ...worker.client import Client
from .preferences import own_variables, settings
from .swap_node import Work

if TYPE_CHECKING:
    from bpy.types import NodeTree

    from ..common.controller import Status


class Office:
    """One client, and the `Work` of each swap; ``watched`` tells whether somebody calls `tick`."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.watched = False
        self._client: Client | None = None
        self._works: dict[int, Work] = {}

    def work(self, tree: NodeTree) -> Work:
        """Return the work of a swap's node group; starts nothing."""
        if self._client is None:
            command, paths = settings()
            self._client = Client(command, paths, without=own_variables())
        if tree.session_uid not in self._works:
            self._works[tree.session_uid] = Work(tree, self._client)
        return self._works[tree.session_uid]

    def tick(self) -> bool:
        """Go on with everything; return whether anything is still going on."""
        alive = {tree.session_uid for tree in bpy.data.node_groups}
        for uid in set(self._works) - alive:
            self._works.pop(uid).stop()
        for work in self._works.values():
            work.tick()
        return any(status.running for status in self.statuses)

    @property
    def statuses(self) -> list[Status]:
        """What is to be drawn of all that is at work."""
        return [work.status for work in self._works.values()]

    def show(self) -> None:
        """Let every swap show what is on disk."""
        for tree in swaps():
            self.work(tree).show()

    def leave(self) -> None:
        """Stop everything; the worker stays, for the next file."""
        for work in self._works.values():
            work.stop()
        self._works.clear()
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


OFFICE = Office()
