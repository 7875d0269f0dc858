"""Every error that Lifemask raises on purpose: one tree.

LifemaskError               a sentence that names the file or the knob, and perhaps a Remedy
|- MediaError               a picture, sequence or movie cannot be used
|  |- MissingFramesError    frames are not there (the range is named)
|  |- BrokenFileError       truncated, altered, or not what its name says
|  |- SizeError             frames of one sequence differ in size
|  |- LayerError            which layer is the picture is not known, or it is not there
|  `- WriteError            nothing was left behind
|     `- VersionExistsError the version is there; nothing is overwritten unless asked for
|- ColorError               a colour space is unknown, or none was named
|- KnobError                a knob has a value that its declaration does not allow
|- ShotError                shot.toml, or what the shot's folder should hold
|  `- NoShotError           there is no shot in the folder
|- FaceError                a plate or a take without enough usable faces
|- ReleaseError             no consent: missing, expired, or for another project
|- SystemRefusalError       no permission, no room, no memory: what no other error says
`- StoppedError             the user stopped the work
"""

from lifemask.ocio.media_errors import (
    BrokenFileError,
    ColorError,
    LayerError,
    LifemaskError,
    MediaError,
    MissingFramesError,
    Remedy,
    SizeError,
    SystemRefusalError,
    VersionExistsError,
    WriteError,
)

__all__ = [
    "BrokenFileError",
    "ColorError",
    "FaceError",
    "KnobError",
    "LayerError",
    "LifemaskError",
    "MediaError",
    "MissingFramesError",
    "NoShotError",
    "ReleaseError",
    "Remedy",
    "ShotError",
    "SizeError",
    "StoppedError",
    "SystemRefusalError",
    "VersionExistsError",
    "WriteError",
]


class KnobError(LifemaskError, ValueError):
    """A knob was given a value that its declaration does not allow."""


class ShotError(LifemaskError):
    """The shot's folder does not hold what is asked for."""


class FaceError(LifemaskError):
    """A plate or a take has no face, or too few that can be used."""


class NoShotError(ShotError):
    """There is no shot in the folder."""


class ReleaseError(LifemaskError):
    """There is no valid consent for the likeness."""


class StoppedError(LifemaskError):
    """The user stopped the work."""
