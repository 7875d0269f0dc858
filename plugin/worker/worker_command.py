"""`lifemask worker`: every other command as requests, for hosts; see `protocol`."""

from typing import NoReturn

from lifemask.nodes.command import Command
from lifemask.plugin.commands.catalog import commands
from lifemask.plugin.worker.server import serve


class Worker(Command):
    """Do what a host asks for, as JSON-RPC on standard input and output."""

    name = "worker"
    example = "lifemask worker"

    def run(self) -> NoReturn:
        """Serve until the input ends."""
        serve(commands())
