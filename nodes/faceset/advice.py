"""Advice: sentences on what to shoot more of, because the plate needs it and no take has it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifemask.nodes.faceset.coverage import EXPRESSIONS, Light, Shown
from lifemask.ocio.media.frame_ranges import named_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP = 5  # degrees to which a turn is rounded up
_KEY, _SOFT = 0.5, 0.35  # contrast from which light has a side, and below which it has none
_APART = 50.0  # degrees up to which two lights count as the same
_NOISE = 2.0  # stops by which takes may be darker
_PLAYED = 0.3  # of a coefficient: the plate's expressions beyond that are missed
_CALM = 0.3  # coefficient up to which a face is at rest
_FEW = 3  # calm frames that are enough for the face at rest
_SIDE = 25.0  # degrees of yaw from which a face is seen from the side
_UNSURE = 0.8  # % of the eyes' distance: a neutral that is known less well shows
_SOFTER = 1.25  # how many times larger the plate's face may be
_MANY = 1 / 3  # of the takes' frames, left out or blurred
_MOVES = 2.0  # % of the face's width in a frame: faster motion shows as blur

_REMEDIES = {
    "lost": "show the face from the front and whole",
    "tiny": "shoot closer",
    "blurred": "shoot with a shorter shutter, or in focus",
    "badly exposed": "expose the face nearer to mid grey",
}


@dataclass(frozen=True)
class _End:
    """One end of an axis: +1 upper, -1 lower; ``slack`` is how far the renderer can extrapolate."""

    axis: str
    sign: int
    slack: float
    say: Callable[[str, float, float, str], str]


def _turn(verb: str, positive: str, negative: str) -> Callable[[str, float, float, str], str]:
    def say(name: str, plate: float, own: float, where: str) -> str:
        goal = math.copysign(math.ceil(abs(plate) / _STEP) * _STEP, plate)
        return (
            f"The plate {verb} to {_degrees(plate, positive, negative)} ({where}); the takes of "
            f"{name} stop at {_degrees(own, positive, negative)}: "
            f"shoot {verb} of {_degrees(goal, positive, negative)}."
        )

    return say


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.0f} degrees {positive if value > 0 else negative}"


def _never(what: str, remedy: str) -> Callable[[str, float, float, str], str]:
    return lambda name, plate, own, where: (
        f"{name} never {what} as far as the plate does in {where}: {remedy}."
    )


_PITCH = _turn("tilts", "down", "up")
_YAW = _turn("turns", "to picture right", "to picture left")
_ENDS = (
    _End("yaw", 1, 8, _YAW),
    _End("yaw", -1, 8, _YAW),
    _End("pitch", 1, 6, _PITCH),
    _End("pitch", -1, 6, _PITCH),
    _End(
        "mouth",
        1,
        0.08,
        _never("opens the mouth", "shoot vowels and a laugh, or leave it to Swap's double_mouth"),
    ),
    _End("mouth", -1, 0.05, _never("closes the mouth", "shoot it shut, as in m, b and p")),
    _End("eyes", 1, 0.06, _never("opens the eyes", "shoot surprise")),
    _End("eyes", -1, 0.06, _never("closes the eyes", "shoot blinks, and the eyes kept shut")),
    _End("smile", 1, _PLAYED, _never("smiles", "shoot a wide smile, with lips shut and open")),
    _End("laugh", 1, _PLAYED, _never("laughs", "shoot a laugh that shows the upper teeth")),
    _End("raised brows", 1, _PLAYED, _never("raises the brows", "shoot surprise")),
    _End("frown", 1, _PLAYED, _never("frowns", "shoot an angry frown")),
    _End("pursed lips", 1, _PLAYED, _never("purses the lips", "shoot a kiss, and 'oo'")),
    _End("sneer", 1, _PLAYED, _never("sneers", "shoot disgust, with the nose wrinkled")),
    _End(
        "exposure",
        1,
        _NOISE,
        lambda name, plate, own, where: (
            f"The plate's face is {plate - own:.1f} stops brighter than in any take of {name} "
            f"({where}): light or expose the takes higher, or their noise will show."
        ),
    ),
)


def advice(
    name: str, own: Shown, plate: Shown | None, dropped: Mapping[str, int], kept: int
) -> Iterator[str]:
    """Yield a sentence for each thing to shoot again, or to shoot more of."""
    if plate:
        for end in _ENDS:
            yield from _beyond(name, end, own, plate)
        yield from _sharper(name, own, plate)
        yield from _moving(name, own, plate)
        yield from _lit(name, own, plate)
    yield from _resting(name, own)
    total = kept + sum(dropped.values())
    for reason, remedy in _REMEDIES.items():
        count = dropped.get(reason, 0)
        if count > _MANY * total:
            yield f"{count} of {total} frames of {name} were left out as {reason}: {remedy}."


def _beyond(name: str, end: _End, own: Shown, plate: Shown) -> Iterator[str]:
    asked, shown = end.sign * plate.axes[end.axis], end.sign * own.axes[end.axis]
    over = asked > shown.max() + end.slack
    if over.any():
        where = frames(plate.frame[over])
        yield end.say(name, end.sign * float(asked.max()), end.sign * float(shown.max()), where)


def _resting(name: str, own: Shown) -> Iterator[str]:
    """Yield why the face at rest is not known well, and what shows it."""
    active = np.max([own.axes[expression] for expression in EXPRESSIONS], axis=0)
    if int((active < _CALM).sum()) < min(_FEW, len(active)):
        yield f"No calm face is in the takes of {name}: shoot three seconds of a resting face."
    elif own.uncertainty > _UNSURE:
        yield (
            f"{_thin(own)} of {name}: the face at rest is known to {own.uncertainty:.1f} % of the "
            "eyes' distance. Shoot three seconds of a resting face from the front."
        )


def _thin(own: Shown) -> str:
    """Why the takes show too little, in words."""
    if len(own.frame) == 1:
        return "There is one frame"
    if (np.abs(own.axes["yaw"]) > _SIDE).all():
        return "There are only profiles"
    return "There are few expressions"


def _sharper(name: str, own: Shown, plate: Shown) -> Iterator[str]:
    asked, shown = plate.axes["size"], float(own.axes["size"].max())
    over = asked > shown * _SOFTER
    if over.any():
        where = frames(plate.frame[over])
        yield (
            f"The face is up to {asked.max():.0f} pixels wide in the plate ({where}) and "
            f"{shown:.0f} in the takes of {name}: shoot closer, or the swap is softer."
        )


def _moving(name: str, own: Shown, plate: Shown) -> Iterator[str]:
    motion = own.axes["motion"]
    blurred = int((motion > max(_MOVES, float(plate.axes["motion"].max()))).sum())
    if blurred > _MANY * len(motion):
        yield (
            f"{name} moves faster than the plate's face in {blurred} of {len(motion)} frames, and "
            "is blurred: hold every pose for a moment, or shorten the shutter."
        )


def _lit(name: str, own: Shown, plate: Shown) -> Iterator[str]:
    """Yield a sentence for each of the plate's key lights that no take has."""
    sided = [light for light in own.lights if light.contrast >= _SOFT]
    for key in (light for light in plate.lights if light.contrast >= _KEY):
        nearest = min(sided, key=lambda light: _between(light, key), default=None)
        if nearest is None:
            yield (
                f"The plate's key light comes {side(key)}; the takes of {name} are lit evenly: "
                "shoot one with a key light from there."
            )
        elif _between(nearest, key) > _APART:
            yield (
                f"The plate's key light comes {side(key)}; no take of {name} has light from there, "
                f"{nearest.take} comes nearest with light {side(nearest)}: shoot one with it."
            )


