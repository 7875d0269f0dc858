"""A studio's own `$OCIO`, with other names than the built-in configuration or without its roles."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PyOpenColorIO
import pytest
from conftest import FOOTAGE

from lifemask.ocio.colour import transform
from lifemask.ocio.colour.encodings import REC709, to_xyz
from lifemask.ocio.colour.tags import tagged, tagged_space
from lifemask.ocio.media import exr
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.media_errors import ColorError
from lifemask.plugin.commands.cli import main

PLATE = FOOTAGE / "a1_dialogue/performer_b/beauty/beauty.####.exr"
LIGHT = np.array([[0.5, 0.2, 0.1], [0.1, 0.9, 0.05], [0.18, 0.18, 0.18]], np.float32)
LOG = PyOpenColorIO.LogTransform(10, PyOpenColorIO.TRANSFORM_DIR_INVERSE)
POWER = PyOpenColorIO.ExponentTransform([2.2, 2.2, 2.2, 1])
SRGB_JPEG = "sRGB Encoded Rec.709 (sRGB)"

Spaces = dict[str, PyOpenColorIO.Transform | None]


def matrix(source: str, target: str = "ACES2065-1") -> PyOpenColorIO.MatrixTransform:
    """Return the matrix between two linear spaces of the built-in configuration."""
    return as_transform(transform.convert(np.eye(3), source, target).T)


def as_transform(matrix: np.ndarray) -> PyOpenColorIO.MatrixTransform:
    whole = np.eye(4)
    whole[:3, :3] = matrix
    return PyOpenColorIO.MatrixTransform(whole.ravel().tolist())


def aces() -> Spaces:
    return {
        "ACES - ACES2065-1": None,
        "ACES - ACEScg": matrix("ACEScg"),
        "Utility - Linear - sRGB": matrix("lin_rec709"),
        "Utility - sRGB - Texture": PyOpenColorIO.GroupTransform([POWER, matrix("lin_rec709")]),
        "Input - ARRI - Log": PyOpenColorIO.GroupTransform([LOG, matrix("ACEScg")]),
    }


def config(file: Path, spaces: Spaces, **roles: str) -> str:
    """Write a configuration of version 1, the first space being its reference."""
    made = PyOpenColorIO.Config()
    made.setVersion(1, 0)
    for name, to_reference in spaces.items():
        made.addColorSpace(PyOpenColorIO.ColorSpace(name=name, toReference=to_reference))
    for role, name in roles.items():
        made.setRole(role, name)
    made.addDisplayView("screen", "raw", next(iter(spaces)), "")
    file.write_text(made.serialize())
    return str(file)


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that makes a configuration the one in `$OCIO`."""

    def use(spaces: Spaces, **roles: str) -> str:
        number = len(list(tmp_path.glob("*.ocio")))
        source = config(tmp_path / f"studio{number}.ocio", spaces, **roles)
        monkeypatch.setenv("OCIO", source)
        return source

    return use


def nuke() -> Spaces:
    return {"linear": None, "sRGB": POWER, "log": LOG}


def aces_by_role() -> Spaces:
    return {"show": None, "wide": matrix("ACEScg")}


def xyz_by_role() -> Spaces:
    return {"xyz": None, "light": as_transform(to_xyz(REC709))}


def by_one_name() -> Spaces:
    return {"ACEScg": None, "raw": None, "small": matrix("lin_rec709", "ACEScg")}


@pytest.mark.parametrize(
    ("spaces", "roles", "own", "same"),
    [
        (aces, {"scene_linear": "ACES - ACEScg"}, "ACES - ACEScg", "ACEScg"),
        (aces, {}, "Utility - Linear - sRGB", "lin_rec709"),
        (aces, {}, "Utility - sRGB - Texture", "Gamma 2.2 Encoded Rec.709"),
        (nuke, {"scene_linear": "linear"}, "linear", "lin_rec709"),
        (nuke, {"scene_linear": "linear"}, "sRGB", "Gamma 2.2 Encoded Rec.709"),
        (aces_by_role, {"aces_interchange": "show"}, "wide", "ACEScg"),
        (aces_by_role, {"aces_interchange": "show"}, "show", "ACES2065-1"),
        (xyz_by_role, {"cie_xyz_d65_interchange": "xyz"}, "light", "lin_rec709"),
        (by_one_name, {}, "small", "lin_rec709"),
    ],
)
def test_its_spaces_are_what_they_are_in_the_built_in_one(
    studio: Callable[..., str], spaces, roles, own: str, same: str
) -> None:
    expected = {name: transform.convert(LIGHT, same, name) for name in ("ACEScg", "ACEScct")}
    studio(spaces(), **roles)
    assert transform.check_space(own) == own
    for name, right in expected.items():
        np.testing.assert_allclose(transform.convert(LIGHT, own, name), right, rtol=1e-4, atol=2e-5)
        np.testing.assert_allclose(transform.convert(right, name, own), LIGHT, rtol=1e-4, atol=2e-5)


def test_names_are_its_own_first_then_the_built_in_ones(studio: Callable[..., str]) -> None:
    studio(aces(), scene_linear="ACES - ACEScg")
    assert transform.check_space("scene_linear") == "ACES - ACEScg"
    assert transform.check_space("srgb_texture") == SRGB_JPEG
    with pytest.raises(ColorError, match=r"'ACESgc' is not .* ACES - ACEScg"):
        transform.check_space("ACESgc")
    studio({"ACEScg": None, "lin_rec709": POWER})
    assert not transform.is_scene_linear("lin_rec709")


