"""Pictures of a swap for review: before, after, matte and raw, and the contact sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

GREY = 0.16
INK = (0.86, 0.86, 0.86)
OCCLUDER = (0.85, 0.22, 0.16)
TILE, HEAD, MARGIN, GAP = 300, 44, 112, 6


@dataclass(frozen=True)
class Look:
    """One frame of a swap: ``before``, ``after`` and ``raw`` (H, W, 3) for a display, 0..1.

    ``matte``, ``occlusion`` and ``confidence`` (H, W) are the swap's own; ``header`` is its file's
    ``lifemask/`` metadata as text.
    """

    number: int
    before: "Picture"
    after: "Picture"
    raw: "Picture"
    matte: "Picture"
    occlusion: "Picture"
    confidence: "Picture"
    header: Mapping[str, str]

    @property
    def mattes(self) -> "Picture":
        """The face matte in white, occluders in red."""
        import numpy as np

        front = np.clip(self.occlusion, 0, 1)[..., None]
        white = np.clip(self.matte, 0, 1)[..., None]
        red = np.array(OCCLUDER, np.float32)
        return np.asarray(white * (1 - front) + front * red, np.float32)


def box(matte: "Picture", side: int) -> tuple[int, int]:
    """Return the left and top of a square of ``side`` pixels about the matte's middle."""
    import numpy as np

    rows, columns = np.nonzero(matte > 0.05)
    height, width = matte.shape
    seen = (columns.mean() + 0.5, rows.mean() + 0.5) if len(rows) else (width / 2, height / 2)
    left, top = (round(float(place) - side / 2) for place in seen)
    return max(0, min(left, width - side)), max(0, min(top, height - side))


def face_side(mattes: Sequence["Picture"]) -> int:
    """Return the side of a square that holds the face of each matte with room around it."""
    import numpy as np

    places = (np.nonzero(matte > 0.05) for matte in mattes)
    extents = [int(np.ptp(place, axis=1).max()) for place in places if len(place[0])]
    height, width = mattes[0].shape
    side: int = min(height, width, round(1.5 * max(extents, default=max(height, width))))
    return side


def contact_sheet(looks: Sequence[Look], title: str) -> "Picture":
    """Return a sheet with a column for each frame: before, after, matte, raw, about the face."""
    import numpy as np

    side = face_side([look.matte for look in looks])
    names = ("before", "after", "matte", "raw")
    height, width = HEAD * 2 + len(names) * (TILE + GAP), MARGIN + len(looks) * (TILE + GAP)
    sheet = np.full((height, width, 3), GREY, np.float32)
    for column, look in enumerate(looks):
        left, top = box(look.matte, side)
        x = MARGIN + column * (TILE + GAP)
        for row, picture in enumerate((look.before, look.after, look.mattes, look.raw)):
            y = HEAD * 2 + row * (TILE + GAP)
            sheet[y : y + TILE, x : x + TILE] = tile(picture[top : top + side, left : left + side])
    labels = [(title, 16, 32, 24)]
    labels += [
        (str(look.number), MARGIN + 2 + i * (TILE + GAP), HEAD * 2 - 12, 22)
        for i, look in enumerate(looks)
    ]
    labels += [(name, 16, HEAD * 2 + 26 + i * (TILE + GAP), 22) for i, name in enumerate(names)]
    return written(sheet, labels)


def tile(picture: "Picture") -> "Picture":
    """Return a square picture at the size of the sheet's tiles."""
    import cv2
    import numpy as np

    shrinks = picture.shape[0] > TILE
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.clip(cv2.resize(np.ascontiguousarray(picture), (TILE, TILE), interpolation=way), 0, 1)


def side_by_side(look: Look, width: int = 1920) -> "Picture":
    """Return before and after side by side, under a labelled strip; width and height are even."""
    import cv2
    import numpy as np

    high, wide = look.before.shape[:2]
    scale = min(1.0, width / (2 * wide))
    size = (round(wide * scale / 2) * 2, round(high * scale / 2) * 2)
    halves = [
        cv2.resize(half, size, interpolation=cv2.INTER_AREA) for half in (look.before, look.after)
    ]
    strip = np.full((HEAD, 2 * size[0], 3), GREY, np.float32)
    halves[0][:, -1] = halves[1][:, 0] = GREY
    pair = np.concatenate([strip, np.concatenate(halves, axis=1).clip(0, 1)])
    labels = [("before", 12, 29, 20), ("after", size[0] + 12, 29, 20)]
    return written(pair, [*labels, (str(look.number), size[0] - 62, 29, 20)])


def written(picture: "Picture", labels: Sequence[tuple[str, int, int, int]]) -> "Picture":
    """Return ``picture`` with each text at x, y (its baseline) and size."""
    import numpy as np
    import OpenImageIO

    paint = OpenImageIO.ImageBufAlgo.render_text
    canvas = OpenImageIO.ImageBuf(picture)
    for text, x, y, size in labels:
        paint(canvas, x, y, text, size, "DroidSans", INK)
    return np.asarray(canvas.get_pixels(OpenImageIO.FLOAT))


def bytes_of(picture: "Picture", kind: str = ".jpg") -> bytes:
    """Return a display picture as the bytes of a PNG or JPEG file."""
    import cv2
    import numpy as np

    eight = np.rint(np.clip(picture[..., ::-1], 0, 1) * 255).astype(np.uint8)
    best = [cv2.IMWRITE_JPEG_QUALITY, 92] if kind == ".jpg" else []
    _, data = cv2.imencode(kind, eight, best)
    return bytes(data)


def save(path: Path, picture: "Picture") -> None:
    """Write a display picture as PNG, whole or not at all."""
    from lifemask.ocio.system.atomic import replacing

    with replacing(path) as temporary:
        temporary.write_bytes(bytes_of(picture, ".png"))


def plain(header: Mapping[str, Any]) -> dict[str, str]:
    """Return a header's ``lifemask/`` metadata as text, without the prefix."""
    words = {key: value for key, value in header.items() if key.startswith("lifemask/")}
    return {key.removeprefix("lifemask/"): str(value) for key, value in sorted(words.items())}
