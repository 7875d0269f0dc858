"""The root of every error that Lifemask raises on purpose, and those about files and colour.

The whole tree is drawn in `lifemask.nodes.errors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Remedy:
    """What gets a user past a problem, for each front end to word: a flag, or a button's name.

    ``fields`` are the names that its words need, such as the shot's folder.
    """

    id: str
    fields: Mapping[str, str] = field(default_factory=dict)


class LifemaskError(Exception):
    """A problem that a user can solve.

    The message is a sentence that names the file or the knob, what is wrong and what is allowed.
    ``remedy`` is set where the way out differs between a terminal and a host.
    """

    def __init__(self, problem: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(problem)
        self.remedy = remedy


class MediaError(LifemaskError):
    """A picture, sequence or movie cannot be used."""


class MissingFramesError(MediaError):
    """Frames of a sequence are not there."""


class BrokenFileError(MediaError):
    """A file is there, but cannot be read as what its name says."""


class SizeError(MediaError):
    """Frames of one sequence differ in size."""


class LayerError(MediaError):
    """The layer that is asked for is not there, or the names do not tell which is the picture."""


class WriteError(MediaError):
    """A result could not be written; nothing was left behind."""


class VersionExistsError(WriteError):
    """A result of this version is already there, and overwriting was not asked for."""


class ColorError(LifemaskError):
    """A colour space is unknown, or none was named."""


class SystemRefusalError(LifemaskError):
    """The system refuses a file, a name or memory, and no other error says so."""