@pytest.mark.parametrize("role", ["scene_linear", "compositing_log", "color_picking"])
def test_a_role_is_never_another_configuration_s(studio: Callable[..., str], role: str) -> None:
    assert transform.check_space(role)
    studio({"linear": None}, default="linear")
    with pytest.raises(ColorError, match=f"'{role}' is not a colour space"):
        transform.check_space(role)


def test_a_space_that_is_called_as_a_role_is_not_taken_for_it(studio: Callable[..., str]) -> None:
    expected = transform.convert(LIGHT, "lin_rec709", "ACEScg")
    studio({"scene_linear": None, "sRGB": POWER}, default="sRGB")
    assert not transform.is_identified("scene_linear")
    np.testing.assert_allclose(
        transform.convert(LIGHT, "scene_linear", "ACEScg"), expected, rtol=1e-4
    )


def test_a_result_is_in_a_space_that_it_can_name(studio: Callable[..., str]) -> None:
    studio(aces(), scene_linear="ACES - ACEScg")
    assert transform.result_space("Utility - Linear - sRGB") == "Utility - Linear - sRGB"
    assert transform.result_space("Input - ARRI - Log") == "ACES - ACEScg"
    assert tagged({}, "ACES - ACEScg")["colorInteropID"] == "lin_ap1_scene"
    assert tagged({}, "Utility - Linear - sRGB")["colorInteropID"] == "lin_rec709_scene"


def test_a_result_is_not_labelled_by_what_is_only_assumed(studio: Callable[..., str]) -> None:
    studio(nuke(), scene_linear="linear")
    assert transform.result_space("log") == "ACEScg"
    assert tagged({"colorInteropID": "lin_ap1_scene"}, "linear") == {}


def test_a_picture_for_video_is_shown_as_it_is(studio: Callable[..., str]) -> None:
    studio(nuke(), scene_linear="linear")
    white, grey = np.ones((1, 3), np.float32), np.full((1, 3), 0.18, np.float32)
    np.testing.assert_allclose(transform.display(white, "sRGB"), white, atol=1e-4)
    assert transform.display(white, "linear").max() < 0.95
    assert transform.display(white, "log").max() == pytest.approx(1)
    assert np.ptp(transform.display(grey, "log")) < 1e-4


def test_a_photograph_and_a_header_find_their_space(
    studio: Callable[..., str], tmp_path: Path
) -> None:
    studio(nuke(), scene_linear="linear")
    header = {"colorInteropID": "lin_ap1_scene"}
    exr.write(tmp_path / "a.exr", dict.fromkeys("RGB", np.zeros((4, 4), np.float16)), header)
    assert tagged_space(Sequence.find(tmp_path / "a.exr")) == "ACEScg"


def make(folder: Path, space: str) -> int:
    words = ["--plate", str(PLATE), "--colorspace", space, "--fps", "24", "--frames", "1015-1016"]
    return main(["shot", "new", str(folder), *words])


def test_what_cannot_be_converted_is_told_before_there_is_a_shot(
    studio: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = studio({"thing": None, "log": LOG})
    assert make(tmp_path / "sh010", "thing") == 1
    told = capsys.readouterr().err
    assert source in told and "scene_linear" in told and "thing" in told
    assert not (tmp_path / "sh010").exists()


@pytest.mark.parametrize("space", ["Raw", "data"])
def test_a_space_of_data_says_nothing_of_colours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], space: str
) -> None:
    assert make(tmp_path / "sh010", space) == 1
    assert "Raw is for data" in capsys.readouterr().err
    assert not (tmp_path / "sh010").exists()


def test_a_table_that_is_missing_is_told(
    studio: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studio(
        {"linear": None, "sRGB": PyOpenColorIO.FileTransform("none.spi1d")}, scene_linear="linear"
    )
    assert make(tmp_path / "sh010", "sRGB") == 1
    assert "none.spi1d" in capsys.readouterr().err
    assert make(tmp_path / "sh020", "linear") == 0


def test_a_header_is_not_blamed_for_a_configuration_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OCIO", "/none.ocio")
    with pytest.raises(ColorError, match=r"OCIO: /none\.ocio"):
        tagged_space(Sequence.find(PLATE))


def test_an_assumption_is_told(
    studio: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studio(nuke(), scene_linear="linear")
    assert make(tmp_path / "sh010", "linear") == 0
    assert "taken for Rec.709" in " ".join(capsys.readouterr().err.split())
    studio(aces(), scene_linear="ACES - ACEScg")
    assert make(tmp_path / "sh020", "ACES - ACEScg") == 0
    assert "taken for" not in capsys.readouterr().err


def test_a_shot_is_swapped_and_looked_at_with_other_names(
    studio: Callable[..., str], shot: Path
) -> None:
    swap = ["swap", str(shot), "--likeness", "ada", "--frames", "1001", "--no-model"]
    assert main(swap) == 0
    toml = shot / "shot.toml"
    toml.write_text(toml.read_text().replace("Linear Rec.709 (sRGB)", "Utility - Linear - sRGB"))
    studio(aces(), scene_linear="ACES - ACEScg")
    assert main(["track", str(shot), "--samples", "2", "--smooth", "1"]) == 0
    assert main(swap) == 0
    assert main(["look", str(shot)]) == 0
    usual, other = (
        exr.read_channels(next((shot / f"swaps/ada_v00{version}").glob("*.exr")))
        for version in (1, 2)
    )
    for name, pixels in usual[0].items():
        np.testing.assert_allclose(other[0][name], pixels, atol=2e-3, err_msg=name)
    outside = usual[0]["facematte.V"] == 0
    np.testing.assert_array_equal(other[0]["R"][outside], usual[0]["R"][outside])
    assert other[1]["colorInteropID"] == usual[1]["colorInteropID"]
    assert other[1]["lifemask/colorspace"] == "Utility - Linear - sRGB"
