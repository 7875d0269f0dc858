"""Colour chunks of a PNG that OpenImageIO does not expose."""

import struct
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UNIT = 100_000


def chromaticities_of(path: Path) -> tuple[tuple[float, ...], float | None] | None:
    """Return x and y of red, green, blue and white, and the exponent if there is one.

    None for other files, and for a PNG without them. Reference: PNG, chunks ``cHRM`` and ``gAMA``.
    """
    chunks = _chunks(path)
    if len(chunks.get(b"cHRM", b"")) != struct.calcsize(">8I") or b"sRGB" in chunks:
        return None
    white_x, white_y, *colours = (v / _UNIT for v in struct.unpack(">8I", chunks[b"cHRM"]))
    code = int.from_bytes(chunks.get(b"gAMA", b""))
    return (*colours, white_x, white_y), _UNIT / code if code else None


def _chunks(path: Path) -> dict[bytes, bytes]:
    """Return the short chunks before the pixels, by name."""
    found: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        signed = file.read(len(_SIGNATURE)) == _SIGNATURE
        while signed and len(head := file.read(8)) == 8:
            size, name = struct.unpack(">I4s", head)
            if name == b"IDAT":
                break
            found[name] = file.read(min(size, 64))
            file.seek(size - len(found[name]) + 4, 1)
    return found
