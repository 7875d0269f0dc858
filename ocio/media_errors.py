"""The root of every error that Lifemask raises on purpose, and those about files and colour.

The whole tree is drawn in `lifemask.nodes.errors`.
"""


class LifemaskError(Exception):
    """Something a user can act on, said in one sentence that names the file or the knob."""


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
    """A result of this version is already there, and nobody said to overwrite it."""


class ColorError(LifemaskError):
    """A colour space is unknown, or none was named."""


class SystemRefusalError(LifemaskError):
    """The system refuses a file, a name or memory, and no other error says so."""
