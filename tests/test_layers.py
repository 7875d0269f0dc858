"""Which layer is taken for the picture, by the names that programs give."""

from pathlib import Path

import pytest

from lifemask.ocio.media.layers import Layer, Part, choose
from lifemask.ocio.media_errors import LayerError, Remedy

FILE = Path("plate.1001.exr")


def channels(layers: str, letters: str = "RGB") -> tuple[str, ...]:
    """Return the channels of layers; what has a point at its end is a channel itself."""
    names: list[str] = []
    for layer in layers.split():
        names += [layer[:-1]] if layer.endswith("!") else [f"{layer}.{c}" for c in letters]
    return tuple(names)


def one(layers: str, named: str = "", views: tuple[str, ...] = ()) -> Layer:
    return choose(FILE, [Part(0, channels(layers))], views, named)


def of_parts(names: str, named: str = "") -> str:
    parts = [Part(i, tuple("RGBA"), name) for i, name in enumerate(names.split())]
    return choose(FILE, parts, (), named).part.name


PICTURES = {
    "rgba": "albedo diffuse specular depth",
    "RGBA": "N P albedo RGBA_key RGBA_default crypto_object00 variance",
    "Rgb": "Normal",
    "beauty": "diffuse specular emission bg",
    "Beauty": "BeautyAux DiffuseLighting WorldPosition MotionVectors PuzzleMatte ObjectID",
    "BEAUTY": "ALBEDO",
    "ViewLayer.Combined": "ViewLayer.DiffCol ViewLayer.GlossDir ViewLayer.Noisy_Image "
    "ViewLayer.Combined_key ViewLayer.Denoising_Albedo ViewLayer.Emit ViewLayer.Env",
    "Composite.Combined": "ViewLayer.Combined ViewLayer.AO ViewLayer.CryptoObject00",
    "fg.Combined": "fg.DiffDir fg.Shadow",
    "effectsResult": "diffuseFilter rawLight totalLight lightSelect reflect GI selfIllum zDepth",
    "Ci": "Oi albedo variance Nn Pworld diffuse_mse",
    "C": "direct_diffuse combineddiffuse beautyunshadowed albedo N P C_key",
    "FinalImage": "FinalImageWorldDepth FinalImageMotionVectors",
    "rgba_main": "albedo_main",
    "rgba.main": "albedo.main depth.main",
    "main": "normals mask",
    "Image": "Albedo uv",
    "final": "st id",
    "comp": "matte",
    "master": "motion",
    "plate": "crypto00 crypto01",
    "sh010_beauty_v003": "sh010_albedo_v003 sh010_fg",
    "p010_comp": "p010_id p010_st n010_albedo p010_hero",
    "beauty_denoised": "albedo normal",
    "hero": "aov_custom aov.other roughness LG_key",
    "beauty2": "position2",
    "Final_Color_Output": "Alpha_Output Depth",
    "pass_beauty": "pass_spec pass_uv",
    "left": "right",
    "rgba_left": "rgba_right",
    "ViewLayer.Combined.left": "ViewLayer.Combined.right ViewLayer.Depth.left",
    "left.beauty": "right.beauty left.diffuse",
    "beauty_L": "beauty_R",
    "rgba.right": "albedo.left",
    "key": "albedo Z",
    "foo": "",
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_found_wherever_it_is(name: str) -> None:
    others = PICTURES[name].split()
    for place in range(len(others) + 1):
        order = [*others[:place], name, *others[place:]]
        found = one(" ".join(order))
        assert found.path == name
        assert [found.part.channels[i] for i in found.used] == [f"{name}.{c}" for c in "RGB"]
        assert of_parts(" ".join(order)) == name


@pytest.mark.parametrize(
    "names",
    [
        *("beauty final", "foo bar", "Combined_key Combined_fill", "albedo", "N P"),
        *("beauty beauty2", "fg.Combined bg.Combined", "diffuse specular", "AOV_one AOV_two"),
    ],
)
def test_where_it_cannot_be_known_the_layers_are_named(names: str) -> None:
    for choice in (one, of_parts):
        with pytest.raises(LayerError, match=r"plate.1001.exr: ") as refused:
            choice(names)
        assert str(refused.value).endswith(" is the picture: " + names.replace(" ", ", "))
        assert refused.value.remedy == Remedy("name_layer")
        for name in names.split():
            found = choice(names, name)
            assert name in (found if isinstance(found, str) else found.path)


@pytest.mark.parametrize("name", ["beauty", "Combined", "rgba", "ViewLayer.Combined"])
@pytest.mark.parametrize("others", ["chars.beauty env.beauty", "fg.rgba", "bg.Combined fg.albedo"])
def test_a_picture_of_all_goes_before_those_of_parts(name: str, others: str) -> None:
    for names in (f"{name} {others}", f"{others} {name}"):
        assert one(names).path == of_parts(names) == name


@pytest.mark.parametrize("others", ["beauty", "rgba Combined", "albedo"])
@pytest.mark.parametrize("plain", ["B! G! R! A!", "r! g! b! a!", "red! green! blue! alpha!"])
def test_the_channels_without_a_name_are_the_picture(plain: str, others: str) -> None:
    for names in (f"{plain} {others}", f"{others} {plain}"):
        found = one(names)
        assert found.is_plain
        assert [found.part.channels[i][0].lower() for i in found.used] == list("rgba")
        assert one(names, "RGBA").is_plain


def test_a_layer_is_named_exactly_or_else_in_any_case() -> None:
    assert one("R! G! B! rgba", "rgba").path == "rgba"
    assert one("Beauty beauty", "beauty").path == "beauty"
    assert one("Beauty albedo", "bEAUTY").path == "Beauty"
    parts = [Part(0, channels("C"), "left"), Part(1, channels("C albedo"), "right")]
    named = {"C": "left.C", "right": "right.C", "right.albedo": "right.albedo", "LEFT": "left.C"}
    assert {name: choose(FILE, parts, (), name).path for name in named} == named
    with pytest.raises(
        LayerError, match=r"no layer 'beuty' with R G B or Y; there: left.C, right.C, right.albedo"
    ):
        choose(FILE, parts, (), "beuty")


@pytest.mark.parametrize("views", [("right", "left"), ("left", "right"), ("b", "a"), ("a", "b")])
def test_of_stereo_the_file_s_own_default_is_read(views: tuple[str, ...]) -> None:
    first, second = sorted(views)
    assert one(f"{first} {second}", views=views).path == views[0]
    assert one(f"beauty.{first} albedo beauty.{second}", views=views).path == f"beauty.{views[0]}"
    parts = [Part(i, ("R", "G", "B"), f"rgba{i}", view) for i, view in enumerate((first, second))]
    assert choose(FILE, parts, views).part.view == views[0]


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        ("A! B! G! R!", "R G B A"),
        ("depth.Z! R! G! B!", "R G B"),
        ("a.b.red! a.b.green! a.b.blue! a.b.alpha!", "a.b.red a.b.green a.b.blue a.b.alpha"),
        ("A! rgba.R! rgba.G! rgba.B! rgba.a! spec.A!", "rgba.R rgba.G rgba.B rgba.a"),
        ("Y! A!", "Y Y Y A"),
        ("BY! RY! Y! A!", "Y RY BY A"),
        ("l.by! l.ry! l.y!", "l.y l.ry l.by"),
        ("R! G! B! Y! RY! BY!", "R G B"),
        ("Y! beauty.R! beauty.G! beauty.B!", "beauty.R beauty.G beauty.B"),
        ("Y! RY! BY! beauty.R! beauty.G! beauty.B!", "Y RY BY"),
        ("diffuse.R! diffuse.G! diffuse.B! Y!", "Y Y Y"),
        ("beauty.Y! N.X! N.Y! N.Z!", "beauty.Y beauty.Y beauty.Y"),
        ("matte.V!", "matte.V matte.V matte.V"),
        ("R! A!", "R R R A"),
        ("A!", "A A A"),
    ],
)
def test_channels_are_found_by_name(names: str, taken: str) -> None:
    found = one(names)
    assert [found.part.channels[index] for index in found.used] == taken.split()


@pytest.mark.parametrize("names", ["N.X! N.Y! N.Z!", "Y! RY!", "X! Y! Z!", "U! V! A!"])
def test_without_a_colour_the_channels_are_named(names: str) -> None:
    with pytest.raises(LayerError, match="no layer with R G B or Y; there: ") as refused:
        one(names)
    assert names.split()[0][:-1] in str(refused.value)


def test_a_long_list_of_layers_is_cut_short() -> None:
    with pytest.raises(LayerError, match=r"l15 and 24 more$"):
        one(" ".join(f"l{n}" for n in range(40)))
