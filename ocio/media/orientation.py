"""Orientation of a photograph by its Exif, or of a movie by its display matrix."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from av import VideoFrame
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Orientation:
    """The steps from stored pixels to the upright picture: transpose first, then flip."""

    transposed: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @classmethod
    def of_exif(cls, tag: int) -> "Orientation":
        """Return the orientation of an Exif tag, 1 to 8."""
        bits = tag - 1
        return cls(bool(bits & 4), bits & 3 in (2, 3), bits & 3 in (1, 2))

    def upright(self, pixels: "Pixels") -> "Pixels":
        """Return the upright picture, (H, W) or (H, W, channels), without a copy."""
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        return pixels[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]


def orientation_of(picture: "VideoFrame") -> Orientation:
    """Return the orientation in a movie's display matrix, to the nearest right angle."""
    import numpy as np

    matrix: Any = picture.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    # A pixel at column x and row y is shown at column a x + c y and row b x + d y.
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32).astype(float)
    if abs(b) > abs(a):
        return Orientation(True, bool(b < 0), bool(c < 0))
    return Orientation(False, bool(d < 0), bool(a < 0))
