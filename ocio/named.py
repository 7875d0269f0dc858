"""Which colour space footage says it is in."""

from pathlib import Path
from typing import TYPE_CHECKING

from lifemask.ocio.colour import check_space
from lifemask.ocio.errors import ColorError
from lifemask.ocio.movie import tags
from lifemask.ocio.picture import opened

if TYPE_CHECKING:
    from lifemask.ocio.sequence import Sequence

# Primaries and transfer function of a movie, by their numbers in ITU-T H.273.
_MOVIES = {
    (1, 1): "Camera Rec.709",
    (1, 13): "sRGB Encoded Rec.709 (sRGB)",
    (12, 13): "sRGB Encoded P3-D65",
    (1, 8): "Linear Rec.709 (sRGB)",
    (9, 8): "Linear Rec.2020",
    (12, 8): "Linear P3-D65",
}


def named_space(sequence: "Sequence") -> str | None:
    """Return the colour space that the first frame's header or the movie's tags name, or None.

    A header names it as ``colorInteropID`` (ASWF colour interop forum) or as ``chromaticities``
    (an EXR with these is scene-linear); a name that the configuration lacks counts as none.
    """
    file = sequence.file(sequence.frames[0])
    name = _MOVIES.get(tags(file)) if sequence.is_movie else _of_picture(file)
    try:
        return check_space(name) if name else None
    except ColorError:
        return None


def _of_picture(file: Path) -> str | None:
    import OpenEXR

    with opened(file) as picture:
        spec = picture.spec()
        named = spec.get_string_attribute("colorInteropID")
        chromaticities = spec.getattribute("chromaticities")
        assumed = spec.get_string_attribute("oiio:ColorSpace")
    if named or not (isinstance(chromaticities, tuple) and len(chromaticities) == 8):
        return str(named or assumed)
    found: str | None = OpenEXR.chromaticitiesToColorInteropID(chromaticities)
    return found
