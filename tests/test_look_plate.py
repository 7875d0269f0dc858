"""What a look shows as before is the plate that was swapped: its layer, at its size."""

import numpy as np
import pytest

from lifemask.nodes.errors import SizeError
from lifemask.nodes.shot.folder import Shot
from lifemask.ocio.media import exr
from lifemask.plugin.reports.swap_report import Swapped

SPACE = "Linear Rec.709 (sRGB)"
PICTURE = [*"RGB", *(f"raw.{name}" for name in "RGB")]
MATTES = [f"{name}.V" for name in ("facematte", "occlusion", "confidence")]


@pytest.fixture
def shot(tmp_path):
    levels = {"wall": 0.1, "person": 0.7}
    plate = {
        f"{layer}.{name}": np.full((32, 48), level, np.float16)
        for layer, level in levels.items()
        for name in "RGB"
    }
    exr.write(tmp_path / "plate.1001.exr", plate, {})
    path = str(tmp_path / "plate.####.exr")
    return Shot.new(tmp_path / "sh010", path, SPACE, 24.0, layer="person")


def swapped(shot, height, width):
    folder = shot.version("swaps", "ada", 1)
    layers = {name: np.full((height, width), 0.7, np.float16) for name in (*PICTURE, *MATTES)}
    exr.write(folder / "sh010_ada_v001.1001.exr", layers, {})
    with Swapped.open(shot, folder) as swap:
        return swap.look(1001)


def test_the_layer_that_the_shot_names_is_shown(shot):
    look = swapped(shot, 32, 48)
    assert np.allclose(look.before, look.after, atol=1e-3)


def test_a_frame_of_another_size_than_the_plate_is_named(shot):
    with pytest.raises(SizeError, match=r"1001\.exr: is 24x16, the plate 48x32"):
        swapped(shot, 16, 24)
