"""Find the layer of a file that is the picture, by the names of renderers and compositors."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lifemask.ocio.media_errors import LayerError, Remedy

_RGB = ("r", "g", "b"), ("red", "green", "blue")
_CHROMA = ("y", "ry", "by")
_ALPHA = ("a", "alpha")
_PLAIN = ("rgb", "rgba")  # as the channels without a layer's name are called
_MOST_NAMES = 16

# Words that name a whole picture; the first are what programs call a file's own default.
_FIRST = frozenset(("rgba", "rgb", "composite"))
_PICTURE = _FIRST.union(
    ("beauty", "bty", "combined", "composition", "comp", "c", "ci", "cf", "effectsresult"),
    ("radiance", "image", "img", "picture", "finalimage", "main", "master", "final", "result"),
    ("output", "render", "color", "colour", "primary", "plate", "scan", "footage", "film"),
    ("source", "src"),
)
_PICTURE_BEGINS = re.compile("beauty|rgba|combined|composite|final")
# Words without a meaning for the content of a layer.
_NEUTRAL = frozenset(
    (
        *("view", "viewlayer", "layer", "renderlayer", "masterlayer", "defaultrenderlayer"),
        *("scene", "pass", "part", "subimage", "channel", "channels", "eye", "stereo", "v"),
    )
)
_CODE = re.compile(r"[a-z]{0,5}\d{3,}")  # of a shot
_VIEWS = ("main", "left", "l", "right", "r")  # the first of these is read
# Whole pictures of one light, or of another stage: taken only if there is nothing else.
_DOUBTFUL = re.compile(
    "denois|noisy|light|group|kick|bounce|^(?:lg|lgt|lpe|key|fill|rim|sun|sky|hdri|dome|raw|aux)$"
)
_UTILITY = re.compile(
    # begins so, is so, or has it in it: surfaces and light by its way
    "^(?:alb|diff|emit|env|gloss|refl|refr|spec|trans)"
    "|^(?:ao|coat|fog|gi|mist|occ|shd|spc|sss|unlit|wire)$"
    "|albedo|ambient|atmosphere|bump|caustic|curvature|diffuse|direct|emission|facing|fresnel"
    "|illum|occlu|reflect|refract|roughness|shadow|sheen|specular|subsurface|transmission|volume"
    # places, movement, names of things
    "|^(?:backward|dof|forward|mv|mvec|n|ng|nn|nrm|p|pcam|pobject|pos|pref|pworld|st|uvw?|vec|vel|z)$"
    "|depth|motion|normal|position|stmap|tangent|vector|velocity"
    "|^(?:id|ids|mse|var)$|(?:asset|face|instance|light|mat|node|obj|object|render|user)ids?$"
    "|asset|crypto|debug|extratex|freestyle|index|material|object|puzzle|sample|varian|vertex"
    # mattes
    "|^(?:of|oi|roto)$|alpha|holdout|mask|matte|opacity"
)


@dataclass(frozen=True)
class Part:
    """The header of a part; ``name`` is empty when there is only one."""

    index: int
    channels: tuple[str, ...]
    name: str = ""
    view: str = ""


@dataclass(frozen=True)
class Layer:
    """The place of a picture in its file.

    ``channels`` are the indices, in the ``part``, of red, green and blue, of luminance (Y) and two
    chromas (RY, BY), or three times the same. ``path`` is empty for the file's plain channels.
    ``names`` are the names that users may give it, the longest first, ``others`` the other layers'.
    """

    part: Part
    path: str
    names: tuple[str, ...]
    channels: tuple[int, int, int]
    alpha: int | None
    is_chroma: bool = False
    others: str = ""

    @property
    def used(self) -> tuple[int, ...]:
        """All channels of the picture."""
        return self.channels if self.alpha is None else (*self.channels, self.alpha)

    @property
    def is_plain(self) -> bool:
        """Whether it is the plain R G B of its file."""
        red, *_ = (self.part.channels[index] for index in self.channels)
        return not self.path and red.lower() in ("r", "red")


def choose(file: Path, parts: Sequence[Part], views: Iterable[str] = (), named: str = "") -> Layer:
    """Return the layer that is the picture, or the part or layer that is ``named``.

    ``views`` are the eyes of a stereo file, the default one first. Raises LayerError when there is
    no such layer, or when the names leave it open.
    """
    layered = _layers_of(parts)
    layers = layered or _single(parts)
    found = _called(layers, named) if named else layers
    if not found:
        called = f" {named!r}" if named else ""
        known = _listed(layers) or _shortened(name for part in parts for name in part.channels)
        raise LayerError(f"{file}: has no layer{called} with R G B or Y; there: {known}")
    order = [view.lower() for view in views]
    ranks = [_rank(layer, order) for layer in found]
    best = min(ranks)
    is_clear = named or best[0] != _SURELY_NOT or not layered
    if ranks.count(best) > 1 or not is_clear:
        raise LayerError(
            f"{file}: its names do not tell which layer is the picture: {_listed(found)}",
            Remedy("name_layer"),
        )
    taken = found[ranks.index(best)]
    return replace(taken, others=_listed(layer for layer in layers if layer is not taken))


def _listed(found: Iterable[Layer]) -> str:
    """Return the names of layers for a sentence."""
    return _shortened(layer.names[0] for layer in found)


def _layers_of(parts: Iterable[Part]) -> list[Layer]:
    """Return the layers with colour or luminance, in the order of the file."""
    return [
        layer
        for part in parts
        for prefix, places in _places(part).items()
        if (layer := _layer(part, prefix, places))
    ]


def _places(part: Part) -> dict[str, dict[str, int]]:
    """Return the channels' indices by layer and letter; the first of each letter counts."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for index, name in enumerate(part.channels):
        prefix, _, letter = name.rpartition(".")
        found[prefix].setdefault(letter.lower(), index)
    return found


