"""Whatever is in a file, a reader gives a frame or one sentence."""

import wave
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import OpenImageIO
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifemask.ocio.colour.tags import tagged_space
from lifemask.ocio.media import exr
from lifemask.ocio.media.movie_writer import write_movie
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media_errors import LifemaskError

PICTURE = np.random.default_rng(0).random((12, 16, 3), np.float32)


def write_exr(path: Path) -> None:
    header = {"chromaticities": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329), "owner": "us"}
    layers = dict(zip(("R", "G", "B", "mask.V"), PICTURE.T, strict=False))
    exr.write(path, {name: layer.T for name, layer in layers.items()}, header)


def write_picture(path: Path) -> None:
    output = OpenImageIO.ImageOutput.create(str(path))
    output.open(str(path), OpenImageIO.ImageSpec(16, 12, 3, "uint16"))
    output.write_image(PICTURE)
    output.close()


def write_mp4(path: Path) -> None:
    write_movie(path, [PICTURE] * 4, 24)


def write_sound(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 48000, 0, "NONE", ""))
        sound.writeframes(bytes(4000))


WRITERS = {
    "exr": write_exr,
    "png": write_picture,
    "tif": write_picture,
    "dpx": write_picture,
    "jpg": write_picture,
    "mp4": write_mp4,
    "wav": write_sound,
}
# A sound file that somebody gives as a movie.
SUFFIXES = {"wav": "mov"}


@cache
def good(kind: str) -> bytes:
    with TemporaryDirectory() as folder:
        WRITERS[kind](Path(folder, f"good.{kind}"))
        return Path(folder, f"good.{kind}").read_bytes()


@st.composite
def damage(draw: st.DrawFn, kind: str) -> bytes:
    """Return a good file with bytes changed, mostly in its header, and cut or extended."""
    raw = bytearray(good(kind))
    places = st.integers(0, len(raw) - 1) | st.integers(0, min(400, len(raw) - 1))
    values = st.sampled_from([0, 1, 127, 128, 255]) | st.integers(0, 255)
    for place, value in draw(st.lists(st.tuples(places, values), max_size=12)):
        raw[place] = value
    end = draw(st.just(len(raw)) | st.integers(0, len(raw)))
    return bytes(raw[:end]) + draw(st.binary(max_size=8))


def give(kind: str, raw: bytes) -> None:
    """Read a file of these bytes in every way; pass when each way gives a frame or our error."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"bad.{SUFFIXES.get(kind, kind)}")
        path.write_bytes(raw)
        try:
            sequence = Sequence.find(path)
        except LifemaskError as error:
            assert str(path) in str(error)
            return
        for layers in (False, True):
            try:
                frame = read(sequence, sequence.frames[-1], layers)
                tagged_space(sequence)
            except LifemaskError as error:
                assert str(path) in str(error)
            else:
                assert frame.rgb.ndim == 3
                assert frame.rgb.dtype == np.float32
                assert all(one.shape == frame.rgb.shape[:2] for one in frame.layers.values())


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files(kind: str, data: st.DataObject) -> None:
    give(kind, data.draw(damage(kind)))


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=15)
@given(raw=st.binary(max_size=300))
def test_random_bytes(kind: str, raw: bytes) -> None:
    give(kind, raw)


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "wav"])
def test_the_good_file_is_read(kind: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, f"good.{kind}")
        path.write_bytes(good(kind))
        assert read(Sequence.find(path), 1, layers=True).rgb.shape == (12, 16, 3)