def _between(a: Light, b: Light) -> float:
    return float(np.rad2deg(np.arccos(np.clip(a.direction @ b.direction, -1, 1))))


def side(light: Light) -> str:
    """Return a light's direction in a gaffer's words, left and right in the picture.

    >>> side(Light("a", -80, 40, 1))
    'from the left and above'
    """
    if abs(light.elevation) > 70:
        return "from above" if light.elevation > 0 else "from below"
    flat = (
        "the camera"
        if abs(light.azimuth) < 25
        else "the right"
        if light.azimuth > 0
        else "the left"
    )
    if abs(light.elevation) < 25:
        return f"from {flat}"
    return f"from {flat} and {'above' if light.elevation > 0 else 'below'}"


def frames(numbers: "NDArray[np.int64]") -> str:
    """Return frames in words: ``frame 1032``, ``frames 1030-1034``, or how many of a range.

    >>> frames(np.array([1001, 1002, 1005, 1009, 1020, 1022]))
    '6 of the frames 1001-1022'
    """
    found = sorted({int(number) for number in numbers})
    if len(found) == 1:
        return f"frame {found[0]}"
    spans = named_range(found)
    if spans.count(",") < 3:
        return f"frames {spans}"
    return f"{len(found)} of the frames {found[0]}-{found[-1]}"
