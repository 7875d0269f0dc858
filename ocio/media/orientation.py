"""Pictures that lie on their side, as the camera was held: photographs and movies of phones."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from av import VideoFrame
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Turn:
    """How stored pixels become the picture: lying ones swap rows and columns, before any flip."""

    lies: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @classmethod
    def by_orientation(cls, orientation: int) -> "Turn":
        """Return that of an Exif orientation, 1 to 8."""
        bits = orientation - 1
        return cls(bool(bits & 4), bits & 3 in (2, 3), bits & 3 in (1, 2))

    def upright(self, pixels: "Pixels") -> "Pixels":
        """Return the picture, (H, W) or (H, W, channels), without a copy."""
        if self.lies:
            pixels = pixels.swapaxes(0, 1)
        return pixels[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]


def turn_of(picture: "VideoFrame") -> Turn:
    """Return the turn by a movie's display matrix, to the nearest right angle."""
    import numpy as np

    matrix: Any = picture.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Turn()
    # A pixel at column x and row y is shown at column a x + c y and row b x + d y.
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32).astype(float)
    if abs(b) > abs(a):
        return Turn(True, bool(b < 0), bool(c < 0))
    return Turn(False, bool(d < 0), bool(a < 0))
