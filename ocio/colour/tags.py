"""Colour space tags: read those of footage, and write those of a result."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifemask.ocio.colour.configuration import find
from lifemask.ocio.colour.encodings import H273
from lifemask.ocio.colour.icc_profile import ProfileError, space_of_icc, space_of_primaries
from lifemask.ocio.colour.transform import names_of
from lifemask.ocio.media.movie import tags
from lifemask.ocio.media.png import chromaticities_of
from lifemask.ocio.media.still import opened
from lifemask.ocio.media_errors import BrokenFileError, ColorError, Remedy

if TYPE_CHECKING:
    from OpenImageIO import ImageSpec

    from lifemask.ocio.media.sequence import Sequence

_CORNERS = 8  # x and y of red, green, blue and white
_LABELS = "colorInteropID", "chromaticities"
_CAMERAS = frozenset({"openexr", "dpx", "cineon"})  # formats without ICC profiles
_EXIF = {1: H273[1, 13], 2: "Gamma 2.2 Encoded AdobeRGB"}
_UNCALIBRATED = 0xFFFF
# The entry of Exif's table of interoperability that means Adobe RGB, in either order of bytes.
_R03 = b"\x01\0\x02\0\x04\0\0\0R03\0", b"\0\x01\0\x02\0\0\0\x04R03\0"
_EXIF_BYTES = 1 << 17


def tagged_space(sequence: "Sequence") -> str | None:
    """Return the colour space that the first frame's header or the movie's tags name, or None.

    A header names it as ``colorInteropID`` (ASWF Color Interop Forum), as ``chromaticities`` (an
    EXR with these is scene-linear), or, in a Lifemask result, as ``lifemask/colorspace``. A
    photograph names it by ICC profile, ``cICP``, ``cHRM`` or Exif. A name of data, or one that no
    configuration has, counts as none. Raises ColorError when a photograph's space has no name, or
    differs from the first photograph's.
    """
    if sequence.is_movie:
        return _known(H273.get(tags(Path(sequence.path))))
    first, *rest = map(sequence.file, sequence.frames)
    name = _of_picture(first, sequence.layer)
    for file in rest if name and _is_photograph(first, sequence.layer) else ():
        with suppress(BrokenFileError):
            if _of_picture(file, sequence.layer) != name:
                raise ColorError(
                    f"{file}: is in another colour space than {first.name}, which is in {name}; "
                    "convert it, or keep them in folders apart"
                )
    return _known(name)


def _known(name: str | None) -> str | None:
    found = find(name) if name else None
    return found.name if found and not found.declared.isData() else None


def tagged(header: Mapping[str, Any], space: str) -> dict[str, Any]:
    """Return an EXR's ``header`` with the tags of the scene-linear ``space`` instead of its own.

    A space without a standard name gets no tags.
    """
    import OpenEXR

    others = {name: value for name, value in header.items() if name not in _LABELS}
    for name in names_of(space):
        primaries = OpenEXR.colorInteropIDToChromaticities(name)
        if primaries:
            return others | dict(zip(_LABELS, (name, primaries), strict=True))
    return others


def _is_photograph(file: Path, layer: str) -> bool:
    with opened(file, layer) as (picture, _):
        return picture.format_name() not in _CAMERAS


def _of_picture(file: Path, layer: str) -> str | None:
    import OpenEXR

    with opened(file, layer) as (picture, _):
        spec, kind = picture.spec(), picture.format_name()
    primaries = spec.getattribute("chromaticities")
    named, ours, assumed = map(
        spec.get_string_attribute, ("colorInteropID", "lifemask/colorspace", "oiio:ColorSpace")
    )
    if isinstance(primaries, tuple) and len(primaries) == _CORNERS:
        named = named or OpenEXR.chromaticitiesToColorInteropID(primaries) or ours
        return str(named) if named else None
    if kind in _CAMERAS:
        return str(named or ours or assumed)
    return str(named or ours or _of_photograph(file, spec) or assumed)


def _of_photograph(file: Path, spec: "ImageSpec") -> str | None:
    """Return the colour space that a photograph is tagged with, or None; raises ColorError."""
    try:
        return _by_codes(spec) or _by_profile(spec) or _by_exif(file, spec) or _by_chunks(file)
    except ProfileError as error:
        raise ColorError(f"{file}: {error}", Remedy("convert_or_name_colorspace")) from error


def _by_codes(spec: "ImageSpec") -> str | None:
    codes = spec.getattribute("CICP")
    if codes and codes[:2] not in H273:
        raise ProfileError(f"its cICP {codes} is that of no known colour space")
    return H273[codes[:2]] if codes else None


def _by_profile(spec: "ImageSpec") -> str | None:
    profile = spec.getattribute("ICCProfile")
    if profile is not None:
        description = spec.get_string_attribute("ICCProfile:profile_description")
        return space_of_icc(bytes(profile), description)
    if "CMYK" in (spec.get_string_attribute(f"{kind}:ColorSpace") for kind in ("jpeg", "tiff")):
        raise ProfileError("its colours are CMYK, without a profile")
    return None


def _by_exif(file: Path, spec: "ImageSpec") -> str | None:
    tag = spec.get_int_attribute("Exif:ColorSpace")
    if tag != _UNCALIBRATED:
        return _EXIF.get(tag)
    with file.open("rb") as data:
        head = data.read(_EXIF_BYTES)
    if not any(entry in head for entry in _R03):
        raise ProfileError("its Exif says that it is not sRGB, but not what it is")
    return _EXIF[2]


def _by_chunks(file: Path) -> str | None:
    primaries = chromaticities_of(file)
    if not primaries:
        return None
    space = space_of_primaries(*primaries)
    if not space:
        raise ProfileError("its cHRM is that of no known colour space")
    return space