def _layer(part: Part, prefix: str, place: dict[str, int]) -> Layer | None:
    colours = [*_RGB, _CHROMA]
    # Y beside X is no luminance but part of a position or a normal.
    if not {"x", *_CHROMA[1:]} & place.keys():
        colours.append(("y",) * 3)
    names = next((colour for colour in colours if place.keys() >= {*colour}), None)
    if not names:
        return None
    first, second, third = (place[name] for name in names)
    alpha = next((place[name] for name in _ALPHA if name in place), None)
    return _made(part, prefix, (first, second, third), alpha, names == _CHROMA)


def _single(parts: Sequence[Part]) -> list[Layer]:
    """A file's only channel is grey, whatever its name."""
    channels = [
        (part, index, name)
        for part in parts
        for index, name in enumerate(part.channels)
        if name.rpartition(".")[2].lower() not in _ALPHA or len(part.channels) == 1
    ]
    if len(channels) != 1:
        return []
    ((part, index, name),) = channels
    alpha = next((other for other in range(len(part.channels)) if other != index), None)
    return [_made(part, name.rpartition(".")[0], (index,) * 3, alpha)]


def _made(
    part: Part,
    prefix: str,
    channels: tuple[int, int, int],
    alpha: int | None,
    is_chroma: bool = False,
) -> Layer:
    inside = f"{prefix}.".lower().startswith(f"{part.name}.".lower())
    path = prefix if inside or not part.name else f"{part.name}.{prefix}".rstrip(".")
    used = dict.fromkeys([*channels, *([] if alpha is None else [alpha])])
    plain = "".join(part.channels[index].rpartition(".")[2] for index in used)
    names = dict.fromkeys(filter(None, (path, part.name, prefix)))
    return Layer(part, path, tuple(names) or (plain,), channels, alpha, is_chroma)


def _called(found: list[Layer], named: str) -> list[Layer]:
    """The layers of that name; without any, those of that name in another case."""
    return [layer for layer in found if named in layer.names] or [
        layer
        for layer in found
        if named.lower() in (*map(str.lower, layer.names), *(() if layer.path else _PLAIN))
    ]


_SURELY, _PARTLY, _MAYBE, _HARDLY, _SURELY_NOT = range(5)


def _rank(layer: Layer, views: list[str]) -> tuple[int, ...]:
    """A sort key: the layer most likely to be the whole picture comes first."""
    # The plain channels of a file are its picture; grey ones only if no layer has colour.
    if not layer.path:
        return _SURELY, len(layer.part.channels) if layer.channels[0] == layer.channels[1] else -1
    view, levels = _without_view(layer, views)
    words = [word for level in levels for word in level]
    kind, is_first = _kind(levels), not words or not _FIRST.isdisjoint(words)
    is_layered = layer.path.lower() != layer.part.name.lower()
    # Beside beauty, chars.beauty is a part of it.
    others = len({*words} - _PICTURE) if kind == _SURELY else 0
    return kind, others, int(not is_first), int(is_layered), view


def _kind(levels: list[list[str]]) -> int:
    words = [word for level in levels for word in level]
    others = [word for word in words if word not in _PICTURE]
    if any(map(_UTILITY.search, others)):
        return _SURELY_NOT
    if any(map(_DOUBTFUL.search, others)):
        return _HARDLY
    if not levels or _PICTURE.issuperset(levels[-1]):
        return _SURELY
    if len(others) < len(words) or any(map(_PICTURE_BEGINS.match, words)):
        return _PARTLY
    return _SURELY_NOT if "aov" in words else _MAYBE


def _without_view(layer: Layer, views: list[str]) -> tuple[int, list[list[str]]]:
    """The index of a layer's view, and the words of each level of its path."""
    levels = [_words(level) for level in layer.path.lower().split(".")]
    words = [layer.part.view.lower(), *(word for level in levels for word in level)]
    # A layer that is called R alone may be red.
    usual = _VIEWS if len(words) > 2 else [name for name in _VIEWS if len(name) != 1]
    known = [*views, "", *usual]
    view = next((name for name in known if name and name in words), "")
    kept = [[word for word in level if word not in {view, *_NEUTRAL}] for level in levels]
    return known.index(view), [level for level in kept if level]


def _words(level: str) -> list[str]:
    """Return the words of a name, without numbers and the shot's code.

    >>> _words("st010_crypto_object00")
    ['crypto', 'object']
    """
    parts = re.split(r"[^a-z0-9]+", level)
    words = [re.sub(r"\d+$", "", part) for part in parts if not _CODE.fullmatch(part)]
    return [word for word in words if word] or [
        word for word in re.split(r"[^a-z]+", level) if word
    ]


def _shortened(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else ""
    return ", ".join(every[:_MOST_NAMES]) + more
