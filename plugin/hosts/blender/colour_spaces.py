"""Colour spaces by Blender's names and by those of the configuration that Lifemask has built in.

Where $OCIO names a configuration for both, so do the names agree, and none is changed.
"""

from __future__ import annotations

from functools import lru_cache

import bpy

_OTHERWISE = {
    "Linear Rec.709 (sRGB)": "Linear Rec.709",
    "Linear P3-D65": "Linear DCI-P3 D65",
    "Linear AdobeRGB": "Linear Adobe RGB",
}
"""What Blender's own configuration calls otherwise."""


class ColourError(ValueError):
    """Blender cannot say what a file holds."""


def blenders(space: str) -> str:
    """Return Blender's name for a space; raises ColourError when it has none."""
    known = _known()
    for name in (space, _OTHERWISE.get(space, "")):
        if name in known:
            return name
    raise ColourError(
        f"{space}: Blender's colour configuration has no such space; start Blender and the worker "
        "with the same $OCIO"
    )


def lifemasks(space: str) -> str:
    """Return Lifemask's name for a space of Blender."""
    return next((ours for ours, theirs in _OTHERWISE.items() if theirs == space), space)


def scene_linear() -> str:
    """Return Blender's name of the space in which the compositor works."""
    spaces = getattr(bpy.data, "colorspace", None)
    return str(spaces.working_space) if spaces else _of_configuration()


@lru_cache(maxsize=1)
def _of_configuration() -> str:
    """Blender 4.5's working space: fixed by its configuration, and shown by a new image only."""
    image = bpy.data.images.new("Lifemask", 1, 1, float_buffer=True)
    try:
        return str(image.colorspace_settings.name)
    finally:
        bpy.data.images.remove(image)


def _known() -> set[str]:
    settings = bpy.types.ColorManagedInputColorspaceSettings.bl_rna.properties["name"]
    return {item.identifier for item in settings.enum_items}
