"""Which colour space footage says it is in, and how ours says it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.ocio.colour import names_of
from lifemask.ocio.configuration import find
from lifemask.ocio.encodings import H273
from lifemask.ocio.movie import tags
from lifemask.ocio.picture import opened

if TYPE_CHECKING:
    from lifemask.ocio.sequence import Sequence

_CORNERS = 8  # x and y of red, green, blue and white
_LABELS = "colorInteropID", "chromaticities"


def named_space(sequence: "Sequence") -> str | None:
    """Return the colour space that the first frame's header or the movie's tags name, or None.

    A header names it as ``colorInteropID`` (ASWF colour interop forum) or as ``chromaticities``
    (an EXR with these is scene-linear), one of ours as ``lifemask/colorspace``, too; a name that
    the configuration lacks counts as none.
    """
    file = sequence.file(sequence.frames[0])
    name = H273.get(tags(file)) if sequence.is_movie else _of_picture(file, sequence.layer)
    found = find(name) if name else None
    return found.name if found else None


def labelled(header: Mapping[str, Any], space: str) -> dict[str, Any]:
    """Return an EXR's ``header`` with the names of the scene-linear ``space``, and no other's.

    A space of which no standard name is known has none.
    """
    import OpenEXR

    others = {name: value for name, value in header.items() if name not in _LABELS}
    for name in names_of(space):
        primaries = OpenEXR.colorInteropIDToChromaticities(name)
        if primaries:
            return others | dict(zip(_LABELS, (name, primaries), strict=True))
    return others


def _of_picture(file: Path, layer: str) -> str | None:
    import OpenEXR

    with opened(file, layer) as (picture, _):
        spec = picture.spec()
        primaries = spec.getattribute("chromaticities")
        named, ours, assumed = map(
            spec.get_string_attribute, ("colorInteropID", "lifemask/colorspace", "oiio:ColorSpace")
        )
    if isinstance(primaries, tuple) and len(primaries) == _CORNERS:
        named = named or OpenEXR.chromaticitiesToColorInteropID(primaries) or ours
        return str(named) if named else None
    return str(named or ours or assumed)
