"""The interpretation of footage: the layer to read, and its colour space."""

import os

from lifemask.nodes.errors import ColorError, Remedy
from lifemask.nodes.progress import note
from lifemask.ocio.media.sequence import Sequence

LAYER = "The layer or part of an EXR that is the picture, if its name does not show that."


def note_layer(task: str, sequence: Sequence) -> None:
    """Note which layer is read, if a file has more than a plain picture; errors as in `read`."""
    from lifemask.ocio.media.reader import layer_read

    said, remedy = layer_read(sequence)
    if said:
        note(task, said, remedy)


def space_of(sequence: Sequence, named: str) -> str:
    """Return the colour space that is ``named``, else what the file's header names.

    Raises ColorError when it is unknown, cannot be converted, or when nobody names one.
    """
    from lifemask.ocio.colour.tags import tagged_space
    from lifemask.ocio.colour.transform import check_space, is_identified

    space = named or tagged_space(sequence)
    if not space:
        raise ColorError(
            f"{sequence.path}: no colour space in the header", Remedy("name_colorspace")
        )
    if not is_identified(space):
        note(
            "colour",
            f"OCIO: {os.environ['OCIO']} has neither a role nor a name that identifies its linear "
            "space; taken for Rec.709. Identify it with the role aces_interchange",
        )
    return check_space(space)
