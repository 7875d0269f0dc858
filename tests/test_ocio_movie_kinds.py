"""Movies as cameras, phones and editors write them."""

import numpy as np
import pytest
from film import film

from lifemask.ocio.read import Reader
from lifemask.ocio.sequence import MOVIES, Sequence


def levels(reader, numbers):
    return [float(reader.read(number).rgb.mean()) for number in numbers]


def steps(path):
    """Return how light each frame of a film is; fails unless each is lighter than the last."""
    sequence = Sequence.find(path)
    with Reader(sequence) as reader:
        found = levels(reader, sequence.frames)
    assert np.diff(found).min() > 0.005
    return sequence, found


@pytest.mark.parametrize(
    ("ending", "form"),
    [(end, "mpegts") for end in ("ts", "m2t", "mts", "M2TS")]
    + [("mpg", None), ("mpeg", None), ("vob", None), ("3gp", None), ("qt", "mov")],
)
def test_the_endings_of_cameras_are_those_of_movies(tmp_path, ending, form):
    codec = "mpeg2video" if form is None and ending != "3gp" else "libx264"
    path = film(tmp_path / f"a.{ending}", codec, "yuv420p", 9, form=form)
    assert f".{ending.lower()}" in MOVIES
    sequence, _ = steps(path)
    assert len(sequence.frames) == 9
    assert sequence.fps == 24
